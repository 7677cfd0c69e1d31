package probe

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// KeySource is who says when a key ends: a closed set, fit for a label.
type KeySource string

// The sources.
const (
	SourceConfig      KeySource = "config"
	SourceGravitee    KeySource = "gravitee"
	SourceCertificate KeySource = "certificate"
	SourceJWT         KeySource = "jwt"
)

// KeyEnd is when a key ends, as one source says.
type KeyEnd struct {
	Source KeySource
	At     time.Time // zero: never
}

// Credential is what a Key watches: exactly one of Ends, CertificateFile and JWTFile.
type Credential struct {
	Ends                *KeyEnd       // nil: one of the files says it
	CertificateFile     string        // PEM, or PKCS#12
	CertificatePassword secret.Source // of a PKCS#12 file; nil: none
	JWTFile             string
}

// Key is the Prober of kind key: a credential that is watched for its end alone.
type Key struct{ credential Credential }

// NewKey returns the prober that watches c.
func NewKey(c Credential) *Key { return &Key{c} }

// Probe implements Prober. It fails when the end has passed or cannot be read.
func (k *Key) Probe(context.Context) (Observation, error) {
	end, err := k.end()
	if err != nil {
		return Observation{}, err
	}
	seen := Observation{KeyEnds: []KeyEnd{end}}
	if !end.At.IsZero() && !time.Now().Before(end.At) {
		return seen, Fail(ReasonKeyExpired, "on %s", end.At.UTC().Format("2006-01-02"))
	}
	return seen, nil
}

func (k *Key) end() (KeyEnd, error) {
	switch c := k.credential; {
	case c.Ends != nil:
		return *c.Ends, nil
	case c.JWTFile != "":
		return tokenEnd(secret.NewFile(c.JWTFile))
	default:
		return c.certificateEnd()
	}
}

// tokenEnd returns the exp of the JWT that source holds. The token is parsed, not trusted.
func tokenEnd(source secret.Source) (KeyEnd, error) {
	token, err := source.Read()
	if err != nil {
		return KeyEnd{}, noSecret("the token", err)
	}
	end, problem := jwtEnd(token.Reveal())
	if problem != "" {
		return KeyEnd{}, Fail(ReasonKeyUnreadable, "%s", problem)
	}
	return end, nil
}

// lastSecond is the end of the year 9999: beyond it a number is no date.
const lastSecond = 253402300800

// jwtEnd returns the end of a JWT, or what is wrong with it; one without exp never ends. A claim whose name differs in case is
// another claim.
func jwtEnd(token string) (end KeyEnd, problem string) {
	parts := strings.Split(token, ".")
	var header, claims map[string]json.RawMessage
	if len(parts) != 3 || !jwtPart(parts[0], &header) || !jwtPart(parts[1], &claims) {
		return KeyEnd{}, "this is not a JWT"
	}
	end.Source = SourceJWT
	raw := string(claims["exp"])
	if raw == "" || raw == "null" {
		return end, ""
	}
	seconds, err := strconv.ParseFloat(raw, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return KeyEnd{}, "exp is not a number: it must be in seconds since 1970"
	case seconds <= 0 || seconds >= lastSecond:
		return KeyEnd{}, "exp is no date: it must be in seconds since 1970, not in milliseconds"
	}
	end.At = time.Unix(int64(seconds), 0)
	return end, ""
}

// jwtPart decodes a part of a JWT, which is a JSON object.
func jwtPart(part string, into any) bool {
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(part, "="))
	return err == nil && strings.HasPrefix(string(text), "{") && json.Unmarshal(text, into) == nil
}

func (c Credential) certificateEnd() (KeyEnd, error) {
	content, err := os.ReadFile(c.CertificateFile)
	if isExhausted(err) {
		return KeyEnd{}, Fail(ReasonResources, "no descriptor to read the certificate")
	}
	if err != nil {
		return KeyEnd{}, Fail(ReasonKeyUnreadable, "the certificate file cannot be read")
	}
	bundle := ParseBundle(content)
	switch lost := bundle.Damaged + bundle.Refused; {
	case bundle.Blocks() == 0:
		certificates, err := c.pkcs12Certificates(content)
		if err != nil {
			return KeyEnd{}, err
		}
		return KeyEnd{SourceCertificate, earliestEnd(certificates)}, nil
	case lost > 0:
		return KeyEnd{}, Fail(ReasonKeyUnreadable, "%d of %d certificates in the file cannot be read", lost, bundle.Blocks())
	}
	return KeyEnd{SourceCertificate, bundle.EarliestEnd()}, nil
}

func (c Credential) pkcs12Certificates(content []byte) ([]*x509.Certificate, error) {
	password := ""
	if c.CertificatePassword != nil {
		value, err := c.CertificatePassword.Read()
		if err != nil {
			return nil, noSecret("the certificate's password", err)
		}
		password = value.Reveal()
	}
	_, certificate, chain, err := pkcs12.DecodeChain(content, password)
	if errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return nil, Fail(ReasonKeyUnreadable, "the password does not open the PKCS#12 file")
	}
	if limit := pkcs12Limit(content, err); limit != "" {
		return nil, Fail(ReasonKeyUnreadable, "%s", limit)
	}
	if err != nil {
		return nil, Fail(ReasonKeyUnreadable, "the file holds neither a PEM certificate nor a PKCS#12 key with its certificate")
	}
	return append(chain, certificate), nil
}

// pkcs12Limit says what of a PKCS#12 file this program cannot read; empty: it is something else.
func pkcs12Limit(content []byte, err error) string {
	var unsupported pkcs12.NotImplementedError
	indefinite := len(content) > 1 && content[0] == 0x30 && content[1] == 0x80
	switch {
	case err == nil:
		return ""
	case indefinite:
		return "the PKCS#12 file is in BER with indefinite lengths: write it again in DER, for instance with openssl pkcs12"
	case strings.Contains(err.Error(), "expected exactly one key bag"): // the library has no type for it
		return "the PKCS#12 file holds not exactly one key: write one with a single key"
	case errors.As(err, &unsupported):
		return "the PKCS#12 file uses something that cannot be read: write it again, for instance with openssl pkcs12"
	}
	return ""
}

// EarliestEnd returns the earliest end among the PEM certificates in file; zero if none can be read.
func EarliestEnd(file string) time.Time {
	content, err := os.ReadFile(file)
	if err != nil {
		return time.Time{}
	}
	bundle := ParseBundle(content)
	return bundle.EarliestEnd()
}
