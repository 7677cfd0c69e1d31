package testkit

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Certificate is a certificate with its private key. Those that can sign issue others.
type Certificate struct {
	X509 *x509.Certificate
	Key  *ecdsa.PrivateKey

	issuer *Certificate // nil: self-signed
}

// Edit changes the template of a certificate before it is signed. Edits apply in order.
// Any function that sets fields of an x509.Certificate is one.
type Edit func(template *x509.Certificate)

// Hosts adds host names, and IP addresses where a host is one.
func Hosts(hosts ...string) Edit {
	return func(template *x509.Certificate) {
		for _, host := range hosts {
			ip := net.ParseIP(host)
			if ip == nil {
				template.DNSNames = append(template.DNSNames, host)
				continue
			}
			template.IPAddresses = append(template.IPAddresses, ip)
		}
	}
}

// NotAfter sets the end of a certificate, which has whole seconds.
func NotAfter(end time.Time) Edit {
	return func(template *x509.Certificate) { template.NotAfter = end }
}

// ExtKeyUsage replaces the purposes, which are the server's alone if nothing else is said.
func ExtKeyUsage(purposes ...x509.ExtKeyUsage) Edit {
	return func(template *x509.Certificate) { template.ExtKeyUsage = purposes }
}

// NewCA returns a root authority with this common name. It has no host and no purpose of
// its own; Hosts makes it a server's certificate, too.
func NewCA(name string, edits ...Edit) *Certificate {
	return newCertificate(nil, name, authority, edits)
}

// SelfSigned returns a server's certificate for host that signed itself and is no authority.
func SelfSigned(host string, edits ...Edit) *Certificate {
	return newCertificate(nil, host, server(host), edits)
}

// IssueCA returns an intermediate authority below c.
func (c *Certificate) IssueCA(name string, edits ...Edit) *Certificate {
	return newCertificate(c, name, authority, edits)
}

// Issue returns a server's certificate for host, a name or an IP address, signed by c.
func (c *Certificate) Issue(host string, edits ...Edit) *Certificate {
	return newCertificate(c, host, server(host), edits)
}

func authority(template *x509.Certificate) {
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
}

func server(host string) Edit {
	return func(template *x509.Certificate) {
		Hosts(host)(template)
		template.KeyUsage = x509.KeyUsageDigitalSignature
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	}
}

// newCertificate signs what kind and edits make of a template that has begun two years
// ago, so that an end in the past needs no other beginning, and ends in a year.
func newCertificate(issuer *Certificate, name string, kind Edit, edits []Edit) *Certificate {
	now := time.Now().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber: must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    now.AddDate(-2, 0, 0),
		NotAfter:     now.AddDate(1, 0, 0),
	}
	kind(template)
	for _, edit := range edits {
		edit(template)
	}
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.X509, issuer.Key
	}
	der := must(x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer))
	return &Certificate{X509: must(x509.ParseCertificate(der)), Key: key, issuer: issuer}
}

// TLS returns what a server or a client presents: c, and the intermediates up to the root, without it.
func (c *Certificate) TLS() tls.Certificate {
	pair := tls.Certificate{Certificate: [][]byte{c.X509.Raw}, PrivateKey: c.Key, Leaf: c.X509}
	for link := c.issuer; link != nil && link.issuer != nil; link = link.issuer {
		pair.Certificate = append(pair.Certificate, link.X509.Raw)
	}
	return pair
}

// Pool returns a pool with c alone.
func (c *Certificate) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(c.X509)
	return pool
}

// PEM returns the certificate alone, without intermediates.
func (c *Certificate) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.X509.Raw})
}

// KeyPEM returns the private key as PKCS #8.
func (c *Certificate) KeyPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(c.Key))})
}

// Files writes PEM to NAME.pem and KeyPEM to NAME.key in dir, only for this user, and returns their paths.
func (c *Certificate) Files(t testing.TB, dir, name string) (certFile, keyFile string) {
	t.Helper()
	certFile, keyFile = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	for file, content := range map[string][]byte{certFile: c.PEM(), keyFile: c.KeyPEM()} {
		err := os.WriteFile(file, content, 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func must[T any](value T, err error) T {
	if err != nil {
		panic("testkit: " + err.Error())
	}
	return value
}
