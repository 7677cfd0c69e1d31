package probe

import (
	"context"
	"crypto/subtle"
	"maps"
	"net/http"
	"slices"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// Auth is the Prober of kind auth, the documented negative test: the request
// without a key, and with a wrong one, must be refused.
type Auth struct {
	client
	keyHeader string
	key       secret.Source // nil: the request carries none
	refusals  []int
}

// NewAuth returns the prober that sends request first without the key that it
// carries in keyHeader, then with a random one there. Only an answer with a
// status among refusals is right. All other headers, secret ones too, are sent.
func NewAuth(request Request, keyHeader string, refusals []int, transport *Transport, shared *Shared) *Auth {
	key := request.Secrets[keyHeader]
	request.Secrets = maps.Clone(request.Secrets)
	// Under whatever name: a second header may carry the same key.
	maps.DeleteFunc(request.Secrets, func(_ string, source secret.Source) bool { return source == key })
	return &Auth{client{request, transport, shared}, keyHeader, key, refusals}
}

// Probe implements Prober. It observes the request that decided: the first
// that was not refused, else the second. It observes no phases, since they
// would be those of one of two requests.
func (a *Auth) Probe(ctx context.Context) (Observation, error) {
	seen, err := a.attempt(ctx, "without a key", func(http.Header) {})
	if err == nil {
		seen, err = a.attempt(ctx, "with a wrong key", func(h http.Header) { h[a.keyHeader] = []string{newUUID()} })
	}
	seen.Phases, seen.Elapsed = Phases{}, 0
	return seen, err
}

// attempt sends the request with what edit makes of its header; how says that in words.
func (a *Auth) attempt(ctx context.Context, how string, edit func(http.Header)) (Observation, error) {
	withoutKey := func(h http.Header) {
		a.dropKey(h)
		edit(h)
	}
	return a.ask(ctx, withoutKey, func(t *trace, resp *http.Response, seen *Observation) error {
		t.observe(seen)
		return a.judge(t.ctx, resp, seen, how)
	})
}

// dropKey takes out what holds the real key though it comes from another source.
func (a *Auth) dropKey(h http.Header) {
	if a.key == nil {
		return
	}
	key, err := a.key.Read()
	if err != nil {
		return // then it cannot be known, nor is it what the api is asked with
	}
	for name := range a.request.Secrets {
		if subtle.ConstantTimeCompare([]byte(h[name][0]), []byte(key.Reveal())) == 1 {
			delete(h, name)
		}
	}
}

// judge reads a body only where it tells who made an error; never that of a
// 2xx, which may be everybody's data.
func (a *Auth) judge(ctx context.Context, resp *http.Response, seen *Observation, how string) error {
	status := resp.StatusCode
	switch {
	case slices.Contains(a.refusals, status):
		return nil
	case status >= 200 && status < 300:
		return Fail(ReasonNotRefused, "HTTP status %d %s", status, how)
	case status == http.StatusForbidden:
		return Fail(ReasonStatus, "HTTP status %d", status)
	}
	body := a.shared.buffer()
	defer a.shared.put(body)
	err := readOrigin(resp, body)
	seen.Size = int64(body.Len())
	if err != nil {
		return unreadable(ctx, err)
	}
	return unexpected(status, originOf(resp, body.Bytes()))
}
