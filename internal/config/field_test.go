package config

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestLevels writes a key at ever fewer levels, the nearest to the target first.
func TestLevels(t *testing.T) {
	const source = `
defaults: {%s}
apis:
  org: {request: {path: /}, %s}
institutions:
  uio:
    %s
    apis:
      org: {key_file: k, %s}
`
	for _, test := range []struct {
		key     string
		values  [4]string // defaults, institution, api, the institution's api
		builtin string
		got     func(API) string
	}{
		{"interval", [4]string{"20s", "30s", "40s", "50s"}, "1m0s", func(a API) string { return a.Interval.String() }},
		{"timeout", [4]string{"2s", "3s", "4s", "5s"}, "15s", func(a API) string { return a.Timeout.String() }},
		{"max_body_size", [4]string{"1KiB", "2KiB", "3KiB", "4KiB"}, "10240KiB", func(a API) string { return fmt.Sprintf("%dKiB", a.sealed().expect.MaxBody>>10) }},
	} {
		for written := 4; written >= 0; written-- {
			lines := [4]string{}
			want := test.builtin
			for i := range written {
				lines[i] = test.key + ": " + test.values[i]
				want = test.values[i]
			}
			c := load(t, fmt.Sprintf(source, lines[0], lines[2], lines[1], lines[3]))
			got := test.got(c.APIs()[0])
			if got != want {
				t.Errorf("%s at the first %d levels: %s, want %s", test.key, written, got, want)
			}
		}
	}
}

func TestTimeoutFollowsInterval(t *testing.T) {
	c := load(t, "institutions: {uio: {interval: 10s, apis: {org: {request: {path: /}, key_file: k}}}}\n")
	if got := c.Checks()[0].Timeout; got != 10*time.Second {
		t.Errorf("timeout %s, want 10s", got)
	}
}

func TestMappingsMerge(t *testing.T) {
	c := load(t, `
apis:
  org:
    request:
      path: /org/
      method: POST
      headers: {X-A: shared, X-B: shared}
      body_file: none.json
    expect: {status: [200, 201], headers: {X-Source: dfo}}
institutions:
  uio:
    contact: all@example.no
    apis:
      org:
        contact: org@example.no
        key_file: k
        request: {headers: {x-a: own, X-C: own}, body: '{}'}
        expect: {status: [204]}
`)
	a := c.APIs()[0]
	want := Request{Method: "POST", Path: "/org/", Body: "…", Headers: []Header{
		{"Content-Type", "application/json"}, {"X-B", "shared"}, {"X-C", "own"}, {"X-Gravitee-Api-Key", "<secret>"}, {"x-a", "own"},
	}}
	diff := cmp.Diff(want, a.Request)
	if diff != "" {
		t.Error(diff)
	}
	diff = cmp.Diff([]int{204}, a.sealed().expect.Status)
	if diff != "" {
		t.Error(diff)
	}
	if !a.sealed().expect.Headers["X-Source"].MatchString("dfo") || a.Contact != "org@example.no" {
		t.Errorf("headers %v, contact %s", a.sealed().expect.Headers, a.Contact)
	}
}

func TestTLSMergesKeyByKey(t *testing.T) {
	dir := write(t, "")
	c := load(t, `
defaults: {tls: {server_name: defaults}}
apis: {org: {request: {path: /}, tls: {server_name: api}}}
institutions:
  uio:
    tls: {server_name: institution, ca_file: ca.pem}
    apis: {org: {key_file: k}}
    rabbitmq: [{application: a, password_file: k}, {application: b, password_file: k, tls: {server_name: own}}]
`, [2]string{"ca.pem", testCA})
	got := []string{c.APIs()[0].TLS.ServerName, c.RabbitMQ[0].TLS.ServerName, c.RabbitMQ[1].TLS.ServerName}
	diff := cmp.Diff([]string{"api", "institution", "own"}, got)
	if diff != "" {
		t.Error(diff)
	}
	for _, files := range []string{c.APIs()[0].TLS.CAFile, c.RabbitMQ[1].TLS.CAFile} {
		if len(files) < len(dir) {
			t.Errorf("ca_file is lost or not resolved: %q", files)
		}
	}
}

func TestUnauthenticated(t *testing.T) {
	for _, test := range []struct {
		api, own string
		want     Unauthenticated
	}{
		{"", "", Unauthenticated{true, []int{401}, 15 * time.Minute, 15 * time.Second}},
		{"unauthenticated: false", "", Unauthenticated{false, []int{401}, 15 * time.Minute, 15 * time.Second}},
		{"unauthenticated: false", "unauthenticated: {interval: 5s}", Unauthenticated{true, []int{401}, 5 * time.Second, 5 * time.Second}},
		{"unauthenticated: {status: [401, 403]}", "unauthenticated: {interval: 1h}", Unauthenticated{true, []int{401, 403}, time.Hour, 15 * time.Second}},
		{"unauthenticated: {status: [403]}", "unauthenticated: false", Unauthenticated{false, []int{403}, 15 * time.Minute, 15 * time.Second}},
		{"unauthenticated: false", "unauthenticated: true", Unauthenticated{true, []int{401}, 15 * time.Minute, 15 * time.Second}},
		{"unauthenticated: false", "unauthenticated: ", Unauthenticated{false, []int{401}, 15 * time.Minute, 15 * time.Second}},
	} {
		c := load(t, "apis: {org: {request: {path: /}, "+test.api+"}}\ninstitutions: {uio: {apis: {org: {key_file: k, "+test.own+"}}}}\n")
		diff := cmp.Diff(test.want, c.APIs()[0].Unauthenticated)
		if diff != "" {
			t.Errorf("%q, %q: %s", test.api, test.own, diff)
		}
	}
}

func TestOwnAPIStandsAlone(t *testing.T) {
	c := load(t, "institutions: {uio: {apis: {own: {request: {path: /own}, key_file: k}}}}\n")
	a := c.APIs()[0]
	want := [5]string{"uio", "own", "https://gw-uio.intark.uh-it.no:443", "gw-uio.intark.uh-it.no:443", "/own"}
	got := [5]string{a.InstitutionTitle, a.Title, a.Address, a.Host, a.Request.Path}
	if got != want {
		t.Errorf("%v, want %v", got, want)
	}
}
