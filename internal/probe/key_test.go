package probe

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/integra-exporter/integra_exporter/internal/secret"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

const keyCanary = "c4n4ry"

// jwt returns a token with these claims.
func jwt(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte(keyCanary))
}

func keep(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	err := os.WriteFile(path, content, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// ending returns a certificate that ends at t, self-signed, and its PKCS#12 file with the chain and password.
func ending(t *testing.T, at time.Time, password string, chain ...*x509.Certificate) (*x509.Certificate, []byte) {
	t.Helper()
	c := testkit.SelfSigned("ending", testkit.NotAfter(at))
	file, err := pkcs12.Modern.Encode(c.Key, c.X509, chain, password)
	if err != nil {
		t.Fatal(err)
	}
	return c.X509, file
}

func pemOf(certificates ...*x509.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range certificates {
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	return b.Bytes()
}

// watched is what a run of kind key came to.
type watched struct {
	End    KeyEnd // zero: none
	Reason Reason
	Detail string
}

func look(t *testing.T, p *Key) watched {
	t.Helper()
	seen, err := p.Probe(t.Context())
	reason, _ := ReasonOf(err)
	w := watched{Reason: reason, Detail: DetailOf(err)}
	if len(seen.KeyEnds) > 1 {
		t.Errorf("several ends: %v", seen.KeyEnds)
	}
	for _, end := range seen.KeyEnds {
		w.End = end
		if !end.At.IsZero() {
			w.End.At = end.At.UTC()
		}
	}
	text := fmt.Sprintf("%v %+v", seen, err)
	if strings.Contains(text, keyCanary) {
		t.Errorf("a secret is quoted: %s", text)
	}
	return w
}

func TestKeyDates(t *testing.T) {
	t.Parallel()
	past, future := time.Date(2020, 2, 29, 12, 0, 0, 0, time.UTC), time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	for at, want := range map[time.Time]watched{
		past:   {KeyEnd{SourceConfig, past}, ReasonKeyExpired, "on 2020-02-29"},
		future: {KeyEnd{SourceConfig, future}, "", ""},
		{}:     {KeyEnd{Source: SourceConfig}, "", ""},
	} {
		diff := cmp.Diff(want, look(t, NewKey(Credential{Ends: &KeyEnd{SourceConfig, at}})))
		if diff != "" {
			t.Errorf("%v (-want +got):\n%s", at, diff)
		}
	}
}

func TestKeyJWT(t *testing.T) {
	t.Parallel()
	at := func(unix int64) KeyEnd { return KeyEnd{SourceJWT, time.Unix(unix, 0).UTC()} }
	notOne := watched{Reason: ReasonKeyUnreadable, Detail: "this is not a JWT"}
	noNumber := watched{Reason: ReasonKeyUnreadable, Detail: "exp is not a number: it must be in seconds since 1970"}
	noDate := watched{Reason: ReasonKeyUnreadable, Detail: "exp is no date: it must be in seconds since 1970, not in milliseconds"}
	well := jwt(`{"exp":4102444800,"sub":"` + keyCanary + `"}`)
	for token, want := range map[string]watched{
		well: {End: at(4102444800)},
		well[:strings.LastIndex(well, ".")] + ".":                      {End: at(4102444800)},
		jwt(`{"exp":4102444800.75}`):                                   {End: at(4102444800)},
		jwt(`{"exp":4.1024448e9}`):                                     {End: at(4102444800)},
		jwt(`{"sub":"` + keyCanary + `"}`):                             {End: KeyEnd{Source: SourceJWT}},
		jwt(`{"exp":4102444800000}`):                                   noDate, // milliseconds
		jwt(`{"exp":true}`):                                            noNumber,
		jwt(`{"EXP":1000000000}`):                                      {End: KeyEnd{Source: SourceJWT}}, // another claim
		jwt(`{"exp":4102444800,"Exp":1000000000}`):                     {End: at(4102444800)},
		jwt(`{"exp":null}`):                                            {End: KeyEnd{Source: SourceJWT}},
		jwt(`{"exp":1000000000}`):                                      {at(1000000000), ReasonKeyExpired, "on 2001-09-09"},
		strings.Replace(jwt(`{"exp":4102444800,"a":1}`), ".", "=.", 1): {End: at(4102444800)},
		base64.URLEncoding.EncodeToString([]byte(`{"alg":"none"} `)) + "." + base64.URLEncoding.EncodeToString([]byte(`{"exp":4102444800}`)) + ".s": {End: at(4102444800)},
		jwt(`{"exp":"4102444800"}`):  noNumber,
		jwt(`{"exp":1e300}`):         noDate,
		jwt(`{"exp":253402300800}`):  noDate,
		jwt(`{"exp":1e999}`):         noDate,
		jwt(`{"exp":-1}`):            noDate,
		jwt(`{"exp":0}`):             noDate,
		jwt(`{"exp":[1]}`):           noNumber,
		jwt(`["` + keyCanary + `"]`): notOne,
		jwt(`null`):                  notOne,
		jwt(`{"` + keyCanary):        notOne,
		keyCanary:                    notOne,
		keyCanary + ".e30.x":         notOne,
		keyCanary + "." + keyCanary:  notOne,
		well + "." + keyCanary:       notOne,
		"e30." + keyCanary + "!!.x":  notOne,
	} {
		got := look(t, NewKey(Credential{JWTFile: keep(t, "jwt", []byte(token+"\n"))}))
		diff := cmp.Diff(want, got)
		if diff != "" {
			t.Errorf("%s (-want +got):\n%s", token, diff)
		}
	}
}

func TestKeyPEM(t *testing.T) {
	t.Parallel()
	soon, late := time.Now().Add(day).UTC().Truncate(time.Second), time.Now().Add(9*day).UTC().Truncate(time.Second)
	gone := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	short, _ := ending(t, soon, "")
	long, _ := ending(t, late, "")
	old, _ := ending(t, gone, "")
	unreadable := watched{Reason: ReasonKeyUnreadable, Detail: "the file holds neither a PEM certificate nor a PKCS#12 key with its certificate"}
	broken := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(keyCanary)})
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(keyCanary)})
	for name, c := range map[string]struct {
		content []byte
		want    watched
	}{
		"one":              {pemOf(long), watched{End: KeyEnd{SourceCertificate, late}}},
		"chain":            {pemOf(long, short), watched{End: KeyEnd{SourceCertificate, soon}}},
		"chain, other way": {pemOf(short, long), watched{End: KeyEnd{SourceCertificate, soon}}},
		"after its key":    {append(key, pemOf(long)...), watched{End: KeyEnd{SourceCertificate, late}}},
		"expired":          {pemOf(old, long), watched{KeyEnd{SourceCertificate, gone}, ReasonKeyExpired, "on 2026-01-31"}},
		"a key alone":      {key, unreadable},
		"garbage":          {[]byte(keyCanary), unreadable},
		"garbage in PEM":   {broken, watched{Reason: ReasonKeyUnreadable, Detail: "1 of 1 certificates in the file cannot be read"}},
		"empty":            {nil, unreadable},
	} {
		diff := cmp.Diff(c.want, look(t, NewKey(Credential{CertificateFile: keep(t, "cert", c.content)})))
		if diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestKeyPKCS12(t *testing.T) {
	t.Parallel()
	soon, late := time.Now().Add(day).UTC().Truncate(time.Second), time.Now().Add(9*day).UTC().Truncate(time.Second)
	issuer, _ := ending(t, soon, "")
	_, locked := ending(t, late, keyCanary)
	_, open := ending(t, late, "")
	_, chain := ending(t, late, keyCanary, issuer)
	wrong := watched{Reason: ReasonKeyUnreadable, Detail: "the password does not open the PKCS#12 file"}
	for name, c := range map[string]struct {
		content  []byte
		password string
		want     watched
	}{
		"right password":            {locked, keyCanary, watched{End: KeyEnd{SourceCertificate, late}}},
		"wrong password":            {locked, keyCanary + "2", wrong},
		"no password":               {locked, "", wrong},
		"no password, none needed":  {open, "", watched{End: KeyEnd{SourceCertificate, late}}},
		"the issuer's end is first": {chain, keyCanary, watched{End: KeyEnd{SourceCertificate, soon}}},
	} {
		credential := Credential{CertificateFile: keep(t, "cert.p12", c.content)}
		if c.password != "" {
			credential.CertificatePassword = secret.NewFile(keep(t, "password", []byte(c.password+"\n")))
		}
		diff := cmp.Diff(c.want, look(t, NewKey(credential)))
		if diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestKeyFileMissing(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	_, locked := ending(t, time.Now().Add(day), keyCanary)
	for _, c := range []struct {
		credential Credential
		detail     string
	}{
		{Credential{JWTFile: none}, none + ": no such file"},
		{Credential{CertificateFile: none}, "the certificate file cannot be read"},
		{Credential{CertificateFile: keep(t, "c", locked), CertificatePassword: secret.NewFile(none)}, none + ": no such file"},
		{Credential{JWTFile: keep(t, "empty", nil)}, "is empty"},
	} {
		got := look(t, NewKey(c.credential))
		if got.Reason != ReasonKeyUnreadable || !strings.HasSuffix(got.Detail, c.detail) || got.End != (KeyEnd{}) {
			t.Errorf("%+v, want %s", got, c.detail)
		}
	}
}

// A file that was replaced is used at once, also within a tick of the file system's clock.
func TestKeyFileChanged(t *testing.T) {
	t.Parallel()
	path := keep(t, "jwt", []byte(jwt(`{"exp":1000000000}`)))
	p := NewKey(Credential{JWTFile: path})
	for range 3 {
		expectReason(t, errorOf(p.Probe(t.Context())), ReasonKeyExpired)
		err := os.WriteFile(path, []byte(jwt(`{"exp":4102444800}`)), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		expectReason(t, errorOf(p.Probe(t.Context())), "")
		err = os.WriteFile(path, []byte(jwt(`{"exp":1000000000}`)), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
}

func errorOf(_ Observation, err error) error { return err }

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
