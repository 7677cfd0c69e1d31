package demo

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"path/filepath"
	"time"
)

// watcher is the institution that watches other credentials too.
const watcher = "uio"

// How long credentials have left when the demo starts.
const (
	registrationLeft = 40 * day
	certificateLeft  = 12 * day
	tokenLeft        = 20 * day
)

// configCredential is an entry of keys; one of Expires, Certificate and JWT is set.
type configCredential struct{ Name, Title, Expires, Certificate, JWT string }

// writeCredentials writes what an institution watches beside its API keys.
func (p *Platform) writeCredentials(dir, institution string) ([]configCredential, error) {
	if institution != watcher {
		return nil, nil
	}
	certificate, err := p.ca.issue("virksomhetssertifikat", certificateLeft)
	if err != nil {
		return nil, err
	}
	list := []configCredential{
		{Name: "maskinporten", Title: "Key of the Maskinporten client", Expires: p.ca.now.Add(registrationLeft).UTC().Format(time.DateOnly)},
		{Name: "inspera", Title: "Agreement with Inspera", Expires: "never"},
		{Name: "virksomhetssertifikat", Title: "Enterprise certificate", Certificate: "keys/" + watcher + "-virksomhetssertifikat.pem"},
		{Name: "brom-token", Title: "Token for BROM", JWT: "keys/" + watcher + "-brom-token.jwt"},
	}
	for file, content := range map[string][]byte{
		list[2].Certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]}),
		list[3].JWT:         []byte(token(p.ca.now.Add(tokenLeft)) + "\n"),
	} {
		err = writeFile(filepath.Join(dir, filepath.FromSlash(file)), content, 0o600)
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// token returns a JWT that nobody accepts and that ends at end.
func token(end time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + encode(fmt.Appendf(nil, `{"sub":%q,"exp":%d}`, newUUID(), end.Unix())) + "."
}

// expires returns what the configuration says of the end of a target's key; empty: nothing.
func (p *Platform) expires(target Target) string {
	for _, e := range expiries {
		if e.Target != target {
			continue
		}
		if e.left == 0 {
			return "never"
		}
		return p.endOf(e.left).Format(time.DateOnly)
	}
	return ""
}

// endOf returns the midnight that ends the time left: a configured date has no time of day.
func (p *Platform) endOf(left time.Duration) time.Time {
	return p.ca.now.Add(left).UTC().Truncate(day)
}
