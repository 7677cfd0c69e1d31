package probe

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const day = 24 * time.Hour

// authority signs certificates; parent is nil for a root.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	parent      *authority
}

func newAuthority(t *testing.T, name string, parent *authority, edits ...func(*x509.Certificate)) *authority {
	t.Helper()
	a := &authority{parent: parent}
	template := certificateTemplate(t)
	template.Subject = pkix.Name{CommonName: name}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	for _, edit := range edits {
		edit(template)
	}
	der, key := parent.sign(t, template)
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a.certificate, a.key = certificate, key
	return a
}

func certificateTemplate(t *testing.T) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<60))
	if err != nil {
		t.Fatal(err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		NotBefore:    time.Now().Add(-2 * 365 * day),
		NotAfter:     time.Now().Add(365 * day).Truncate(time.Second),
	}
}

// sign signs template; the nil authority lets it sign itself.
func (a *authority) sign(t *testing.T, template *x509.Certificate) ([]byte, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent, signer := template, key
	if a != nil {
		parent, signer = a.certificate, a.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

// issue returns a server certificate for host, with edits, and the chain below the root.
func (a *authority) issue(t *testing.T, host string, edits ...func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	template := certificateTemplate(t)
	template.Subject = pkix.Name{CommonName: host}
	template.DNSNames = []string{host}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, edit := range edits {
		edit(template)
	}
	der, key := a.sign(t, template)
	issued := tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	for link := a; link != nil && link.parent != nil; link = link.parent {
		issued.Certificate = append(issued.Certificate, link.certificate.Raw)
	}
	return issued
}

func (a *authority) file(t *testing.T) string {
	t.Helper()
	return writePEM(t, "CERTIFICATE", a.certificate.Raw)
}

func writePEM(t *testing.T, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pem")
	err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// pairFiles writes pair as the two files of mutual TLS.
func pairFiles(t *testing.T, pair tls.Certificate) (certFile, keyFile string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "CERTIFICATE", pair.Certificate[0]), writePEM(t, "PRIVATE KEY", der)
}

func serverTLS(certificates ...tls.Certificate) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: certificates}
}
