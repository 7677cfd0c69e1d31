package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"time"
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
	got := answer{status: resp.StatusCode, head: h.request.Method == http.MethodHead, marks: marksOf(resp.Header, &h.request.Names)}
	if err == nil && resp.StatusCode >= 400 {
		got = newAnswer(resp, h.request.Method, body.Bytes(), &h.request.Names)
	}
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
	return h.meets(t.ctx, resp.Header, body.Bytes(), seen.Elapsed)
}

func (h *HTTP) read(resp *http.Response, body *buffer, expected bool) error {
	if expected {
		return readBody(resp, body, h.expect.MaxBody)
	}
	return readUnexpected(resp, body)
}

// known returns what is known of how the API treats wrong keys. Where that is nothing and decides what an unexpected
// answer means, it asks: once, within the run's deadline.
func (h *HTTP) known(t *trace, resp *http.Response, got *answer, unexpected bool) refusals {
	memory := h.request.Refusals
	if memory == nil {
		return refusals{}
	}
	if got.success() {
		memory.succeeded(got.client)
	}
	known := memory.now()
	if !unexpected || known.known() || got.status < 400 || got.client || senderOf(got, known) == byRouter {
		return known
	}
	_ = resp.Body.Close() // its connection may be used again
	_, _ = h.negative.withWrongKey(t.ctx, func(*answer, error) error { return nil })
	return memory.now()
}

// meets holds a complete answer with an expected status against the rest of the expectations.
func (h *HTTP) meets(ctx context.Context, header http.Header, body []byte, elapsed time.Duration) error {
	if h.expect.JSON && !json.Valid(body) {
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
	}
	return "the answer is something else"
}
