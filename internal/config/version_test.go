package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

const versioned = `
institutions:
  uio:
    apis:
      org:
        key: literal-secret
        request: {path: /org/, body: b, headers: {X-A: a}}
        expect: {jq: length > 0, headers: {X-B: b}}
        tls: {ca_file: ca.pem}
    rabbitmq: [{application: app, password: literal-secret}]
`

func TestVersionIsStable(t *testing.T) {
	dir := write(t, versioned, [2]string{"ca.pem", testCA})
	path := filepath.Join(dir, "config.yml")
	first, err := Load(path, probe.NewShared())
	if err != nil {
		t.Fatal(err)
	}
	rewrite(t, path, "# moved by a line\n"+strings.Replace(versioned, "/org/,", "'/org/', method: GET,", 1))
	second, err := Load(path, probe.NewShared())
	if err != nil {
		t.Fatal(err)
	}
	for i, check := range first.Checks() {
		if check.Version != second.Checks()[i].Version {
			t.Errorf("the version of the unchanged %v changed", check.Target)
		}
	}
	if first.RabbitMQ[0].Version != second.RabbitMQ[0].Version {
		t.Error("the version of an unchanged application changed")
	}
}

func TestVersionShowsEveryChange(t *testing.T) {
	for _, change := range [][2]string{
		{"key: literal-secret", "key: another-secret"},
		{"key: literal-secret", "key_file: k"},
		{"/org/", "/org/2"},
		{"body: b", "body: c"},
		{"X-A: a", "X-A: b"},
		{"length > 0", "length > 1"},
		{"X-B: b", "X-B: c"},
		{"expect: {", "expect: {json: true, status: [201], "},
		{"expect: {", "expect: {max_duration: 3s, "},
		{"    apis", "    title: T\n    apis"},
		{"    apis", "    timeout: 5s\n    apis"},
		{"    apis", "    gateway: https://gw.example.no\n    apis"},
		{"    apis", "    connection: reuse\n    apis"},
		{"    apis", "    http2: true\n    apis"},
		{"    apis", "    max_body_size: 1KiB\n    apis"},
		{"    apis", "    proxy_url: http://p.example.no\n    apis"},
	} {
		dir := write(t, versioned, [2]string{"ca.pem", testCA})
		path := filepath.Join(dir, "config.yml")
		before := versionOf(t, path)
		rewrite(t, path, strings.Replace(versioned, change[0], change[1], 1))
		if versionOf(t, path) == before {
			t.Errorf("%q for %q leaves the version as it was", change[1], change[0])
		}
	}
}

func TestVersionCoversTLSFiles(t *testing.T) {
	dir := write(t, versioned, [2]string{"ca.pem", testCA})
	path := filepath.Join(dir, "config.yml")
	before := versionOf(t, path)
	rewrite(t, filepath.Join(dir, "ca.pem"), testCA+testCA)
	if versionOf(t, path) == before {
		t.Error("another content of ca_file leaves the version as it was")
	}
}

func TestTransportsAreShared(t *testing.T) {
	c := load(t, `
institutions:
  uio:
    apis:
      a: {request: {path: /}, key_file: k}
      b: {request: {path: /}, key_file: k}
      c: {request: {path: /}, key_file: k, connection: reuse}
  ntnu: {apis: {a: {request: {path: /}, key_file: k}}}
`)
	a := c.APIs()
	if a[0].sealed().transport != a[1].sealed().transport || a[1].sealed().transport != a[2].sealed().transport || a[2].sealed().transport == a[3].sealed().transport {
		t.Error("equal options must share a transport, and only they")
	}
}

func versionOf(t *testing.T, path string) string {
	t.Helper()
	c, err := Load(path, probe.NewShared())
	if err != nil {
		t.Fatal(err)
	}
	return c.Checks()[0].Version
}

func rewrite(t *testing.T, path, content string) {
	t.Helper()
	err := os.WriteFile(path, []byte(content), 0o600)
	if err != nil {
		t.Fatal(err)
	}
}
