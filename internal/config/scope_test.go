package config

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// own returns a configuration of one institution with these lines of one API of its own.
func own(lines ...string) string {
	return "institutions:\n  uio:\n    apis:\n      org:\n        key_file: k\n        " + strings.Join(lines, "\n        ") + "\n"
}

func TestRequest(t *testing.T) {
	key := Header{"X-Gravitee-Api-Key", "<secret>"}
	for _, test := range []struct {
		name, lines string
		want        Request
	}{
		{"least", "request: {path: /}", Request{"GET", "/", []Header{key}, ""}},
		{"query", "request: {path: '/a%20b?x=1&y'}", Request{"GET", "/a%20b?x=1&y", []Header{key}, ""}},
		{"private", "request: {path: /18906299204, private: true}", Request{"GET", "…", []Header{key}, ""}},
		{"JSON body", "request: {path: /, method: POST, body: '[1]'}", Request{"POST", "/", []Header{{"Content-Type", "application/json"}, key}, "…"}},
		{"other body", "request: {path: /, method: PUT, body: <a/>}", Request{"PUT", "/", []Header{key}, "…"}},
		{"typed body", "request: {path: /, body: '1', headers: {content-type: text/x}}", Request{"GET", "/", []Header{key, {"content-type", "text/x"}}, "…"}},
		{"accept", "request: {path: /, headers: {accept: application/json}}", Request{"GET", "/", []Header{key}, ""}},
		{"cache", "request: {path: /, bypass_cache: true}", Request{"GET", "/", []Header{key, {"X-Gravitee-Cache", "BY_PASS"}}, ""}},
		{"secret header", "request: {path: /, secret_headers: {iss: {file: k}}}", Request{"GET", "/", []Header{key, {"iss", "<secret>"}}, ""}},
		{"key header", "request: {path: /}\n        key_header: X-Key", Request{"GET", "/", []Header{{"X-Key", "<secret>"}}, ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			a := load(t, own(test.lines)).APIs()[0]
			diff := cmp.Diff(test.want, a.Request)
			if diff != "" {
				t.Error(diff)
			}
			value, err := a.sealed().request.Secrets[a.KeyHeader].Read()
			if err != nil || value.Reveal() != "not-a-real-key" {
				t.Errorf("the key is not under %s: %v", a.KeyHeader, err)
			}
		})
	}
}

func TestExpect(t *testing.T) {
	for _, test := range []struct {
		lines string
		want  probe.Expect
	}{
		{"request: {path: /}", probe.Expect{Status: []int{200}, JSON: true, MaxBody: 10 << 20}},
		{"request: {path: /, method: HEAD}", probe.Expect{Status: []int{200}, MaxBody: 10 << 20}},
		{"request: {path: /}\n        expect: {json: false, max_duration: 3s}", probe.Expect{Status: []int{200}, MaxBody: 10 << 20, MaxDuration: 3 * time.Second}},
		{"request: {path: /}\n        expect: {jq: length > 0}", probe.Expect{Status: []int{200}, JSON: true, MaxBody: 1 << 20}},
		{"request: {path: /}\n        expect: {jq: length > 0}\n        max_body_size: 3MiB", probe.Expect{Status: []int{200}, JSON: true, MaxBody: 3 << 20}},
	} {
		got := load(t, own(test.lines)).APIs()[0].sealed().expect
		diff := cmp.Diff(test.want, got, cmpopts.IgnoreFields(probe.Expect{}, "JQ"), cmpopts.EquateEmpty())
		if diff != "" || (got.JQ != nil) != strings.Contains(test.lines, "jq") {
			t.Errorf("%s: jq %v\n%s", test.lines, got.JQ != nil, diff)
		}
	}
}

func TestGateways(t *testing.T) {
	for gateway, want := range map[string][3]string{
		"https://GW.example.no":                 {"https://gw.example.no:443", "gw.example.no:443", "/v1"},
		"http://127.0.0.1:8080/":                {"http://127.0.0.1:8080", "127.0.0.1:8080", "/v1"},
		"https://[::1]:8443/lab/{institution}/": {"https://[::1]:8443", "[::1]:8443", "/lab/uio/v1"},
		"http://[::1]":                          {"http://[::1]:80", "[::1]:80", "/v1"},
	} {
		a := load(t, "defaults: {gateway: '"+gateway+"'}\n"+own("request: {path: /v1}")).APIs()[0]
		if got := [3]string{a.Address, a.Host, a.Request.Path}; got != want {
			t.Errorf("%s: %v, want %v", gateway, got, want)
		}
	}
}

func TestBrokers(t *testing.T) {
	const entries = "rabbitmq: [{application: a, password_file: k}, {application: b, password_file: k, url: 'amqps://{institution}.own.no:1'}]"
	for lines, want := range map[string]string{
		"uio: {" + entries + "}":                                  "amqps://mq-uio.intark.uh-it.no:5671",
		"uio: {broker: 'amqps://MQ.example.no', " + entries + "}": "amqps://mq.example.no:5671",
	} {
		c := load(t, "institutions:\n  "+lines+"\n")
		if got := [2]string{c.RabbitMQ[0].Address, c.RabbitMQ[1].Address}; got != [2]string{want, "amqps://uio.own.no:1"} {
			t.Errorf("%s: %v", lines, got)
		}
	}
}

