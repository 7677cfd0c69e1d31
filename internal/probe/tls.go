package probe

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
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
	reason, _ := ReasonOf(err)
	if err != nil && reason != ReasonKeyExpired { // which it may be only until it is renewed
		return nil, errors.New(DetailOf(err))
	}
	config.GetClientCertificate = t.clientCertificate
	return config, nil
}

// clientCertificate reads our certificate anew for each handshake that asks for it. What is wrong with our own files is a
// Failure, and no fault of the other side.
func (t TLS) clientCertificate(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	switch {
	case isExhausted(err):
		return nil, Fail(ReasonResources, "no descriptor to read %s", t.CertFile)
	case err != nil:
		return nil, Fail(ReasonKeyUnreadable, "%s and %s are not a readable client certificate and its key", t.CertFile, t.KeyFile)
	case !time.Now().Before(pair.Leaf.NotAfter):
		return nil, Fail(ReasonKeyExpired, "the client certificate in %s ended on %s", t.CertFile, pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	return &pair, nil
}

func rootsWith(file string) (*x509.CertPool, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read", file)
	}
	bundle := ParseBundle(content)
	switch {
	case bundle.Damaged > 0:
		return nil, fmt.Errorf("%d of %d certificates in %s are damaged", bundle.Damaged, bundle.Blocks(), file)
	case len(bundle.Certificates) == 0:
		return nil, fmt.Errorf("%s holds no PEM certificate", file)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	for _, c := range bundle.Certificates {
		roots.AddCert(c)
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
