package probe

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// Expect is what the answer must be.
type Expect struct {
	Status      []int
	JSON        bool
	JQ          *JQ // nil: none
	Headers     map[string]*regexp.Regexp
	MaxDuration time.Duration // zero: none
	MaxBody     int64         // bytes after decompression
}

// HTTP is the Prober of kind api.
type HTTP struct {
	client
	expect   Expect
	negative negative // asks how the API refuses, where that decides what its answer means
}

// NewHTTP returns the prober that sends request over transport and holds the answer against expect.
func NewHTTP(request Request, expect Expect, transport *Transport, shared *Shared) *HTTP {
	return &HTTP{newClient(request, transport, shared), expect, newNegative(request, transport, shared)}
}

// Probe implements Prober.
func (h *HTTP) Probe(ctx context.Context) (Observation, error) {
	return h.ask(ctx, func(http.Header) {}, h.judge)
}

// judge reads the answer and holds it against what is expected.
func (h *HTTP) judge(t *trace, resp *http.Response, seen *Observation) error {
	body := h.shared.buffer()
	defer h.shared.put(body)
	expected := slices.Contains(h.expect.Status, resp.StatusCode)
	err := h.read(resp, body, expected)
	t.end()
	t.observe(seen)
	seen.Size = int64(body.Len())
	var text []byte // what was read of an answer that may be the gateway's own
	if err == nil && resp.StatusCode >= http.StatusBadRequest {
		text = body.decisive()
	}
	got := newAnswer(resp, h.request.Method, text, &h.request.Names)
	known := h.known(t, resp, &got, err == nil && !expected)
	seen.KeyVerdict = proofOf(&got, known)
	switch {
	case errors.Is(err, errTooLarge):
		return Fail(ReasonTooLarge, "more than %d bytes", h.expect.MaxBody)
	case err != nil:
		return unreadable(t.ctx, err)
	case !expected:
		return failureOf(&got, known)
	}
	err = h.meets(t.ctx, resp.Header, body.Bytes(), seen.Elapsed)
	if err == nil && got.success() && h.request.Refusals != nil {
		h.request.Refusals.succeeded(got.client)
	}
	return err
}

func (h *HTTP) read(resp *http.Response, body *buffer, expected bool) error {
	if expected {
		return readBody(resp, body, h.expect.MaxBody)
	}
	return readUnexpected(resp, body)
}

// known returns what is known of how the API treats wrong keys. Where that is nothing and decides what an unexpected
// answer means, it asks: once, within half of the time that the run has left.
func (h *HTTP) known(t *trace, resp *http.Response, got *answer, unexpected bool) refusals {
	memory := h.request.Refusals
	if memory == nil {
		return refusals{}
	}
	known := memory.now()
	if !unexpected || known.known() || got.saysEnough() || !memory.worthAsking() {
		return known
	}
	_ = resp.Body.Close() // its connection may be used again
	ctx, cancel := withHalfOf(t.ctx)
	defer cancel()
	_, _ = h.negative.withWrongKey(ctx, func(*answer, error) error { return nil })
	return memory.now()
}

func withHalfOf(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(deadline)/2)
}

// meets holds a complete answer with an expected status against the rest of the expectations.
func (h *HTTP) meets(ctx context.Context, header http.Header, body []byte, elapsed time.Duration) error {
	if h.expect.JSON && !(utf8.Valid(body) && json.Valid(body)) { // encoding/json takes other bytes for U+FFFD
		return Fail(ReasonNotJSON, "%s", notJSON(body))
	}
	for name, pattern := range h.expect.Headers {
		if !slices.ContainsFunc(header.Values(name), pattern.MatchString) {
			return Fail(ReasonExpectation, "header %s does not match", name)
		}
	}
	if h.expect.JQ != nil {
		err := h.expect.JQ.holds(ctx, body, h.shared)
		if errors.Is(ctx.Err(), context.Canceled) {
			return context.Canceled
		}
		if err != nil {
			return err
		}
	}
	if h.expect.MaxDuration > 0 && elapsed > h.expect.MaxDuration {
		return Fail(ReasonSlow, "longer than %s", h.expect.MaxDuration)
	}
	return nil
}

func notJSON(body []byte) string {
	text := bytes.TrimSpace(body)
	switch {
	case len(text) == 0:
		return "the answer is empty"
	case bytes.HasPrefix(text, []byte("<")):
		return "the answer looks like HTML or XML"
	case !utf8.Valid(body):
		return "the answer is not UTF-8"
	}
	return "the answer is something else"
}

// Auth is the Prober of kind auth, the documented negative test: the request
// without a key, and with a wrong one, must be refused.
type Auth struct {
	negative
	refusals []int
}

