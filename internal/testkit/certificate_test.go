package testkit

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// verify checks pair as a client does that trusts root and asks for host.
func verify(pair tls.Certificate, root *Certificate, host string, purpose x509.ExtKeyUsage) error {
	between := x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		between.AddCert(must(x509.ParseCertificate(der)))
	}
	_, err := pair.Leaf.Verify(x509.VerifyOptions{
		Roots: root.Pool(), Intermediates: between, DNSName: host, KeyUsages: []x509.ExtKeyUsage{purpose},
	})
	return err
}

func TestIssue(t *testing.T) {
	root := NewCA("root")
	intermediate := root.IssueCA("intermediate")
	clients := ExtKeyUsage(x509.ExtKeyUsageClientAuth)
	for name, test := range map[string]struct {
		certificate *Certificate
		root        *Certificate
		host        string
		purpose     x509.ExtKeyUsage
		want        error // its type; nil: verified
	}{
		"name":              {root.Issue("gw.test"), root, "gw.test", x509.ExtKeyUsageServerAuth, nil},
		"address":           {root.Issue("127.0.0.1"), root, "127.0.0.1", x509.ExtKeyUsageServerAuth, nil},
		"another host too":  {root.Issue("localhost", Hosts("::1")), root, "::1", x509.ExtKeyUsageServerAuth, nil},
		"client":            {root.Issue("client", clients), root, "client", x509.ExtKeyUsageClientAuth, nil},
		"intermediate":      {intermediate.Issue("gw.test"), root, "gw.test", x509.ExtKeyUsageServerAuth, nil},
		"two of them":       {intermediate.IssueCA("second").Issue("gw.test"), root, "gw.test", x509.ExtKeyUsageServerAuth, nil},
		"authority serves":  {NewCA("root", Hosts("gw.test")), nil, "gw.test", x509.ExtKeyUsageServerAuth, nil},
		"self-signed":       {SelfSigned("gw.test"), nil, "gw.test", x509.ExtKeyUsageServerAuth, nil},
		"wrong host":        {root.Issue("gw.test"), root, "other.test", x509.ExtKeyUsageServerAuth, x509.HostnameError{}},
		"server only":       {root.Issue("gw.test"), root, "gw.test", x509.ExtKeyUsageClientAuth, x509.CertificateInvalidError{}},
		"client only":       {root.Issue("client", clients), root, "client", x509.ExtKeyUsageServerAuth, x509.CertificateInvalidError{}},
		"another root":      {root.Issue("gw.test"), NewCA("root"), "gw.test", x509.ExtKeyUsageServerAuth, x509.UnknownAuthorityError{}},
		"expired":           {root.Issue("gw.test", NotAfter(time.Now().Add(-time.Hour))), root, "gw.test", x509.ExtKeyUsageServerAuth, x509.CertificateInvalidError{}},
		"expired authority": {NewCA("root", NotAfter(time.Now().Add(-time.Hour)), Hosts("gw.test")), nil, "gw.test", x509.ExtKeyUsageServerAuth, x509.CertificateInvalidError{}},
	} {
		if test.root == nil {
			test.root = test.certificate
		}
		err := verify(test.certificate.TLS(), test.root, test.host, test.purpose)
		if fmt.Sprintf("%T", err) != fmt.Sprintf("%T", test.want) {
			t.Errorf("%s: %v, want a %T", name, err, test.want)
		}
	}
}

func TestEdits(t *testing.T) {
	end := time.Date(2049, time.December, 31, 0, 0, 0, 0, time.UTC)
	c := NewCA("ends", NotAfter(end), func(c *x509.Certificate) { c.SerialNumber = big.NewInt(7) }).X509
	if !c.NotAfter.Equal(end) || c.SerialNumber.Int64() != 7 || c.Subject.CommonName != "ends" || !c.IsCA {
		t.Errorf("ends %v, serial %v, %v, authority %v", c.NotAfter, c.SerialNumber, c.Subject, c.IsCA)
	}
	bare := SelfSigned("gw.test", func(c *x509.Certificate) { c.DNSNames, c.ExtKeyUsage = nil, nil }).X509
	if len(bare.DNSNames) > 0 || len(bare.ExtKeyUsage) > 0 || bare.IsCA {
		t.Errorf("names %v, purposes %v, authority %v", bare.DNSNames, bare.ExtKeyUsage, bare.IsCA)
	}
	if SelfSigned("a").X509.SerialNumber.Cmp(SelfSigned("a").X509.SerialNumber) == 0 {
		t.Error("two certificates of one serial number")
	}
}

// A handshake with certificates from files, in which each side verifies the other.
func TestFiles(t *testing.T) {
	root, dir := NewCA("root"), t.TempDir()
	load := func(c *Certificate, name string) tls.Certificate {
		certFile, keyFile := c.Files(t, dir, name)
		if diff := cmp.Diff([]string{filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")}, []string{certFile, keyFile}); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(keyFile)
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", keyFile, info.Mode(), err)
		}
		return pair
	}
	server := load(root.Issue("127.0.0.1"), "server")
	client := load(root.Issue("client", ExtKeyUsage(x509.ExtKeyUsageClientAuth)), "client")
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: root.Pool(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	greeted := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			_, err = conn.Write([]byte("hello"))
			_ = conn.Close()
		}
		greeted <- err
	}()
	conn, err := tls.Dial("tcp", listener.Addr().String(), &tls.Config{RootCAs: root.Pool(), Certificates: []tls.Certificate{client}})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	err = errors.Join(<-greeted, conn.VerifyHostname("127.0.0.1"))
	if err != nil {
		t.Error(err)
	}
}

func TestPEM(t *testing.T) {
	c := NewCA("root").Issue("gw.test")
	pair, err := tls.X509KeyPair(c.PEM(), c.KeyPEM())
	if err != nil {
		t.Fatal(err)
	}
	diff := cmp.Diff(c.TLS(), pair, cmpopts.IgnoreFields(tls.Certificate{}, "PrivateKey", "Leaf"))
	if diff != "" || !c.Key.Equal(pair.PrivateKey) || !c.X509.Equal(pair.Leaf) {
		t.Errorf("another pair (-want +got):\n%s", diff)
	}
}

func TestMistakesPanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	SelfSigned("gw.test", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(-1) })
}
