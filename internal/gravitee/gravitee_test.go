package gravitee

import (
	"crypto/sha256"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

const definition = "/management/organizations/DEFAULT/environments/DEFAULT/apis/a"

func TestContextPath(t *testing.T) {
	host := func(path string) string { return `{"proxy":{"virtual_hosts":[{"path":"` + path + `"}]}}` }
	for answer, want := range map[string]string{
		host("/lonn/v1"):         "/lonn/v1",
		host("/lonn/v1/"):        "/lonn/v1",
		host("/a.b/c_d/~e-f"):    "/a.b/c_d/~e-f",
		`{"context_path":"/fs"}`: "/fs",
		`{"context_path":"/a","proxy":{"virtual_hosts":[{"path":"/b"}]}}`: "/b",
		`{"context_path":"/a","proxy":{"virtual_hosts":[]}}`:              "/a",
		// What is none, or could be more than one in a URL or a configuration.
		"{}": "", host(""): "", host("/"): "", host("x"): "", host("//evil.example.no"): "", host("/../x"): "", host("/x/.."): "",
		host("/a b"): "", host("/a?b"): "", host("/a#b"): "", host("/a%2fb"): "", host("/a: b"): "", host("/{a}"): "", host(`/a\nb`): "",
		host("/" + strings.Repeat("a", 300)): "",
	} {
		got, err := serving(t, answering(map[string]string{definition: answer})).ContextPath(t.Context(), "a")
		if got != want || err != nil {
			t.Errorf("%s: %q %v, want %q", answer, got, err, want)
		}
	}
}

func TestContextPathThatIsNotToBeKnown(t *testing.T) {
	for status, want := range map[int]Kind{
		http.StatusForbidden: "", http.StatusNotFound: "",
		http.StatusUnauthorized: TokenRejected, http.StatusInternalServerError: ServerError, http.StatusFound: Invalid,
	} {
		c := serving(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		got, err := c.ContextPath(t.Context(), "a")
		if got != "" || kindOf(t, err) != want {
			t.Errorf("%d: %q, kind %q, want %q", status, got, kindOf(t, err), want)
		}
	}
	asked := false
	c := serving(t, func(http.ResponseWriter, *http.Request) { asked = true })
	for _, id := range []string{"", "..", "a/../../subscriptions", "a?b", "é"} {
		got, err := c.ContextPath(t.Context(), id)
		if got != "" || err != nil || asked {
			t.Errorf("id %q: %q %v, asked: %t", id, got, err, asked)
		}
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
