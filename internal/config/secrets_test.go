package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// TestSecretsAtRunTime holds that a file is held to the same after the load, and
// that its name is not repeated where it looks like the key.
func TestSecretsAtRunTime(t *testing.T) {
	const name = "ca0a41c1-aaaa-4000-8000-0123456789ab"
	c := load(t, `
institutions:
  uio:
    apis: {org: {request: {path: /, secret_headers: {X-A: {file: `+name+`}}}, key_file: `+name+`}}
    rabbitmq: [{application: a, password_file: `+name+`}]
    gravitee: {url: "https://api.example.no/", application: a, token_file: `+name+`}
`, [2]string{name, "good"})
	a := c.APIs()[0]
	inHeaders := []secret.Source{a.Key, a.sealed().request.Secrets["X-A"], c.Gravitee[0].Token}
	path := filepath.Join(filepath.Dir(origin(a.Key)[len("file "):]), name)
	for content, problem := range map[string]string{
		"\ufeffk": "begins with a byte-order mark: save it as UTF-8 without one",
		"k \n":    "begins or ends with a space",
		"ø":       "holds something other than printable ASCII, which a header cannot carry",
	} {
		rewrite(t, path, content)
		sources := inHeaders
		if content != "ø" { // which a password may hold
			sources = append(sources, c.RabbitMQ[0].Password)
		}
		for _, source := range sources {
			_, err := source.Read()
			if err == nil || !strings.HasSuffix(err.Error(), "/… "+problem) || strings.Contains(err.Error(), name) {
				t.Errorf("%q: %v", content, err)
			}
		}
	}
	rewrite(t, path, "ø")
	password, err := c.RabbitMQ[0].Password.Read()
	if err != nil || password.Reveal() != "ø" {
		t.Errorf("a password beyond ASCII: %v", err)
	}
	err = os.Remove(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range inHeaders {
		_, err = source.Read()
		if err == nil || !strings.HasSuffix(err.Error(), "/…: no such file") {
			t.Errorf("removed: %v", err)
		}
	}
}

func TestVariablesInHeaders(t *testing.T) {
	t.Setenv("INTEGRA_TEST_SECRET", "canarø")
	const problem = "environment variable INTEGRA_TEST_SECRET holds something other than printable ASCII, which a header cannot carry"
	got := faults(t, `institutions:
  uio:
    apis:
      a: {request: {path: /}, key_env: INTEGRA_TEST_SECRET}
      b: {request: {path: /, secret_headers: {X-A: {env: INTEGRA_TEST_SECRET}}}, key_file: k}
    rabbitmq: [{application: a, password_env: INTEGRA_TEST_SECRET}]
    gravitee: {url: "https://api.example.no/", application: a, token_env: INTEGRA_TEST_SECRET}
`)
	want := []string{"config.yml:4: key_env: " + problem, "config.yml:5: env: " + problem, "config.yml:7: token_env: " + problem}
	diff := cmp.Diff(want, got)
	if diff != "" {
		t.Error(diff)
	}
}

// TestOrigin holds that what prints alike is not taken for the same.
func TestOrigin(t *testing.T) {
	const one, two = "feedfacefeedface01", "feedfacefeedface02"
	for _, pair := range [][2]secret.Source{
		{secret.NewFile("keys/" + one), secret.NewFile("keys/" + two)},
		{secret.Env(one), secret.Env(two)},
		{secret.Header{Source: secret.NewFile(one)}, secret.Header{Source: secret.NewFile(two)}},
		{secret.Literal{Value: secret.New(one)}, secret.Literal{Value: secret.New(two)}},
	} {
		if origin(pair[0]) == origin(pair[1]) || pair[0].String() != pair[1].String() {
			t.Errorf("%v and %v", pair[0], pair[1])
		}
	}
}

// newPair returns a certificate and its key, in PEM.
func newPair(t *testing.T) (cert, key string) {
	t.Helper()
	c := testkit.SelfSigned("pair")
	return string(c.PEM()), string(c.KeyPEM())
}

// TestTLSFilesAllAtOnce holds that each file is told by its key, whatever is wrong with another.
func TestTLSFilesAllAtOnce(t *testing.T) {
	cert, key := newPair(t)
	_, strange := newPair(t)
	files := [][2]string{{"cert", cert}, {"key", key}, {"strange", strange}, {"junk", "no PEM"}}
	got := faults(t, `defaults:
  tls: {ca_file: none}
institutions:
  a:
    tls: {cert_file: cert, key_file: strange}
    apis: {org: {request: {path: /}, key_file: k}}
  b:
    rabbitmq: [{application: a, password_file: k, tls: {cert_file: junk, key_file: key}}]
  c:
    tls: {ca_file: junk}
    gravitee: {url: "https://api.example.no/", application: a, token_file: k}
  d:
    apis: {org: {request: {path: /}, key_file: k, tls: {cert_file: cert, key_file: junk}}}
`, files...)
	diff := cmp.Diff([]string{
		"config.yml:2: ca_file: none: no such file",
		"config.yml:5: key_file: strange is not the key of cert_file: cert",
		"config.yml:8: cert_file: junk holds no PEM certificate",
		"config.yml:10: ca_file: junk holds no PEM certificate",
		"config.yml:13: key_file: junk holds no PEM key",
	}, got)
	if diff != "" {
		t.Error(diff)
	}
}

func TestTLSPair(t *testing.T) {
	cert, key := newPair(t)
	c := load(t, own("request: {path: /}", "tls: {ca_file: cert, cert_file: cert, key_file: key}"), [2]string{"cert", cert}, [2]string{"key", key})
	if c.APIs()[0].TLS.CertFile == "" || len(c.Warnings) != 0 {
		t.Errorf("TLS %v, warnings %v", c.APIs()[0].TLS, c.Warnings)
	}
}

// A secret that every user of the machine can read is warned of where it is named first.
func TestExposedSecrets(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "integra") // which every user can reach, and t.TempDir need not be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	err = os.CopyFS(dir, os.DirFS(write(t, `institutions:
  uio:
    apis:
      a: {request: {path: /}, key_file: open}
      b: {request: {path: /}, key_file: open}
      c: {request: {path: /, secret_headers: {X-A: {file: header}}}, key_file: shut}
    rabbitmq: [{application: a, password_file: password}]
    gravitee: {url: "https://api.example.no/", application: a, token_file: token}
`, [2]string{"open", "k"}, [2]string{"shut", "k"}, [2]string{"header", "k"}, [2]string{"password", "k"}, [2]string{"token", "k"})))
	if err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{
		dir: 0o755, dir + "/open": 0o644, dir + "/shut": 0o640,
		dir + "/header": 0o604, dir + "/password": 0o444, dir + "/token": 0o666,
	} {
		err := os.Chmod(path, mode)
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(filepath.Join(dir, "config.yml"), probe.NewShared())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, warning := range c.Warnings {
		got = append(got, strings.ReplaceAll(warning.String(), dir+"/", ""))
	}
	const open = ": every user of this machine may read or change "
	want := []string{
		"config.yml:4: key_file" + open + "open: chmod 0640", "config.yml:6: file" + open + "header: chmod 0640",
		"config.yml:7: password_file" + open + "password: chmod 0640", "config.yml:8: token_file" + open + "token: chmod 0640",
	}
	diff := cmp.Diff(want, got)
	if diff != "" {
		t.Error(diff)
	}
}

// testCA is a certificate without a purpose.
const testCA = `-----BEGIN CERTIFICATE-----
MIIBQDCB56ADAgECAgEBMAoGCCqGSM49BAMCMA8xDTALBgNVBAMTBHRlc3QwIBcN
MjYxMTIyMTAwNDMwWhgPMjA3NjExMjIxMDA0MzBaMA8xDTALBgNVBAMTBHRlc3Qw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQd3bUECSAHO9CL0wlzH50KIkPdDBjV
YDRGZCXrOItLBRdlaq9jQAsPzStug6eU+PjWDk0eHvnP0yzEb0bjV2GqozIwMDAP
BgNVHRMBAf8EBTADAQH/MB0GA1UdDgQWBBSgG2BCWwFn1RSt1Oqces8IApp7jjAK
BggqhkjOPQQDAgNIADBFAiEA5p2aeG8juHH5+eE68vVYgQSrEefC7s0Bf+WCAm+X
jHUCIEK5JjnmpKcZbiQKXMKPjWS0QhL4/L9Yuvt19+tZu6TD
-----END CERTIFICATE-----
`
