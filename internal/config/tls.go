package config

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// identity is what stands in the TLS files of a target, with a digest of their content, which is empty beside a fault.
type identity struct {
	files  probe.TLS
	digest string
}

// tls returns the files that t names and a digest of their content, which is empty beside a fault.
// They are looked at once a load: a bundle of authorities takes milliseconds, and thousands of targets share it.
func (r *resolver) tls(t *tlsFiles) (files probe.TLS, digest string) {
	known, ok := r.identities[*t]
	if !ok {
		known.files, known.digest = r.identify(t)
		r.identities[*t] = known
	}
	return known.files, known.digest
}

func (r *resolver) identify(t *tlsFiles) (files probe.TLS, digest string) {
	before := len(r.faults)
	if t.CertFile.set != t.KeyFile.set {
		at := t.CertFile.at
		if t.KeyFile.set {
			at = t.KeyFile.at
		}
		r.fault(at, "tls: cert_file and key_file belong together")
	}
	ca, cert, key := r.read(t.CAFile, "ca_file"), r.read(t.CertFile, "cert_file"), r.read(t.KeyFile, "key_file")
	if ca != nil && !x509.NewCertPool().AppendCertsFromPEM(ca) {
		r.fault(t.CAFile.at, "ca_file: %s holds no PEM certificate", shownPath(t.CAFile))
	}
	if cert != nil && key != nil {
		r.pair(t, cert, key)
		r.private(t.KeyFile, "key_file")
	}
	if len(r.faults) == before {
		sum := sha256.New()
		for _, content := range [][]byte{ca, cert, key} {
			sum.Write(content)
			sum.Write([]byte{0})
		}
		digest = hex.EncodeToString(sum.Sum(nil))
	}
	return probe.TLS{
		CAFile:     t.CAFile.path(),
		ServerName: string(t.ServerName.or("")),
		CertFile:   t.CertFile.path(),
		KeyFile:    t.KeyFile.path(),
	}, digest
}

// pair checks our own certificate and its key, and tells which of the two files is wrong.
func (r *resolver) pair(t *tlsFiles, cert, key []byte) {
	_, err := tls.X509KeyPair(cert, key)
	block, _ := pem.Decode(key)
	switch {
	case err == nil:
	case !x509.NewCertPool().AppendCertsFromPEM(cert):
		r.fault(t.CertFile.at, "cert_file: %s holds no PEM certificate", shownPath(t.CertFile))
	case block == nil:
		r.fault(t.KeyFile.at, "key_file: %s holds no PEM key", shownPath(t.KeyFile))
	default:
		r.fault(t.KeyFile.at, "key_file: %s is not the key of cert_file: %s", shownPath(t.KeyFile), shownPath(t.CertFile))
	}
}

func shownPath(file field[filename]) string { return secret.RedactPath(file.path()) }
