package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newPair returns a certificate and its key, in PEM.
func newPair(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return cert, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

// TestTLSFilesAllAtOnce holds that each file is told by its key, whatever is wrong with another.
func TestTLSFilesAllAtOnce(t *testing.T) {
	cert, key := newPair(t)
	_, strange := newPair(t)
	files := [][2]string{{"cert", cert}, {"key", key}, {"strange", strange}, {"junk", "no PEM"}}
	got := faults(t, `defaults:
  tls: {ca_file: none}
institutions:
  a:
    tls: {cert_file: cert, key_file: strange}
    apis: {org: {request: {path: /}, key_file: k}}
  b:
    rabbitmq: [{application: a, password_file: k, tls: {cert_file: junk, key_file: key}}]
  c:
    tls: {ca_file: junk}
    gravitee: {url: "https://api.example.no/", application: a, token_file: k}
  d:
    apis: {org: {request: {path: /}, key_file: k, tls: {cert_file: cert, key_file: junk}}}
`, files...)
	diff := cmp.Diff([]string{
		"config.yml:2: ca_file: none: no such file",
		"config.yml:5: key_file: strange is not the key of cert_file: cert",
		"config.yml:8: cert_file: junk holds no PEM certificate",
		"config.yml:10: ca_file: junk holds no PEM certificate",
		"config.yml:13: key_file: junk holds no PEM key",
	}, got)
	if diff != "" {
		t.Error(diff)
	}
}

func TestTLSPair(t *testing.T) {
	cert, key := newPair(t)
	c := load(t, own("request: {path: /}", "tls: {ca_file: cert, cert_file: cert, key_file: key}"), [2]string{"cert", cert}, [2]string{"key", key})
	if c.APIs()[0].TLS.CertFile == "" || len(c.Warnings) != 0 {
		t.Errorf("TLS %v, warnings %v", c.APIs()[0].TLS, c.Warnings)
	}
}
