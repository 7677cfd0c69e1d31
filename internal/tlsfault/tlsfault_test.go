package tlsfault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

const (
	host      = "gateway.example.no"
	notServer = "the certificate is not valid for a server"
)

// What a client meets in real handshakes.
func TestHandshakes(t *testing.T) {
	ca, stranger := testkit.NewCA("root"), testkit.NewCA("another root")
	begins := func(at time.Time) testkit.Edit {
		return func(template *x509.Certificate) { template.NotBefore = at }
	}
	day := func(at time.Time) string { return at.UTC().Format("2006-01-02") }
	past, future := time.Now().Add(-36*time.Hour), time.Now().Add(36*time.Hour)
	for name, c := range map[string]struct {
		config *tls.Config
		want   string
	}{
		"in order":      {serving(ca.Issue(host)), ""},
		"expired":       {serving(ca.Issue(host, testkit.NotAfter(past))), "the certificate expired on " + day(past)},
		"not valid yet": {serving(ca.Issue(host, begins(future))), "the certificate is not valid before " + day(future)},
		"another name":  {serving(ca.Issue("other.example.no")), "the certificate is for another name"},
		"unknown issuer": {
			serving(stranger.Issue(host)),
			"the certificate's issuer is not trusted (self-signed, a private issuer, or an intermediate is missing)",
		},
		"a client's certificate": {serving(ca.Issue(host, testkit.ExtKeyUsage(x509.ExtKeyUsageClientAuth))), notServer},
		"an alert": {
			&tls.Config{MaxVersion: tls.VersionTLS11, Certificates: serving(ca.Issue(host)).Certificates},
			"the server ended the handshake with an alert",
		},
	} {
		got, ok := Describe(handshake(t, ca, func(conn net.Conn) { _ = tls.Server(conn, c.config).Handshake() }))
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q, %v, want %q", name, got, ok, c.want)
		}
	}
	got, ok := Describe(handshake(t, ca, func(conn net.Conn) { _, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }))
	if got != "the port does not speak TLS" || !ok {
		t.Errorf("plain HTTP: %q, %v", got, ok)
	}
}

// What is no fault of TLS stays somebody else's, and nothing foreign is quoted.
func TestErrors(t *testing.T) {
	for _, err := range []error{
		nil, io.EOF, context.DeadlineExceeded, os.ErrNotExist, errors.New("canary"), &net.OpError{Op: "read", Err: io.EOF},
	} {
		got, ok := Describe(err)
		if got != "" || ok {
			t.Errorf("%v: %q, %v", err, got, ok)
		}
	}
	for _, err := range []error{
		&tls.CertificateVerificationError{Err: errors.New("canary")},
		x509.CertificateInvalidError{Reason: x509.IncompatibleUsage, Detail: "canary"},
		x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{"canary"}}, Host: "canary"},
		&net.OpError{Op: "remote error", Err: errors.New("canary")},
		tls.RecordHeaderError{Msg: "canary"},
	} {
		got, ok := Describe(err)
		if !ok || strings.Contains(got, "canary") {
			t.Errorf("%T: %q, %v", err, got, ok)
		}
	}
}

func serving(c *testkit.Certificate) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{c.TLS()}}
}

// handshake returns how a client that trusts ca alone ends the handshake with a server.
func handshake(t *testing.T, ca *testkit.Certificate, serve func(net.Conn)) error {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	done := make(chan struct{})
	defer func() { <-done }()
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err == nil {
			defer conn.Close()
			serve(conn)
		}
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: ca.Pool(), ServerName: host}
	return tls.Client(conn, config).HandshakeContext(t.Context())
}
