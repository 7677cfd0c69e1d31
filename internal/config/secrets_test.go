package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/secret"
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
