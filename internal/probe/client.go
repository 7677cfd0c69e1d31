package probe

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/google/uuid"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// GatewayHeaders are the names of the headers that a gateway puts on answers. They can be renamed in its configuration.
type GatewayHeaders struct {
	TransactionID    string // also sent: the id by which a request is found again in the gateway's logs
	RequestID        string
	ClientIdentifier string // set once the key is accepted; it names a subscription and is never shown
}

// Request is the documented verification request.
type Request struct {
	Method  string
	URL     *url.URL                 // without user information or fragment
	Header  http.Header              // sent under the names as written; nothing secret
	Secrets map[string]secret.Source // header name to where its value comes from; the API key is one of them
	Body    []byte

	KeyHeader string         // of Secrets, the one that holds the API key; empty: it is sent without a key
	Refusals  *Refusals      // shared by the checks of one API; nil: the exporter may not ask with a wrong key
	Names     GatewayHeaders // empty ones: as they are by default
}

// client sends one request.
type client struct {
	request   Request
	transport *Transport
	shared    *Shared
}

func newClient(request Request, transport *Transport, shared *Shared) client {
	request.Names = request.Names.orDefault()
	return client{request, transport, shared}
}

// orDefault returns g with the names that a gateway uses unless it is told otherwise in place of empty ones.
func (g GatewayHeaders) orDefault() GatewayHeaders {
	return GatewayHeaders{
		TransactionID:    cmp.Or(g.TransactionID, "X-Gravitee-Transaction-Id"),
		RequestID:        cmp.Or(g.RequestID, "X-Gravitee-Request-Id"),
		ClientIdentifier: cmp.Or(g.ClientIdentifier, "X-Gravitee-Client-Identifier"),
	}
}

// ask sends the request once, with the header as edit leaves it, and lets
// judge say what the answer means.
func (c *client) ask(
	ctx context.Context,
	edit func(http.Header),
	judge func(*trace, *http.Response, *Observation) error,
) (seen Observation, err error) {
	t := newTrace(ctx)
	defer t.release()
	id := uuid.NewString()
	req, err := c.newRequest(c.transport.follow(t), id)
	if err != nil {
		return seen, err
	}
	edit(req.Header)
	resp, err := c.transport.roundTrip(t, req)
	if t.sent() { // else nobody can find it in a log
		seen.TransactionID = id
	}
	if err != nil {
		phase := t.end()
		t.observe(&seen)
		return seen, failed(ctx, phase, err)
	}
	defer func() { _ = resp.Body.Close() }()
	t.enter(PhaseTransfer) // after a 1xx nothing else says so
	if resp.TLS != nil {   // a kept connection shook hands in another probe
		t.certify(shown(*resp.TLS, nil))
	}
	seen.Answered, seen.Status, seen.ContentLength = true, resp.StatusCode, resp.ContentLength
	seen.HTTPVersion = float64(resp.ProtoMajor) + float64(resp.ProtoMinor)/10
	seen.RateLimits = rateLimits(resp.Header)
	err = judge(t, resp, &seen)
	return seen, err
}

// newRequest reads the secrets anew, so that a changed key is used at once.
func (c *client) newRequest(ctx context.Context, id string) (*http.Request, error) {
	header := make(http.Header, len(c.request.Header)+len(c.request.Secrets)+4)
	always := []string{"application/json", c.shared.UserAgent, id} // Accept exactly so: older gateways compare the whole value
	header["Accept"], header["User-Agent"], header[c.request.Names.TransactionID] = always[:1:1], always[1:2:2], always[2:]
	for name, values := range c.request.Header {
		if strings.EqualFold(name, "User-Agent") {
			delete(header, "User-Agent")
		}
		header[name] = values
	}
	for name, source := range c.request.Secrets {
		value, err := source.Read()
		if err != nil {
			return nil, noSecret("the value of header "+name, err)
		}
		header[name] = []string{value.Reveal()}
	}
	req := (&http.Request{
		Method: c.request.Method, URL: c.request.URL, Host: hostHeader(c.request.URL),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
	}).WithContext(ctx)
	if len(c.request.Body) > 0 {
		setBody(req, c.request.Body)
	}
	return req, nil
}

// hostHeader leaves out the port that follows from the scheme: some gateways compare the whole value.
func hostHeader(u *url.URL) string {
	if u.Scheme == "https" && u.Port() == "443" || u.Scheme == "http" && u.Port() == "80" {
		return strings.TrimSuffix(u.Host, ":"+u.Port())
	}
	return u.Host
}

func setBody(req *http.Request, body []byte) {
	req.ContentLength = int64(len(body))
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	req.Body, _ = req.GetBody()
	// Not sent, but tells net/http that a kept connection which the server has
	// just closed may be replaced: a verification changes nothing.
	_, given := req.Header["Idempotency-Key"]
	if !given {
		req.Header["Idempotency-Key"] = []string{}
	}
}

// Format implements fmt.Formatter: under some verbs fmt would follow pointers to the request.
func (c *client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, shownAs) }

