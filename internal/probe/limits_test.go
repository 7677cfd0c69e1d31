package probe

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// A limit of ours, or of the time we live in, is said as one.
func TestSHA1(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	signer, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	root.Raw, err = x509.CreateCertificate(rand.Reader, root, root, &signer.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{gatewayName}, NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		SignatureAlgorithm: x509.SHA1WithRSA,
	}
	leaf.Raw, err = x509.CreateCertificate(rand.Reader, leaf, root, &signer.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	d := serve(t, serverTLS(tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: signer}), answers(goodAnswer))
	p := l.plan(d.port)
	p.TLS.CAFile = filepath.Join(t.TempDir(), "root.pem")
	err = os.WriteFile(p.TLS.CAFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = run(t, p.prober(), ample)
	expectReason(t, err, ReasonTLS)
	if !strings.Contains(DetailOf(err), "signed with SHA-1 or MD5") {
		t.Errorf("%v", err)
	}
}

func TestLimitsOfPKCS12(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content string
		err     error
		want    string
	}{
		"BER":          {"\x30\x80\x02\x01\x03", errors.New("asn1: syntax error"), "in BER with indefinite lengths"},
		"two keys":     {"\x30\x82", errors.New("pkcs12: expected exactly one key bag"), "not exactly one key"},
		"an algorithm": {"\x30\x82", pkcs12.NotImplementedError("x"), "uses something that cannot be read"},
		"garbage":      {"x", errors.New("asn1: syntax error"), ""},
		"nothing":      {"\x30\x80", nil, ""},
	} {
		got := pkcs12Limit([]byte(c.content), c.err)
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	file := filepath.Join(t.TempDir(), "p12")
	err := os.WriteFile(file, []byte("\x30\x80\x02\x01\x03\x00\x00"), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewKey(Credential{CertificateFile: file}).end()
	if !strings.Contains(DetailOf(err), "in BER with indefinite lengths") {
		t.Errorf("%v", err)
	}
}
