// Package tlsfault says what was wrong with a TLS handshake, in sentences that quote nothing of the other side.
package tlsfault

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"time"
)

// Describe says in a closed set of sentences what was wrong with a handshake, or what an error with a method TLSFault says
// itself; ok is false if err does not come from TLS.
func Describe(err error) (sentence string, ok bool) {
	var (
		invalid   x509.CertificateInvalidError
		hostname  x509.HostnameError
		authority x509.UnknownAuthorityError
		refused   *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		ours      interface{ TLSFault() string } // about the files with which we identify ourselves
	)
	switch {
	case errors.As(err, &ours):
		return ours.TLSFault(), true
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return validity(invalid.Cert), true
	case errors.As(err, &hostname):
		return "the certificate is for another name", true
	case errors.As(err, &authority) && strings.Contains(err.Error(), "insecure algorithm"): // crypto/x509 has no type for it
		return "the certificate, or that of an issuer, is signed with SHA-1 or MD5, which proves nothing any more", true
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

func validity(c *x509.Certificate) string {
	const day = "2006-01-02"
	if time.Now().Before(c.NotBefore) {
		return "the certificate is not valid before " + c.NotBefore.UTC().Format(day)
	}
	return "the certificate expired on " + c.NotAfter.UTC().Format(day)
}

// isAlert says whether the other side ended TLS; crypto/tls keeps the alert's type to itself.
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}
