package probe

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// credentialFiles are tokens and certificates, good and bad.
func credentialFiles() []string {
	part := base64.RawURLEncoding.EncodeToString
	token := func(claims string) string {
		return part([]byte(`{"alg":"none"}`)) + "." + part([]byte(claims)) + "." + part([]byte(canary))
	}
	return []string{
		token(`{"exp":1900000000}`), token(`{"exp":19e8}`), token(`{}`), token(`{"exp":-1}`), token(`{"exp":1e300}`), token(`{"exp":"` + canary + `"}`),
		token(`{"exp":null}`), token(`["` + canary + `"]`), "a.b." + canary, canary, "", "..", "\ufeff" + token("{}"),
		"-----BEGIN CERTIFICATE-----\n" + canary + "\n-----END CERTIFICATE-----\n",
		"-----BEGIN CERTIFICATE-----\nMIIBCg==\n-----END CERTIFICATE-----\n", "-----BEGIN " + canary + "-----\n", "\x30\x82\x01\x00\x02\x01\x03" + canary,
	}
}

// FuzzCredential holds that a watched token or certificate has an end that is a
// date, or a cause, and that neither says anything of the file.
func FuzzCredential(f *testing.F) {
	for _, content := range credentialFiles() {
		f.Add(true, []byte(content))
		f.Add(false, []byte(content))
	}
	path := filepath.Join(f.TempDir(), "credential")
	f.Fuzz(func(t *testing.T, token bool, content []byte) {
		err := os.WriteFile(path, content, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		key := NewKey(Credential{CertificateFile: path, CertificatePassword: secret.Literal{Value: secret.New(canary)}})
		if token {
			key = NewKey(Credential{JWTFile: path})
		}
		seen, err := key.Probe(t.Context())
		sound(t, seen, err)
		for _, end := range seen.KeyEnds {
			if !end.At.IsZero() && (end.At.Year() < 0 || end.At.Year() > 9999) {
				t.Errorf("ends %v", end.At)
			}
			expired := !end.At.IsZero() && end.At.Before(time.Now())
			if reason, _ := ReasonOf(err); expired != (reason == ReasonKeyExpired) {
				t.Errorf("ends %v: %v", end.At, err)
			}
		}
		if len(seen.KeyEnds) == 0 && err == nil {
			t.Error(fmt.Sprint("no end, and no cause: ", seen))
		}
	})
}
