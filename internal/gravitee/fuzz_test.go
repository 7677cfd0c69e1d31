package gravitee

import (
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// scripted is what a Gravitee answers that can be told otherwise at any time.
type scripted struct {
	mu         sync.Mutex
	status     int
	list, keys []byte
}

func (s *scripted) tell(status int, list, keys []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.list, s.keys = status, list, keys
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.URL.Path == list {
		w.WriteHeader(s.status)
		_, _ = w.Write(s.list)
		return
	}
	_, _ = w.Write(s.keys)
}

const bird = "kanarifugl-key"

// answersOfGravitee are a list and the keys of a subscription, in the dialects that are known, and errors.
func answersOfGravitee() [][2]string {
	return [][2]string{
		{oneSubscription, `[{"key":"` + bird + `","created_at":1700000000000,"expire_at":1900000000000,"revoked":false,"subscriptions":[{"id":"s"},{"id":"t"}]}]`},
		{oneSubscription, `[{"key":"` + bird + `","subscription":"s","created_at":"1700000000000","expire_at":"2030-01-01T00:00:00Z","expired":true,"paused":true}]`},
		{
			`{"data":[{"id":"s","api":"a","plan":"p","status":"PAUSED","ending_at":1e15}],"metadata":{"a":{"name":"` + bird + `"}}}`,
			`{"context_path":"/a","proxy":{"virtual_hosts":[{"path":"/b/"}]}}`,
		},
		{`{"message":"` + bird + `","technicalCode":"application.notFound","http_status":404}`, `null`},
		{`{"errors":[{"message":"` + bird + `"}]}`, `[{"key":["` + bird + `"]}]`},
		{oneSubscription, `[{"key":["` + bird + `"]}]`},
		{"<html>" + bird, `[{"key":"` + bird + `","created_at":-1e300}]`},
		{oneSubscription, "[" + strings.Repeat(`[`, 500) + bird},
	}
}

// FuzzReading holds that whatever an API manager answers becomes a reading or
// an error of a closed kind, that neither prints a key, and that a key is found
// again by its value alone.
func FuzzReading(f *testing.F) {
	for i, answers := range answersOfGravitee() {
		f.Add(uint16(0), []byte(answers[0]), []byte(answers[1]))
		f.Add([]uint16{1, 2, 101, 201, 202, 203, 204, 229}[i], []byte(answers[0]), []byte(answers[1]))
	}
	gravitee := &scripted{}
	server := httptest.NewServer(gravitee)
	f.Cleanup(server.Close)
	c := New(Options{URL: &url.URL{Scheme: "http", Host: server.Listener.Addr().String(), Path: "/management"}, Application: "app", Token: literal(token), Timeout: 10 * time.Second})
	f.Cleanup(c.Close)
	f.Fuzz(func(t *testing.T, status uint16, list, keys []byte) {
		gravitee.tell(http.StatusOK+int(status)%400, list, keys)
		reading, err := c.Read(t.Context())
		if !slices.Contains(kinds(), kindOf(t, err)) {
			t.Errorf("kind %q is none of the set", kindOf(t, err))
		}
		apis, pathErr := c.ReadAPIs(t.Context(), []string{"a"})
		where := apis["a"].Path("gw")
		if where != "" && (!strings.HasPrefix(where, "/") || strings.ContainsAny(where, "?#%: \n\"'{}\\") || strings.Contains(where, "//") || strings.Contains(where, "..")) {
			t.Errorf("context path %q", where)
		}
		disclosed, discloseErr := c.Disclose(t.Context(), Subscription{ID: "s"}, sha256.Sum256([]byte(bird)))
		found := reading.Match(secret.New(bird), nil).Standing != Unknown
		if discloseErr == nil && disclosed.Reveal() != bird {
			t.Errorf("disclosed %q", disclosed.Reveal())
		}
		if found && !slices.ContainsFunc(reading.Keys, func(k Key) bool { return k.Hash == sha256.Sum256([]byte(bird)) }) {
			t.Error("a key was found that is not there")
		}
		for i := range reading.Keys {
			reading.Keys[i].Subscriptions = nil // the only foreign text there
		}
		for _, v := range []any{err, pathErr, discloseErr, disclosed, reading.Keys} {
			if strings.Contains(prints(v), bird) {
				t.Errorf("%T prints a key: %s", v, prints(v))
			}
		}
	})
}

func kinds() []Kind {
	return []Kind{"", TokenUnreadable, Unreachable, TLS, Timeout, TokenRejected, Forbidden, NotFound, ServerError, Invalid}
}
