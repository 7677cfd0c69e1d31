package config

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// ofKind returns the checks of one kind.
func ofKind(c *Config, kind string) []probe.Check {
	return slices.DeleteFunc(c.Checks(), func(check probe.Check) bool { return check.Kind != kind })
}

func TestAuthChecks(t *testing.T) {
	c := load(t, `
apis:
  a: {request: {path: /}, title: A, contact: a@example.no, unauthenticated: {interval: 5s}}
  b: {request: {path: /}, timeout: 7s}
  c: {request: {path: /}}
  off: {request: {path: /}, unauthenticated: false}
institutions:
  uio:
    title: Oslo
    apis: {c: {key_file: k, unauthenticated: {interval: 1h}}, off: {key_file: k}, b: {key_file: k}, a: {key_file: k}}
  ntnu: {apis: {off: {key_file: k, unauthenticated: true}, c: {key_file: k, unauthenticated: false}}}
`)
	var order []string
	for _, check := range c.Checks() {
		order = append(order, check.Institution+" "+check.Kind+" "+check.Name)
	}
	diff := cmp.Diff([]string{
		"ntnu api c", "ntnu api off", "ntnu auth off",
		"uio api a", "uio api b", "uio api c", "uio api off", "uio auth a", "uio auth b", "uio auth c",
	}, order)
	if diff != "" {
		t.Error(diff)
	}
	want := func(institution, name, interval, timeout string) probe.Check {
		every, _ := time.ParseDuration(interval)
		limit, _ := time.ParseDuration(timeout)
		host := "gw-" + institution + ".intark.uh-it.no:443"
		return probe.Check{
			Target:   probe.Target{Institution: institution, Kind: probe.KindAuth, Name: name},
			Info:     probe.Info{InstitutionTitle: "Oslo", Title: name, Address: "https://" + host},
			Interval: every, Timeout: limit, Host: host,
		}
	}
	wants := []probe.Check{want("ntnu", "off", "15m", "15s"), want("uio", "a", "5s", "5s"), want("uio", "b", "15m", "7s"), want("uio", "c", "1h", "15s")}
	wants[0].InstitutionTitle = "ntnu"
	wants[1].Title, wants[1].Contact = "A", "a@example.no"
	diff = cmp.Diff(wants, ofKind(c, probe.KindAuth), cmpopts.IgnoreFields(probe.Check{}, "Version", "Prober"))
	if diff != "" {
		t.Error(diff)
	}
}

// gateway answers with status and remembers what each request carried.
type gateway struct {
	status int

	mu   sync.Mutex
	seen []string
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := r.Header.Get("X-Key")
	if len(key) == 36 {
		key = "random"
	}
	g.seen = append(g.seen, strings.Join([]string{r.Method, r.URL.Path, key, r.Header.Get("X-A"), r.Header.Get("X-B")}, " "))
	w.WriteHeader(g.status)
}

// What is configured is what the check does: the request, its headers, the key's header, the statuses.
func TestAuthCheckAsConfigured(t *testing.T) {
	for _, test := range []struct {
		line   string
		status int
		want   probe.Reason
	}{
		{"", 401, ""},
		{"unauthenticated: {status: [401, 403]}", 403, ""},
		{"unauthenticated: {status: [403]}", 401, probe.ReasonBackendUnauthorized},
		{"unauthenticated: true", 200, probe.ReasonNotRefused},
	} {
		g := &gateway{status: test.status}
		server := httptest.NewServer(g)
		c := load(t, `
institutions:
  uio:
    gateway: `+server.URL+`
    apis:
      org:
        key_file: k
        key_header: X-Key
        request: {method: PUT, path: /org/, headers: {X-A: a}, secret_headers: {X-B: {file: b}}}
        `+test.line+"\n", [2]string{"b", "b"})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := ofKind(c, probe.KindAuth)[0].Prober.Probe(ctx)
		cancel()
		server.Close()
		reason, _ := probe.ReasonOf(err)
		want := []string{"PUT /org/  a b"}
		if test.want == "" {
			want = append(want, "PUT /org/ random a b")
		}
		diff := cmp.Diff(want, g.seen)
		if reason != test.want || diff != "" {
			t.Errorf("%s: %v, want %q; requests (-want +got):\n%s", test.line, err, test.want, diff)
		}
	}
}

func TestAuthVersionShowsEveryChange(t *testing.T) {
	authVersion := func(path string) string {
		c, err := Load(path, probe.NewShared())
		if err != nil {
			t.Fatal(err)
		}
		return ofKind(c, probe.KindAuth)[0].Version
	}
	for _, change := range []struct {
		old, new string
		changes  bool
	}{
		{"/org/", "/org/2", true},
		{"body: b", "body: c", true},
		{"X-A: a", "X-A: b", true},
		{"expect: {", "unauthenticated: {interval: 1m}\n        expect: {", true},
		{"expect: {", "unauthenticated: {status: [403]}\n        expect: {", true},
		{"expect: {", "key_header: X-Key\n        expect: {", true},
		{"    apis", "    title: T\n    apis", true},
		{"    apis", "    timeout: 5s\n    apis", true},
		{"    apis", "    gateway: https://gw.example.no\n    apis", true},
		{"    apis", "    http2: true\n    apis", true},
		{"length > 0", "length > 1", false},
		{"expect: {", "expect: {status: [201], ", false},
		{"    apis", "    interval: 30s\n    apis", false},
	} {
		dir := write(t, versioned, [2]string{"ca.pem", testCA})
		path := filepath.Join(dir, "config.yml")
		before := authVersion(path)
		rewrite(t, path, strings.Replace(versioned, change.old, change.new, 1))
		if (authVersion(path) != before) != change.changes {
			t.Errorf("%q for %q: changed %v, want %v", change.new, change.old, !change.changes, change.changes)
		}
	}
}

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
		{"    apis", "    gravitee_headers: {client_identifier: X-Client}\n    apis"},
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

// An answer that has no body is no JSON.
func TestStatusesWithoutBody(t *testing.T) {
	for expect, want := range map[string]bool{
		"{status: [204]}": false, "{status: [204, 304]}": false, "{status: [200, 204]}": true, "{}": true, "{status: [200]}": true,
	} {
		c := load(t, "apis: {a: {request: {path: /}, expect: "+expect+"}}\ninstitutions: {uio: {apis: {a: {key_file: k}}}}\n")
		if got := c.APIs()[0].sealed().expect.JSON; got != want {
			t.Errorf("%s: expects JSON %v, want %v", expect, got, want)
		}
	}
	for _, expect := range []string{"{status: [204], json: true}", "{status: [204], jq: \".\"}"} {
		got := faults(t, "apis: {a: {request: {path: /}, expect: "+expect+"}}\ninstitutions: {uio: {apis: {a: {key_file: k}}}}\n")
		if len(got) != 1 || !strings.Contains(got[0], "an answer with status 204 or 304 has no body") {
			t.Errorf("%s: %q", expect, got)
		}
	}
}
