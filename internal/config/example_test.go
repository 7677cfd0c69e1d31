package config

import (
	gocmp "cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// TestExample loads config.example.yml beside the key files that it names.
func TestExample(t *testing.T) {
	content, err := os.ReadFile("../../config.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	var keys [][2]string
	special := map[string]string{".p12": enterprise(t, "not-a-real-key"), ".jwt": testJWT}
	for _, name := range regexp.MustCompile(`\bkeys/[\w.-]+`).FindAllString(string(content), -1) {
		keys = append(keys, [2]string{name, gocmp.Or(special[filepath.Ext(name)], "not-a-real-key\n")})
	}
	keys = append(keys, [2]string{"conf.d/institutions.yml", "institutions: {}\n"})
	c := load(t, string(content), keys...)
	var targets []string
	for _, check := range c.Checks() {
		targets = append(targets, check.Kind+" "+check.Name)
	}
	want := []string{
		"api ansatte", "api freg", "api fs", "api fs-gemini", "api inspera", "api krr", "api maskinporten", "api organisasjoner", "api stillinger",
		"auth ansatte", "auth freg", "auth fs", "auth fs-gemini", "auth inspera", "auth krr", "auth organisasjoner", "auth stillinger",
		"key brom-token", "key maskinporten", "key virksomhetssertifikat", "rabbitmq system-production-dfo-sap",
	}
	diff := cmp.Diff(want, targets)
	if diff != "" {
		t.Error(diff)
	}
	if len(c.RabbitMQ) != 1 || len(c.Keys) != 3 || len(c.Gravitee) != 1 {
		t.Errorf("%d applications, %d keys, %d managers", len(c.RabbitMQ), len(c.Keys), len(c.Gravitee))
	}
	for _, warning := range c.Warnings {
		t.Errorf("the example is warned about: %s", warning)
	}
	for _, a := range c.APIs() {
		if slices.Contains([]string{"ansatte", "freg", "inspera", "krr"}, a.Name) && a.Request.Path != "…" && a.Request.Body != "…" {
			t.Errorf("%s holds personal data and shows its request", a.Name)
		}
	}
}

func TestWarnings(t *testing.T) {
	dir := write(t, `
defaults: {gateway: http://127.0.0.1:1}
apis:
  org:
    request: {path: /, headers: {authorization: Basic canary}}
    expect: {max_duration: 15s}
    unauthenticated: true
institutions:
  uio:
    apis:
      org: {key: canary}
    rabbitmq:
      - {application: a, password: canary, url: amqp://127.0.0.1}
      - application: b
        password_file: k
        timeout: 4s
    keys: [{name: m, expires: never}]
    gravitee: {url: http://127.0.0.1, application: a, token: canary}
  ntnu: {apis: {org: {key_file: k}}}
`)
	c, err := Load(filepath.Join(dir, "config.yml"), probe.NewShared())
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"2: " + plainHTTP,
		"5: authorization is shown on pages: use secret_headers to hide it",
		"6: max_duration: 15s is not shorter than the timeout of 15s, so it has no effect",
		"11: key: the secret is in the configuration itself; use key_file to keep it out",
		"13: password: the secret is in the configuration itself; use password_file to keep it out",
		"13: " + plainAMQP,
		"16: timeout: 4s is under 5s, but a broker takes at least 3 s to refuse a login",
		"18: " + plainHTTP,
		"18: token: the secret is in the configuration itself; use token_file to keep it out",
	}
	var got []string
	for _, w := range c.Warnings {
		got = append(got, strings.TrimPrefix(w.String(), dir+"/config.yml:"))
	}
	diff := cmp.Diff(want, got)
	if diff != "" {
		t.Error(diff)
	}
}

func TestNothingConfigured(t *testing.T) {
	c := load(t, "defaults: {interval: 1m}\n")
	if len(c.Warnings) != 1 || c.Warnings[0].Message != "no institution is configured: nothing will be verified" {
		t.Errorf("warnings %v", c.Warnings)
	}
}

// TestUnusedAPIs holds that an API is only warned about where somebody could have it.
func TestUnusedAPIs(t *testing.T) {
	const apis = "apis:\n  a: {request: {path: /}}\n  b: {request: {path: /}}\n"
	c := load(t, apis+"institutions: {uio: {apis: {b: {key_file: k}}}}\n")
	if len(c.Warnings) != 1 || c.Warnings[0].Line != 2 || c.Warnings[0].Message != `api "a": no institution uses this api` {
		t.Errorf("warnings %v", c.Warnings)
	}
	c = load(t, apis)
	if len(c.Warnings) != 1 || c.Warnings[0].Line != 1 {
		t.Errorf("warnings without institutions: %v", c.Warnings)
	}
}

func TestNearest(t *testing.T) {
	words := []string{"interval", "timeout", "tls", "title", "key_file", "key"}
	for word, want := range map[string]string{
		"intervall": "interval", "itnerval": "interval", "time_out": "timeout", "TIMEOUT": "timeout",
		"keyfile": "key_file", "tsl": "tls", "zebra_crossing": "", "": "", "x": "",
	} {
		if got := Nearest(word, words); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
}
