package gravitee

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

const (
	apis       = "/management/organizations/DEFAULT/environments/DEFAULT/apis"
	definition = apis + "/a"
)

func TestWhereAnAPIIs(t *testing.T) {
	host := func(path string) string { return `{"proxy":{"virtual_hosts":[{"path":"` + path + `"}]}}` }
	for answer, want := range map[string]string{
		host("/lonn/v1"):         "/lonn/v1",
		host("/lonn/v1/"):        "/lonn/v1",
		host("/a.b/c_d/~e-f"):    "/a.b/c_d/~e-f",
		`{"context_path":"/fs"}`: "/fs",
		`{"context_path":"/a","proxy":{"virtual_hosts":[{"path":"/b"}]}}`:                   "/b",
		`{"context_path":"/a","proxy":{"virtual_hosts":[]}}`:                                "/a",
		`{"virtual_hosts":[{"host":"gw-a.test","path":"/a"},{"path":"/b"}]}`:                "/b",
		`{"virtual_hosts":[{"path":"/b"},{"host":"GW-UIO.test","path":"/a"}]}`:              "/a",
		`{"context_path":"/a","virtual_hosts":[{"host":"gw-a.test","path":"/a"}]}`:          "", // of another gateway
		`{"virtual_hosts":[{"host":"gw-uio.test","path":"/a"},{"host":"x","path":"/b/c"}]}`: "/a",
		// What is none, or could be more than one in a URL or a configuration.
		"{}": "", host(""): "", host("/"): "", host("x"): "", host("//evil.example.no"): "", host("/../x"): "", host("/x/.."): "",
		host("/a b"): "", host("/a?b"): "", host("/a#b"): "", host("/a%2fb"): "", host("/a: b"): "", host("/{a}"): "", host(`/a\nb`): "",
		host("/" + strings.Repeat("a", 300)): "",
	} {
		got, err := serving(t, answering(map[string]string{definition: answer})).ReadAPIs(t.Context(), []string{"a"})
		if got["a"].Path("gw-uio.test") != want || err != nil {
			t.Errorf("%s: %q %v, want %q", answer, got["a"].Path("gw-uio.test"), err, want)
		}
	}
}

// The list is asked for once, and each API that is missing there; no failure of these is one.
func TestReadAPIs(t *testing.T) {
	const a, b = `{"id":"a","context_path":"/a","state":"STOPPED"}`, `{"id":"b","context_path":"/b"}`
	both := map[string]API{"a": {Entrances: []Entrance{{Path: "/a"}}, Stopped: true}, "b": {Entrances: []Entrance{{Path: "/b"}}}}
	for name, test := range map[string]struct {
		list, two string // of pages
		asked     int
		want      map[string]API
	}{
		"an array":        {"[" + a + "," + b + "]", "", 1, both},
		"two pages":       {`{"data":[` + a + `],"page":{"total_pages":2}}`, `{"data":[` + b + `],"page":{"total_pages":2}}`, 2, both},
		"one is missing":  {"[" + b + "]", "", 2, both},
		"other JSON":      {"7", "", 3, both},
		"no list":         {"", "", 3, both},
		"an endless list": {`{"data":[],"page":{"total_pages":1000000}}`, `{"data":[],"page":{"total_pages":1000000}}`, maxPages + 2, both},
	} {
		asked := 0
		c := serving(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			list := test.list
			if r.URL.Query().Get("page") != "" {
				list = test.two
			}
			answers := map[string]string{definition: a, apis + "/b": b}
			if list != "" {
				answers[apis] = list
			}
			answering(answers)(w, r)
		})
		got, err := c.ReadAPIs(t.Context(), []string{"a", "b"})
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil || asked != test.asked {
			t.Errorf("%s: %v, %d requests, want %d (-want +got):\n%s", name, err, asked, test.asked, diff)
		}
	}
}

func TestAPIsThatCannotBeRead(t *testing.T) {
	for _, status := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusUnauthorized, http.StatusInternalServerError, http.StatusFound} {
		c := serving(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		got, err := c.ReadAPIs(t.Context(), []string{"a"})
		if len(got) > 0 || err != nil {
			t.Errorf("%d: %v %v", status, got, err)
		}
	}
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != apis {
			t.Errorf("asked for %s", r.URL)
		}
		w.WriteHeader(http.StatusNotFound)
	})
	got, err := c.ReadAPIs(t.Context(), []string{"", "..", "a/../../subscriptions", "a?b", "é"})
	if len(got) > 0 || err != nil {
		t.Errorf("%v %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.ReadAPIs(ctx, []string{"a"})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}

func TestDiscloseInEveryDialect(t *testing.T) {
	for name, dialect := range dialects {
		p := platform(t, demo.Options{Gravitee: dialect})
		p.Renew(uio, "krr")
		c := New(options(t, p))
		defer c.Close()
		reading := mustRead(t, c)
		found := map[string]string{}
		for _, s := range reading.Subscriptions {
			k, ok := reading.Newest(s)
			value, err := c.Disclose(t.Context(), s, k.Hash)
			if !ok || err != nil {
				t.Fatalf("%s: %s: %t %v", name, s.PlanName, ok, err)
			}
			found[s.PlanName] = value.Reveal()
			if said := prints(value); strings.Contains(said, value.Reveal()) || !strings.Contains(said, secret.Placeholder) {
				t.Fatal("a disclosed key prints as itself")
			}
		}
		want := map[string]string{}
		for _, target := range p.Targets() {
			if target.Institution == uio {
				want[target.API] = p.Key(uio, target.API)
			}
		}
		if !cmp.Equal(want, found) {
			t.Errorf("%s: other keys than the newest, or under other plans", name)
		}
	}
}

func TestDiscloseFails(t *testing.T) {
	const canary = "canary"
	wanted := Hash(sha256.Sum256([]byte(canary)))
	broken := Hash(sha256.Sum256([]byte("a\nb")))
	for answer, want := range map[string]struct {
		hash Hash
		text string
	}{
		`[]`:                             {wanted, "not_found: a key is gone that was there a moment ago"},
		`[{"key":"canary2"}]`:            {wanted, "not_found: a key is gone that was there a moment ago"},
		`[{"key":""}]`:                   {Hash{}, "not_found: a key is gone that was there a moment ago"},
		`[{"key":"a\nb"}]`:               {broken, "invalid: a key is empty or not on one line"},
		`[{"key":["canary"]}]`:           {wanted, "invalid: the answer is JSON, but not in the form"},
		`{"canary":1}`:                   {wanted, "invalid: the answer is JSON, but not in the form"},
		`[{"key":"canary"},{"key":null}`: {wanted, "invalid: the answer is not JSON"},
	} {
		c := serving(t, answering(map[string]string{list + "/s/apikeys": answer}))
		value, err := c.Disclose(t.Context(), Subscription{ID: "s"}, want.hash)
		if value.Reveal() != "" || err == nil || !strings.HasPrefix(err.Error(), want.text) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v, want %s", answer, err, want.text)
		}
	}
}