func TestOtherKinds(t *testing.T) {
	t.Setenv("INTEGRA_TEST_PASSWORD", "p")
	c := load(t, `
institutions:
  uio:
    title: Oslo
    rabbitmq:
      - {application: app, password_env: INTEGRA_TEST_PASSWORD, publishes: true, subscribes_to: [fs]}
      - {application: b, password_file: k, vhost: v, username: u, url: "amqp://127.0.0.1/", queues: [q], exchanges: [e], roundtrip: true, interval: 5m, timeout: 20s}
    keys: [{name: cert, certificate_file: p12, certificate_password_file: k}, {name: m, title: M, contact: C, expires: 2027-01-15, interval: 5s}]
    gravitee: {url: "https://api.example.no/management", application: a, token_file: k, interval: 2h}
`, [2]string{"p12", enterprise(t, "not-a-real-key")})
	dir := filepath.Dir(c.Keys[0].Files[0])
	rabbits := []RabbitMQ{{
		Check: probe.Check{Target: probe.Target{Institution: "uio", Kind: "rabbitmq", Name: "app"}, Info: probe.Info{InstitutionTitle: "Oslo", Title: "app", Address: "amqps://mq-uio.intark.uh-it.no:5671"}, Interval: time.Minute, Timeout: 15 * time.Second, Host: "mq-uio.intark.uh-it.no:5671"},
		URL:   &url.URL{Scheme: "amqps", Host: "mq-uio.intark.uh-it.no:5671"}, VHost: "app", Username: "app", Password: secret.Env("INTEGRA_TEST_PASSWORD"), Publishes: true, SubscribesTo: []string{"fs"},
	}, {
		Check: probe.Check{Target: probe.Target{Institution: "uio", Kind: "rabbitmq", Name: "b"}, Info: probe.Info{InstitutionTitle: "Oslo", Title: "b", Address: "amqp://127.0.0.1:5672"}, Interval: 5 * time.Minute, Timeout: 20 * time.Second, Host: "127.0.0.1:5672"},
		URL:   &url.URL{Scheme: "amqp", Host: "127.0.0.1:5672"}, VHost: "v", Username: "u", Password: secret.NewFile(dir + "/k"), Exchanges: []string{"e"}, Queues: []string{"q"}, RoundTrip: true,
	}}
	keys := []Key{
		{Check: probe.Check{Target: probe.Target{Institution: "uio", Kind: "key", Name: "cert"}, Info: probe.Info{InstitutionTitle: "Oslo", Title: "cert"}, Interval: time.Hour, Timeout: 15 * time.Second}, Files: []string{dir + "/p12", dir + "/k"}},
		{Check: probe.Check{Target: probe.Target{Institution: "uio", Kind: "key", Name: "m"}, Info: probe.Info{InstitutionTitle: "Oslo", Title: "M", Contact: "C"}, Interval: 5 * time.Second, Timeout: 5 * time.Second}},
	}
	managers := []Gravitee{{Institution: "uio", URL: &url.URL{Scheme: "https", Host: "api.example.no", Path: "/management"}, Application: "a", Token: secret.NewFile(dir + "/k"), Interval: 2 * time.Hour, Organization: "DEFAULT", Environment: "DEFAULT"}}
	sources := cmp.Comparer(func(a, b secret.Source) bool {
		return (a == nil) == (b == nil) && (a == nil || a.String() == b.String())
	})
	diff := cmp.Diff([]any{rabbits, keys, managers}, []any{c.RabbitMQ, c.Keys, c.Gravitee}, sources, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(probe.Check{}, "Version", "Prober"))
	if diff != "" {
		t.Error(diff)
	}
}

func TestExpiry(t *testing.T) {
	for text, want := range map[string]Expiry{
		"2027-03-01":                {Date: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)},
		"2027-03-01T01:00:00+01:00": {Date: time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)},
		"never":                     {Never: true},
	} {
		got := load(t, own("request: {path: /}", "key_expires: "+text)).APIs()[0].KeyExpires
		if got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// What stands in two lists is asked for once: as two it would be two series of the same labels.
func TestBrokerNamesOnce(t *testing.T) {
	m := RabbitMQ{
		Check: probe.Check{Target: probe.Target{Name: "app"}}, Publishes: true, Exchanges: []string{"outgoing_app", "e", "e"},
		SubscribesTo: []string{"fs"}, Queues: []string{"from_fs"},
	}
	b := m.broker()
	diff := cmp.Diff([][]string{{"outgoing_app", "e"}, {"from_fs"}}, [][]string{b.Exchanges, b.Queues})
	if diff != "" {
		t.Error(diff)
	}
}
