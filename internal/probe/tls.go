package probe

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// TLS is how a server is verified and how we show who we are.
type TLS struct {
	CAFile            string // PEM, added to the system's roots
	ServerName        string // instead of the URL's host
	CertFile, KeyFile string // for mutual TLS, both or none; read at each handshake, so that a renewed pair is used
}

// Config reads the files. Its error names the file, never the content.
func (t TLS) Config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		roots, err := rootsWith(t.CAFile)
		if err != nil {
			return nil, err
		}
		config.RootCAs = roots
	}
	if t.CertFile == "" && t.KeyFile == "" {
		return config, nil
	}
	_, err := t.clientCertificate(nil)
	if err != nil {
		return nil, err
	}
	config.GetClientCertificate = t.clientCertificate
	return config, nil
}

func (t TLS) clientCertificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("%s and %s are not a readable certificate and its key", t.CertFile, t.KeyFile)
	}
	return &pair, nil
}

func rootsWith(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read", file)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	return roots, nil
}

// shown returns what a handshake that ended with err showed of the server's certificates.
func shown(state tls.ConnectionState, err error) Certificate {
	chain := state.PeerCertificates
	if err != nil {
		var refused *tls.CertificateVerificationError
		if errors.As(err, &refused) {
			chain = refused.UnverifiedCertificates
		}
	}
	earliest := earliestEnd(chain)
	return Certificate{Expiry: earliest, Verified: err == nil && !earliest.IsZero()}
}

// tlsFault says in a closed set of sentences what was wrong with a handshake;
// ok is false if err is none of TLS.
func tlsFault(err error) (sentence string, ok bool) {
	var (
		invalid   x509.CertificateInvalidError
		hostname  x509.HostnameError
		authority x509.UnknownAuthorityError
		refused   *tls.CertificateVerificationError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return validity(invalid.Cert), true
	case errors.As(err, &hostname):
		return "the certificate is for another name", true
	case errors.As(err, &authority):
		return "the certificate's issuer is not trusted (self-signed, a private issuer, or an intermediate is missing)", true
	case errors.As(err, &refused), errors.As(err, &invalid):
		return "the certificate is not valid for a server", true
	case isAlert(err):
		return "the server ended the handshake with an alert", true
	case errors.As(err, &record):
		return "the port does not speak TLS", true
	}
	return "", false
}

// isAlert says whether the other side ended TLS; crypto/tls keeps the alert's type to itself.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// EarliestEnd returns the earliest end among the PEM certificates in file; zero if none can be read.
func EarliestEnd(file string) time.Time {
	content, err := os.ReadFile(file)
	if err != nil {
		return time.Time{}
	}
	return earliestEnd(pemCertificates(content))
}

func validity(c *x509.Certificate) string {
	const day = "2006-01-02"
	if time.Now().Before(c.NotBefore) {
		return "the certificate is not valid before " + c.NotBefore.UTC().Format(day)
	}
	return "the certificate expired on " + c.NotAfter.UTC().Format(day)
}
