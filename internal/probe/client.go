package probe

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// GatewayHeaders are the names of the headers that a gateway puts on answers. They can be renamed in its configuration.
type GatewayHeaders struct {
	TransactionID    string // also sent: the id by which a request is found again in the gateway's logs
	RequestID        string
	ClientIdentifier string // set once the key is accepted; it names a subscription and is never shown
}

// orDefault returns g with the names that a gateway uses unless it is told otherwise in place of empty ones.
func (g GatewayHeaders) orDefault() GatewayHeaders {
	return GatewayHeaders{
		TransactionID:    cmp.Or(g.TransactionID, "X-Gravitee-Transaction-Id"),
		RequestID:        cmp.Or(g.RequestID, "X-Gravitee-Request-Id"),
		ClientIdentifier: cmp.Or(g.ClientIdentifier, "X-Gravitee-Client-Identifier"),
	}
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

// ask sends the request once, with the header as edit leaves it, and lets
// judge say what the answer means.
func (c *client) ask(
	ctx context.Context,
	edit func(http.Header),
	judge func(*trace, *http.Response, *Observation) error,
) (seen Observation, err error) {
	t := newTrace(ctx)
	defer t.release()
	req, err := c.newRequest(c.transport.follow(t))
	if err != nil {
		return seen, err
	}
	edit(req.Header)
	seen.TransactionID = req.Header[c.request.Names.TransactionID][0]
	resp, err := c.transport.roundTrip(t, req)
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
func (c *client) newRequest(ctx context.Context) (*http.Request, error) {
	header := make(http.Header, len(c.request.Header)+len(c.request.Secrets)+4)
	always := []string{"application/json", c.shared.UserAgent, newUUID()} // Accept exactly so: older gateways compare the whole value
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
		Method: c.request.Method, URL: c.request.URL, Host: c.request.URL.Host,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
	}).WithContext(ctx)
	if len(c.request.Body) > 0 {
		setBody(req, c.request.Body)
	}
	return req, nil
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

// noSecret is the cause of an error of a secret's source; what says in words which secret it is.
func noSecret(what string, err error) error {
	if isExhausted(err) {
		return Fail(ReasonResources, "no descriptor to read %s", what)
	}
	return Fail(ReasonKeyUnreadable, "%v", err)
}

// newUUID returns a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	text := make([]byte, 0, 36)
	for i, part := range [...][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
		if i > 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, part)
	}
	return string(text)
}

// Format implements fmt.Formatter: under some verbs fmt would follow pointers to the request.
func (c *client) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, shownAs) }

// MarshalText implements encoding.TextMarshaler, and so JSON and YAML, which
// panics at an embedded struct that it cannot see.
func (c *client) MarshalText() ([]byte, error) { return []byte(shownAs), nil }

const shownAs = "HTTP prober"
