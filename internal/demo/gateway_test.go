package demo

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDocumentedRequests(t *testing.T) {
	p := start(t, quick())
	if n := len(p.Targets()); n < 20 {
		t.Fatalf("%d targets, want at least 20", n)
	}
	for _, target := range p.Targets() {
		for proto, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
			response, err := client(t, p, target.Institution, http2).Do(documented(t, p, target.Institution, target.API))
			if err != nil {
				t.Errorf("%v: %v", target, err)
				continue
			}
			var anything any
			err = json.NewDecoder(response.Body).Decode(&anything)
			_ = response.Body.Close()
			if response.StatusCode != 200 || response.Proto != proto || err != nil {
				t.Errorf("%v over %s: %s %s, JSON: %v", target, proto, response.Proto, response.Status, err)
			}
		}
	}
}

func TestRules(t *testing.T) {
	p := start(t, quick())
	noKey := failure(401, `{"message":"Unauthorized","http_status_code":401}`, "Unauthorized")
	path := func(s string) func(*http.Request) { return func(r *http.Request) { r.URL.Path = s } }
	header := func(k, v string) func(*http.Request) { return func(r *http.Request) { r.Header.Set(k, v) } }
	key := func(institution, api string) func(*http.Request) {
		return header("X-Gravitee-Api-Key", p.Key(institution, api))
	}
	const gone = `{"error":"not_found"}`
	for _, test := range []struct {
		name, api string
		change    func(*http.Request)
		want      answer
	}{
		{"no key", "krr", func(r *http.Request) { r.Header.Del("X-Gravitee-Api-Key") }, noKey[0]},
		{"empty key", "krr", header("X-Gravitee-Api-Key", ""), noKey[0]},
		{"no key, any type", "krr", func(r *http.Request) {
			r.Header.Set("Accept", "*/*")
			r.Header.Del("X-Gravitee-Api-Key")
		}, noKey[0]},
		{"no key, no Accept", "krr", func(r *http.Request) {
			r.Header.Del("Accept")
			r.Header.Del("X-Gravitee-Api-Key")
		}, noKey[1]},
		{"no key, a longer Accept, looked into", "krr", func(r *http.Request) {
			r.Header.Set("Accept", "application/json, text/plain")
			r.Header.Del("X-Gravitee-Api-Key")
		}, noKey[0]},
		{"unknown key", "krr", header("X-Gravitee-Api-Key", "x"), wantAnswers[KeyRejected][0]},
		{"another API's key", "krr", key("ntnu", "ansatte"), wantAnswers[KeyRejected][0]},
		{"another institution's key", "krr", key("uio", "krr"), wantAnswers[KeyRejected][0]},
		{"another plan's key on the same context path", "ansatte", key("ntnu", "stillinger"), wantAnswers[ResourceForbidden][0]},
		{"a path outside every plan", "ansatte", path("/lonn/v1/ansattefravar"), wantAnswers[ResourceForbidden][0]},
		{"a method outside the plan", "ansatte", func(r *http.Request) { r.Method = http.MethodPut }, wantAnswers[MethodForbidden][0]},
		{"the longest context path", "fs-gemini", key("ntnu", "fs-emner"), wantAnswers[KeyRejected][0]},
		{"no context path", "krr", path("/test/digidir/krr/personer"), wantAnswers[UnknownContextPath][0]},
		{"a context path ends at a slash", "inspera", path("/inspera2/v1/"), wantAnswers[UnknownContextPath][0]},
		{"root", "krr", path("/"), wantAnswers[UnknownContextPath][0]},
		{"unknown to the backend", "inspera", path("/inspera/v9/"), passed(404, "application/json", gone)[0]},
		{
			"a method unknown to the backend", "inspera", func(r *http.Request) { r.Method = http.MethodPut },
			passed(404, "application/json", gone)[0],
		},
		{
			"a header missing", "maskinporten", func(r *http.Request) { r.Header.Del("scope") },
			passed(400, "application/json", `{"error":"invalid_request"}`)[0],
		},
		{
			"the body missing", "krr", func(r *http.Request) { r.Body, r.ContentLength = nil, 0 },
			passed(400, "application/json", `{"error":"invalid_request"}`)[0],
		},
		{"a trailing slash", "inspera", path("/inspera/v1/users/00000000/"), passed(200, "application/json", `{"status":"ok"}`)[0]},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := documented(t, p, "ntnu", test.api)
			test.change(r)
			got := mustSend(t, client(t, p, "ntnu", false), r)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRequestsByKey(t *testing.T) {
	p := start(t, quick())
	c := client(t, p, "uio", false)
	for _, key := range []string{p.Key("uio", "krr"), "x", ""} {
		r := documented(t, p, "uio", "krr")
		r.Header.Del("X-Gravitee-Api-Key")
		if key != "" {
			r.Header.Set("X-Gravitee-Api-Key", key)
		}
		mustSend(t, c, r)
	}
	got := []int{p.Requests("uio", "krr"), p.KeyedRequests("uio", "krr"), p.KeylessRequests("uio", "krr")}
	if diff := cmp.Diff([]int{3, 1, 1}, got); diff != "" {
		t.Errorf("all, with the key, without any (-want +got):\n%s", diff)
	}
}

func TestLimitsCountDown(t *testing.T) {
	p := start(t, quick())
	c := client(t, p, "uio", false)
	for _, test := range []struct {
		api, header, limit string
		window             time.Duration
		remaining          []string
	}{
		{"organisasjoner", "X-Rate-Limit", "600", time.Minute, []string{"599", "598"}},
		{"fs-emner", "X-Quota", "50000", 24 * time.Hour, []string{"49999", "49998"}},
	} {
		for _, remaining := range test.remaining {
			got := soon(mustSend(t, c, documented(t, p, "uio", test.api)), test.window).Header
			want := headers(test.header+"-Limit", test.limit, test.header+"-Remaining", remaining, test.header+"-Reset", "soon")
			for name := range want {
				if got.Get(name) != want.Get(name) {
					t.Errorf("%s: %s: %q, want %q", test.api, name, got.Get(name), want.Get(name))
				}
			}
		}
	}
}

func TestTransactionIDIsMadeWhenMissing(t *testing.T) {
	p := start(t, quick())
	r := documented(t, p, "uio", "krr")
	r.Header.Del("X-Gravitee-Transaction-Id")
	id := mustSend(t, client(t, p, "uio", false), r).Header.Get("X-Gravitee-Transaction-Id")
	if len(id) != 36 || strings.Count(id, "-") != 4 || id[14] != '4' {
		t.Errorf("transaction id %q is no UUID", id)
	}
}

func TestKeysAreDistinct(t *testing.T) {
	p := start(t, quick())
	seen := map[string]Target{}
	for _, target := range p.Targets() {
		key := p.Key(target.Institution, target.API)
		if other, ok := seen[key]; ok || key == "" {
			t.Errorf("%v and %v share the key", target, other)
		}
		seen[key] = target
	}
}
