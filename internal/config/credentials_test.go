package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// testJWT has no exp.
const testJWT = "eyJhbGciOiJub25lIn0.e30."

// enterprise returns a PKCS#12 file of a certificate without a purpose, locked with password.
func enterprise(t *testing.T, password string) string {
	t.Helper()
	c := testkit.SelfSigned("enterprise", testkit.ExtKeyUsage())
	file, err := pkcs12.Modern.Encode(c.Key, c.X509, nil, password)
	if err != nil {
		t.Fatal(err)
	}
	return string(file)
}

// What says no end is warned of with its line, and may be put right later; what has ended is the check's to tell.
func TestUnreadableCredentials(t *testing.T) {
	c := load(t, `
institutions:
  uio:
    keys:
      - {name: a, certificate_file: k}
      - {name: b, jwt_file: k}
      - {name: c, jwt_file: "string"}
      - name: d
        certificate_file: p12
        certificate_password_file: k
      - {name: e, certificate_file: p12}
      - {name: f, certificate_file: p12, certificate_password_file: right}
      - {name: g, jwt_file: ended}
      - {name: h, expires: 2001-01-01}
      - {name: i, certificate_file: "0123456789abcdef01", certificate_password_file: right}
`, [2]string{"p12", enterprise(t, canary)}, [2]string{"right", canary}, [2]string{"string", "e30.eyJleHAiOiIxIn0.x"},
		[2]string{"ended", "e30.eyJleHAiOjF9.x"}, [2]string{"0123456789abcdef01", canary})
	var got []string
	for _, warning := range c.Warnings {
		dir := filepath.Dir(warning.File)
		got = append(got, strings.ReplaceAll(warning.String(), dir+"/", ""))
	}
	const neither = "the file holds neither a PEM certificate nor a PKCS#12 key with its certificate"
	want := []string{
		"config.yml:5: certificate_file: k: " + neither,
		"config.yml:6: jwt_file: k: this is not a JWT",
		"config.yml:7: jwt_file: string: exp is not a number: it must be in seconds since 1970",
		"config.yml:9: certificate_file: p12: the password does not open the PKCS#12 file",
		"config.yml:11: certificate_file: p12: the password does not open the PKCS#12 file",
		"config.yml:15: certificate_file: …: " + neither,
	}
	diff := cmp.Diff(want, got)
	if diff != "" {
		t.Error(diff)
	}
}

func TestVersionOfAKeyShowsEveryChange(t *testing.T) {
	jwt := filepath.Join(t.TempDir(), "jwt")
	rewrite(t, jwt, testJWT)
	pem := filepath.Join(t.TempDir(), "pem")
	rewrite(t, pem, testCA)
	seen := map[string]string{}
	for _, entry := range []string{
		"expires: 2030-01-01", "expires: 2030-01-02", "expires: never", "expires: never, interval: 5m", "expires: never, title: T",
		"jwt_file: " + jwt, "certificate_file: " + pem, "certificate_file: " + pem + ", certificate_password_file: k",
	} {
		c := load(t, "institutions: {uio: {keys: [{name: m, "+entry+"}]}}\n")
		version := c.Keys[0].Version
		if seen[version] != "" {
			t.Errorf("%q has the version of %q", entry, seen[version])
		}
		seen[version] = entry
	}
}

// The same file under another key is another check.
func TestVersionOfAKeyTellsFilesApart(t *testing.T) {
	both := filepath.Join(t.TempDir(), "both")
	versions := map[string]bool{}
	for key, content := range map[string]string{"jwt_file": testJWT, "certificate_file": testCA} {
		rewrite(t, both, content)
		versions[load(t, "institutions: {uio: {keys: [{name: m, "+key+": "+both+"}]}}\n").Keys[0].Version] = true
	}
	if len(versions) != 2 {
		t.Error("a certificate and a JWT in the same file have the same version")
	}
}

func TestKeysAreChecks(t *testing.T) {
	c := load(t, "institutions: {uio: {keys: [{name: m, expires: 2001-01-01}, {name: a, expires: never}]}}\n")
	var names []string
	for _, check := range c.Checks() {
		names = append(names, check.Kind+" "+check.Name+" "+check.Interval.String())
		_, err := check.Prober.Probe(t.Context())
		reason, _ := probe.ReasonOf(err)
		if want := map[string]probe.Reason{"m": probe.ReasonKeyExpired}[check.Name]; reason != want {
			t.Errorf("%s: %v", check.Name, err)
		}
	}
	if diff := cmp.Diff([]string{"key a 1h0m0s", "key m 1h0m0s"}, names); diff != "" {
		t.Error(diff)
	}
}

func TestCAFiles(t *testing.T) {
	c := load(t, `
defaults: {tls: {ca_file: ca.pem}}
apis: {org: {request: {path: /}}}
institutions:
  hvl: {keys: [{name: m, expires: never}]}
  ntnu: {apis: {org: {key_file: k}, own: {request: {path: /}, key_file: k, tls: {ca_file: own.pem}}}}
  uib: {tls: {ca_file: other.pem}, rabbitmq: [{application: a, password_file: k, tls: {ca_file: own.pem}}, {application: b, password_file: k}]}
  uio: {gravitee: {url: "https://api.example.no/management", application: a, token_file: k}}
`, [2]string{"ca.pem", testCA}, [2]string{"own.pem", testCA}, [2]string{"other.pem", testCA})
	got := c.CAFiles()
	for _, files := range got {
		for i := range files {
			files[i] = filepath.Base(files[i])
		}
		slices.Sort(files)
	}
	want := map[string][]string{"hvl": nil, "ntnu": {"ca.pem", "own.pem"}, "uib": {"other.pem", "own.pem"}, "uio": {"ca.pem"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
