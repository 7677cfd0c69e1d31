package probe

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// TransactionHeader carries the id by which a request is found again in the gateway's logs.
const TransactionHeader = "X-Gravitee-Transaction-Id"

// Request is the documented verification request.
type Request struct {
	Method  string
	URL     *url.URL                 // without user information or fragment
	Header  http.Header              // sent under the names as written; nothing secret
	Secrets map[string]secret.Source // header name to where its value comes from; the API key is one of them
	Body    []byte
}

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
	request   Request
	expect    Expect
	transport *Transport
	shared    *Shared
}

// NewHTTP returns the prober that sends request over transport and holds the answer against expect.
func NewHTTP(request Request, expect Expect, transport *Transport, shared *Shared) *HTTP {
	return &HTTP{request: request, expect: expect, transport: transport, shared: shared}
}

// Probe implements Prober.
func (h *HTTP) Probe(ctx context.Context) (Observation, error) {
	var seen Observation
	t := newTrace(ctx)
	defer t.release()
	req, err := h.newRequest()
	if err != nil {
		return seen, err
	}
	seen.TransactionID = req.Header[TransactionHeader][0]
	resp, err := h.transport.roundTrip(t, req)
	if err != nil {
		phase := t.end()
		t.observe(&seen)
		return seen, failed(ctx, phase, err)
	}
	defer func() { _ = resp.Body.Close() }()
	t.enter(PhaseTransfer) // after a 1xx nothing else says so
	return h.judge(t, resp, seen)
}

// judge reads the answer and holds it against what is expected.
func (h *HTTP) judge(t *trace, resp *http.Response, seen Observation) (Observation, error) {
	body := h.shared.buffer()
	defer h.shared.put(body)
	expected := slices.Contains(h.expect.Status, resp.StatusCode)
	err := h.read(resp, body, expected)
	t.end()
	t.observe(&seen)
	seen.Answered, seen.Status, seen.Size = true, resp.StatusCode, int64(body.Len())
	seen.RateLimits = rateLimits(resp.Header)
	switch {
	case errors.Is(err, errTooLarge) && expected:
		return seen, Fail(ReasonTooLarge, "more than %d bytes", h.expect.MaxBody)
	case err != nil && !errors.Is(err, errTooLarge):
		return seen, unreadable(t.ctx, err)
	case !expected:
		return seen, unexpected(resp.StatusCode, originOf(resp, body.Bytes()))
	}
	return seen, h.meets(t.ctx, resp.Header, body.Bytes(), seen.Elapsed)
}

func (h *HTTP) read(resp *http.Response, body *bytes.Buffer, expected bool) error {
	switch {
	case expected:
		return readBody(resp, body, h.expect.MaxBody)
	case tellsOrigin(resp.StatusCode):
		return readBody(resp, body, originBytes)
	}
	return nil
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
		err := h.expect.JQ.holds(ctx, body, h.shared.jq)
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

// newRequest reads the secrets anew, so that a changed key is used at once.
func (h *HTTP) newRequest() (*http.Request, error) {
	header := make(http.Header, len(h.request.Header)+len(h.request.Secrets)+4)
	header["Accept"] = []string{"application/json"} // exactly: older gateways compare the whole value
	header["User-Agent"] = []string{h.shared.UserAgent}
	header[TransactionHeader] = []string{newUUID()}
	for name, values := range h.request.Header {
		header[name] = values
	}
	for name, source := range h.request.Secrets {
		value, err := source.Read()
		if err != nil {
			return nil, unreadableSecret(name, err)
		}
		header[name] = []string{value.Reveal()}
	}
	req := &http.Request{
		Method: h.request.Method, URL: h.request.URL, Host: h.request.URL.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
	}
	if len(h.request.Body) > 0 {
		setBody(req, h.request.Body)
	}
	return req, nil
}

func setBody(req *http.Request, body []byte) {
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, _ = req.GetBody()
	// Not sent, but tells net/http that a kept connection which the server has
	// just closed may be replaced: a verification changes nothing.
	req.Header["Idempotency-Key"] = []string{}
}

func unreadableSecret(header string, err error) error {
	if isExhausted(err) {
		return Fail(ReasonResources, "no descriptor to read the value of header %s", header)
	}
	return Fail(ReasonKeyUnreadable, "%v", err)
}

// newUUID returns a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Format implements fmt.Formatter: under some verbs fmt would follow pointers to the request.
func (h *HTTP) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "HTTP prober") }