// NewAuth returns the prober that sends request first without the key that it
// carries in KeyHeader, then with a random one there. Only an answer with a
// status among refusals is right. All other headers, secret ones too, are sent.
func NewAuth(request Request, refusals []int, transport *Transport, shared *Shared) *Auth {
	return &Auth{newNegative(request, transport, shared), refusals}
}

// Probe implements Prober. It observes the request that decided: the first
// that was not refused, else the second. It observes no phases, since they
// would be those of one of two requests.
func (a *Auth) Probe(ctx context.Context) (Observation, error) {
	seen, err := a.withoutKey(ctx, a.judge("without a key"))
	if err == nil {
		seen, err = a.withWrongKey(ctx, a.judge("with a wrong key"))
	}
	seen.Phases, seen.Elapsed = Phases{}, 0
	return seen, err
}

// judge returns what holds an answer against what is right; how says in words what was sent.
func (a *Auth) judge(how string) judgement {
	return func(got *answer, err error) error {
		switch {
		case slices.Contains(a.refusals, got.status):
			return nil
		case got.success():
			return Fail(ReasonNotRefused, "HTTP status %d %s", got.status, how)
		case err != nil:
			return err
		case got.status == http.StatusForbidden:
			return Fail(ReasonStatus, "HTTP status %d", got.status)
		}
		return failureOf(got, refusals{})
	}
}

// negative sends an API's request without its key or with a wrong one, and remembers the answers.
type negative struct {
	client
	key secret.Source // nil: the request carries none
}

func newNegative(request Request, transport *Transport, shared *Shared) negative {
	key := request.Secrets[request.KeyHeader]
	request.Secrets = maps.Clone(request.Secrets)
	// Under whatever name: a second header may carry the same key.
	maps.DeleteFunc(request.Secrets, func(_ string, source secret.Source) bool { return source == key })
	return negative{newClient(request, transport, shared), key}
}

// judgement says what an answer means; err says why its body could not be read.
type judgement func(got *answer, err error) error

func (n *negative) withoutKey(ctx context.Context, judge judgement) (Observation, error) {
	return n.send(ctx, "", judge, (*Refusals).withoutKey)
}

func (n *negative) withWrongKey(ctx context.Context, judge judgement) (Observation, error) {
	return n.send(ctx, uuid.NewString(), judge, (*Refusals).withWrongKey)
}

func (n *negative) send(ctx context.Context, key string, judge judgement, remember func(*Refusals, answer)) (Observation, error) {
	cuttable, cut := context.WithCancel(ctx)
	defer cut()
	edit := func(h http.Header) {
		n.dropKey(h)
		if key != "" {
			h[n.request.KeyHeader] = []string{key}
		}
	}
	return n.ask(cuttable, edit, func(t *trace, resp *http.Response, seen *Observation) error {
		body := n.shared.buffer()
		defer n.shared.put(body)
		text, err := n.read(resp, body, cut)
		t.observe(seen)
		seen.Size = int64(body.Len())
		got := newAnswer(resp, n.request.Method, text, &n.request.Names)
		switch {
		case err != nil && resp.StatusCode == http.StatusUnauthorized && ctx.Err() == nil:
			err = nil // a refusal, but no fingerprint
		case err != nil:
			err = unreadable(ctx, err)
		case n.request.Refusals != nil:
			remember(n.request.Refusals, got)
		}
		return judge(&got, err)
	})
}

// refusalTime is how long the body of a refusal may take after its header: it is short, and only a fingerprint.
const refusalTime = 250 * time.Millisecond

// read reads of an answer what decides what it means. It returns nil for what it did not read, or not all of it.
func (n *negative) read(resp *http.Response, body *buffer, cut func()) ([]byte, error) {
	switch {
	case resp.StatusCode < http.StatusBadRequest, resp.StatusCode == http.StatusForbidden:
		return nil, nil // a 2xx may be everybody's data, the others say enough
	case resp.StatusCode == http.StatusUnauthorized:
		late := time.AfterFunc(refusalTime, cut)
		defer late.Stop()
	}
	err := readUnexpected(resp, body)
	if err != nil {
		return nil, err
	}
	return body.decisive(), nil
}

// dropKey takes out what holds the real key though it comes from another source.
func (n *negative) dropKey(h http.Header) {
	if n.key == nil {
		return
	}
	key, err := n.key.Read()
	if err != nil {
		return // then it cannot be known, nor is it what the api is asked with
	}
	for name := range n.request.Secrets {
		if subtle.ConstantTimeCompare([]byte(h[name][0]), []byte(key.Reveal())) == 1 {
			delete(h, name)
		}
	}
}
