package probe

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"regexp"
	"time"
)

// Bundle is what a file in PEM holds of certificates.
type Bundle struct {
	Certificates []*x509.Certificate
	Damaged      int // blocks that are cut off, or hold anything but one DER structure
	Refused      int // blocks that are well formed, but no certificate that crypto/x509 takes
}

// ParseBundle reads every certificate of content. Other than encoding/pem it passes over none: a block counts wherever in a
// line it begins, and one that cannot be read is counted too, since the next one's end is not its end.
func ParseBundle(content []byte) (b Bundle) {
	begin := regexp.MustCompile(`-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----`)
	starts := begin.FindAllIndex(content, -1)
	for i, start := range starts {
		end := len(content)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		b.add(content[start[1]:end])
	}
	return b
}

// add reads one block, from after its first line on.
func (b *Bundle) add(block []byte) {
	body, last, closed := bytes.Cut(block, []byte("-----END "))
	if !closed || !regexp.MustCompile(`^(?:X509 |TRUSTED )?CERTIFICATE-----`).Match(last) {
		b.Damaged++
		return
	}
	der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(body), nil)))
	var whole asn1.RawValue
	if err == nil {
		_, err = asn1.Unmarshal(der, &whole) // what follows is trust that OpenSSL adds
	}
	if err != nil {
		b.Damaged++
		return
	}
	certificate, err := x509.ParseCertificate(whole.FullBytes)
	if err != nil {
		b.Refused++
		return
	}
	b.Certificates = append(b.Certificates, certificate)
}

// Blocks is how many certificates the file should hold.
func (b *Bundle) Blocks() int { return len(b.Certificates) + b.Damaged + b.Refused }

// EarliestEnd returns the earliest end among the certificates; zero if there is none.
func (b *Bundle) EarliestEnd() time.Time { return earliestEnd(b.Certificates) }

func earliestEnd(certificates []*x509.Certificate) time.Time {
	var earliest time.Time
	for _, c := range certificates {
		if earliest.IsZero() || c.NotAfter.Before(earliest) {
			earliest = c.NotAfter
		}
	}
	return earliest
}