// MarshalText implements encoding.TextMarshaler, and so JSON and YAML, which
// panics at an embedded struct that it cannot see.
func (c *client) MarshalText() ([]byte, error) { return []byte(shownAs), nil }

const shownAs = "HTTP prober"

// Shared is what all probers of a process have in common: buffers, and the
// places for decoding with jq. Safe for concurrent use.
type Shared struct {
	UserAgent string // sent with each request
	buffers   sync.Pool
	held      atomic.Int64 // bytes of the buffers in use
	jq        chan struct{}

	refusalsMu sync.Mutex
	refusals   map[apiVersion]weak.Pointer[Refusals]
}

// buffer holds an answer and counts itself while it does.
type buffer struct {
	bytes.Buffer
	held *atomic.Int64
}

// maxDecodes is how many answers may be decoded for jq at once: decoding takes twenty times a body's size.
const maxDecodes = 2

// NewShared returns a Shared for one process.
func NewShared() *Shared {
	s := &Shared{UserAgent: "integra_exporter", jq: make(chan struct{}, maxDecodes), refusals: map[apiVersion]weak.Pointer[Refusals]{}}
	s.buffers.New = func() any { return &buffer{held: &s.held} }
	return s
}

// pooledBytes is the largest buffer that is kept: one big answer must not stay for ever.
const pooledBytes = 256 << 10

func (s *Shared) buffer() *buffer {
	b := s.buffers.Get().(*buffer)
	s.held.Add(int64(b.Cap()))
	return b
}

func (s *Shared) put(b *buffer) {
	s.held.Add(-int64(b.Cap()))
	if b.Cap() > pooledBytes {
		return
	}
	clear(b.Bytes()) // an answer must not wait in memory for the next one
	b.Reset()
	s.buffers.Put(b)
}

var errTooLarge = errors.New("more than the limit")

// readUnexpected reads of an unexpected answer what decides who wrote it, and no more.
func readUnexpected(resp *http.Response, body *buffer) error {
	if resp.StatusCode < http.StatusBadRequest {
		return nil // the status says enough
	}
	err := readBody(resp, body, decisiveBytes)
	if errors.Is(err, errTooLarge) {
		return nil
	}
	return err
}

// decisiveBytes is how much of an unexpected answer is read: the gateway's own are far shorter.
const decisiveBytes = 16 << 10

// decisive returns, not as nil, as much of what was read as decides who wrote it.
func (b *buffer) decisive() []byte {
	if b.Len() == 0 {
		return []byte{}
	}
	return b.Bytes()[:min(b.Len(), decisiveBytes)]
}

// readBody reads at most limit bytes of resp's body into b, after decompression.
// A body that goes on is errTooLarge, with limit bytes read.
func readBody(resp *http.Response, b *buffer, limit int64) error {
	var body io.Reader = resp.Body
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		unzipped, err := gzip.NewReader(body)
		if errors.Is(err, io.EOF) {
			return nil // nothing at all, as with HEAD
		}
		if err != nil {
			return err
		}
		body = unzipped
	}
	return readUpTo(b, body, limit)
}

// firstBytes holds most answers.
const firstBytes = 16 << 10

// readUpTo lets b grow fourfold but not past limit: doubled, what is left
// behind on the way would come to twice the largest body.
func readUpTo(b *buffer, r io.Reader, limit int64) error {
	for size := int64(firstBytes); ; size *= 4 {
		size = min(size, limit+1)
		step := size - int64(b.Len())
		b.grow(int(step) + bytes.MinRead)
		n, err := b.ReadFrom(io.LimitReader(r, step))
		switch {
		case err != nil || n < step:
			return err
		case size > limit:
			b.Truncate(int(limit))
			return errTooLarge
		}
	}
}

// grow is Grow, counted.
func (b *buffer) grow(n int) {
	before := b.Cap()
	b.Grow(n)
	b.held.Add(int64(b.Cap() - before))
}

// rateLimits reads what the gateway's policies say of the key's allowance.
func rateLimits(header http.Header) []RateLimit {
	var seen []RateLimit
	for _, policy := range [...]struct{ label, prefix string }{
		{"rate_limit", "X-Rate-Limit"},
		{"quota", "X-Quota"},
		{"spike_arrest", "X-Spike-Arrest"},
	} {
		limit := RateLimit{Policy: policy.label, Limit: count(header.Get(policy.prefix + "-Limit"))}
		if header.Get(policy.prefix+"-Reset") != "-1" { // the policy's store is down: it counts nothing
			limit.Remaining = count(header.Get(policy.prefix + "-Remaining"))
		}
		if limit.Limit.OK || limit.Remaining.OK {
			seen = append(seen, limit)
		}
	}
	return seen
}

// count reads a header's number. The gateway writes -1 when its own store failed.
func count(value string) Count {
	if value == "" {
		return Count{} // strconv would make an error of it: six allocations in most probes
	}
	n, err := strconv.ParseInt(value, 10, 64)
	return Count{N: n, OK: err == nil && n >= 0}
}
