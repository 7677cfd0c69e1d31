package probe

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const keyHeader = "X-Gravitee-Api-Key"

// auth is prober for the negative test; without refusals, 401 is right.
func (p *plan) auth(refusals ...int) *Auth {
	p.lab.T.Helper()
	if len(refusals) == 0 {
		refusals = []int{401}
	}
	h := p.prober()
	return NewAuth(p.Request, refusals, h.transport, h.shared)
}

// keyed does with a connection what stranger says where the request holds no
// key, and otherwise what liar says.
func keyed(stranger, liar script) script {
	return func(d *door, c net.Conn) {
		r := bufio.NewReader(c)
		if d.receive(r) != nil {
			return
		}
		s := stranger
		if d.last().Header.Get(keyHeader) != "" {
			s = liar
		}
		s(d, c)
	}
}

// writes sends raw, after a request that keyed has read.
func writes(raw string) script {
	return func(_ *door, c net.Conn) { _, _ = io.WriteString(c, raw) }
}

// pauses is writes after a while.
func pauses(d time.Duration, raw string) script {
	return func(_ *door, c net.Conn) {
		time.Sleep(d)
		_, _ = io.WriteString(c, raw)
	}
}

// stalls sends raw and then nothing until the client leaves.
func stalls(raw string) script {
	return func(_ *door, c net.Conn) {
		_, _ = io.WriteString(c, raw)
		_, _ = io.Copy(io.Discard, c)
	}
}

// runAuth probes once and checks what holds for every run of the negative test.
func runAuth(t *testing.T, a *Auth, timeout time.Duration) (Observation, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	start := time.Now()
	seen, err := a.Probe(ctx)
	if wall := time.Since(start); wall > timeout+grace {
		t.Errorf("took %v with a timeout of %v", wall, timeout)
	}
	if seen.Phases != (Phases{}) || seen.Elapsed != 0 {
		t.Errorf("observed phases of one of two requests: %v, %v", seen.Phases, seen.Elapsed)
	}
	if seen.TransactionID != "" && !uuid4.MatchString(seen.TransactionID) {
		t.Errorf("transaction id %q is not a random UUID", seen.TransactionID)
	}
	if seen.KeyVerdict != KeyUnproven {
		t.Errorf("verdict %v on a key that was not sent", seen.KeyVerdict)
	}
	return seen, err
}

// authCase is one way in which the negative test goes.
type authCase struct {
	name           string
	stranger, liar string // what is answered without a key and with a wrong one
	refusals       []int
	want           sight
	detail         string
}

// second is the case in which only the wrong key gets this answer.
func (c authCase) second() authCase {
	c.name += ", with a wrong key only"
	c.stranger, c.liar = refusal, c.stranger
	c.detail = strings.ReplaceAll(c.detail, "without a key", "with a wrong key")
	return c
}

func decided(reason Reason, layer Layer, status, size int) sight {
	return sight{Reason: reason, Layer: layer, Status: status, Size: int64(size), Cert: verified}
}

var refusal = response("401 Unauthorized", shape(401, "Unauthorized"), jsonType)

func opened(status, body string, code int) authCase {
	return authCase{
		name: status, stranger: response(status, body),
		want: decided(ReasonNotRefused, LayerGateway, code, 0), detail: "HTTP status " + itoa(code) + " without a key",
	}
}

// otherwise is an answer that is neither a refusal nor a success; size is how much of it is read.
func otherwise(name, raw string, want sight) authCase {
	return authCase{name: name, stranger: raw, want: want, detail: "HTTP status " + itoa(want.Status)}
}

func authCases() []authCase {
	forbidden := shape(403, "You're not allowed to access this resource")
	cases := []authCase{
		{name: "refused", stranger: refusal, liar: refusal, want: decided("", "", 401, 49)},
		{
			name: "refused by a backend", want: decided("", "", 401, 0),
			stranger: response("401 Unauthorized", backendText), liar: response("401 Unauthorized", ""),
		},
		{
			name: "refused as configured", refusals: []int{401, 403}, want: decided("", "", 403, 0),
			stranger: refusal, liar: response("403 Forbidden", forbidden, jsonType),
		},
	}
	for _, c := range []authCase{
		opened("200 OK", goodJSON, 200),
		opened("202 Accepted", "", 202),
		opened("299 x", routerPage, 299),
		otherwise("204", "HTTP/1.1 204 No Content\r\n\r\n", decided(ReasonNotRefused, LayerGateway, 204, 0)),
		otherwise("403 gateway", response("403 Forbidden", forbidden, jsonType), decided(ReasonStatus, LayerGateway, 403, 0)),
		otherwise("403 backend", response("403 Forbidden", ""), decided(ReasonStatus, LayerGateway, 403, 0)),
		otherwise("302", response("302 Found", "x", "Location: /login"), decided(ReasonRedirect, LayerGateway, 302, 0)),
		otherwise("400 backend", response("400 Bad Request", backendText), decided(ReasonStatus, LayerGateway, 400, len(backendText))),
		otherwise("404 gateway", response("404 Not Found", noContextPath), decided(ReasonNoSuchAPI, LayerGateway, 404, len(noContextPath))),
		otherwise("404 backend", response("404 Not Found", ""), decided(ReasonNotFound, LayerBackend, 404, 0)),
		otherwise("429", response("429 x", shape(429, "x")), decided(ReasonRateLimited, LayerKey, 429, len(shape(429, "x")))),
		otherwise("500 gateway", response("500 x", shape(500, "x")), decided(ReasonGatewayError, LayerGateway, 500, len(shape(500, "x")))),
		otherwise("500 backend", response("500 x", backendText), decided(ReasonBackendError, LayerBackend, 500, len(backendText))),
		otherwise("502", response("502 x", ""), decided(ReasonBackendUnreachable, LayerBackend, 502, 0)),
		otherwise("503 router", response("503 x", routerPage, htmlType), decided(ReasonGatewayUnavailable, LayerGateway, 503, len(routerPage))),
		otherwise("504", response("504 x", ""), decided(ReasonBackendTimeout, LayerBackend, 504, 0)),
	} {
		if c.want.Status == 204 {
			c.detail += " without a key"
		}
		cases = append(cases, c, c.second())
	}
	unlisted := otherwise("401 unlisted", refusal, decided(ReasonKeyRejected, LayerKey, 401, len(shape(401, "Unauthorized"))))
	unlisted.refusals = []int{403}
	return append(cases, unlisted)
}

func TestAuth(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, c := range authCases() {
		t.Run(c.name, func(t *testing.T) {
			inner := *l
			inner.T = t
			d := inner.gateway(keyed(writes(c.stranger), writes(c.liar)))
			seen, err := runAuth(t, inner.plan(d.port).auth(c.refusals...), ample)
			diff := cmp.Diff(c.want, sightOf(seen, err))
			if diff != "" || DetailOf(err) != c.detail {
				t.Errorf("detail %q, want %q; (-want +got):\n%s", DetailOf(err), c.detail, diff)
			}
			want := 2
			if c.liar == "" {
				want = 1
			}
			if len(d.requests) != want || d.accepts.Load() != int64(want) {
				t.Errorf("%d requests over %d connections, want %d", len(d.requests), d.accepts.Load(), want)
			}
			if seen.TransactionID != d.last().Header.Get(transactionHeader) {
				t.Error("the transaction id is not that of the request that decided")
			}
		})
	}
}

// What goes wrong below HTTP, in the first request or the second, has the causes that it has for an api.
func TestAuthConnections(t *testing.T) {
	t.Parallel()
	open := tlsGateway(answers(goodAnswer))
	slowly := keyed(pauses(soon/2, refusal), pauses(soon, refusal))
	for _, c := range []struct {
		name   string
		server func(*lab) *door
		edit   func(*plan)
		want   sight
	}{
		{"name unknown", open, toHost("nowhere.test"), never(ReasonDNS, LayerNetwork, "")},
		{"name lost", nobody, lostName, never(ReasonDNS, LayerNetwork, "")},
		{"port closed", nobody, nil, never(ReasonConnect, LayerNetwork, "")},
		{"handshake silent", plain(silence), nil, never(ReasonTimeout, LayerNetwork, "")},
		{"certificate expired", behind(issuedWith(expired)), nil, sight{Reason: ReasonTLS, Layer: LayerGateway, Cert: refused}},
		{"silent", tlsGateway(silence), nil, unanswered(ReasonGatewayTimeout, LayerGateway, "")},
		{"silent to a wrong key", tlsGateway(keyed(writes(refusal), silence)), nil, unanswered(ReasonGatewayTimeout, LayerGateway, "")},
		{"one timeout for both", tlsGateway(slowly), nil, unanswered(ReasonGatewayTimeout, LayerGateway, "")},
		{"closed", tlsGateway(keyed(writes(refusal), closesAtOnce)), nil, unanswered(ReasonInvalidResponse, LayerGateway, "")},
		{"reset", tlsGateway(keyed(resetsAtOnce, silence)), nil, unanswered(ReasonInvalidResponse, LayerGateway, "")},
		{"503 stalls", tlsGateway(keyed(stalls("HTTP/1.1 503 x\r\n\r\n<"), silence)), nil, decided(ReasonBody, LayerNetwork, 503, 1)},
		{"HTTP/2 goes away", gateway2(speaks2(settings+goAway, silence)), http2, unanswered(ReasonInvalidResponse, LayerGateway, "")},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			d := c.server(l)
			p := l.plan(d.port)
			if c.edit != nil {
				c.edit(p)
			}
			seen, err := runAuth(t, p.auth(), soon)
			diff := cmp.Diff(c.want, sightOf(seen, err))
			if diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if n := d.accepts.Load(); n > maxDials {
				t.Errorf("%d connections", n)
			}
		})
	}
}

func TestAuthCanceled(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]script{
		"in the first request":  silence,
		"in the second request": keyed(writes(refusal), silence),
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			d := l.gateway(s)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(soon, cancel)
			start := time.Now()
			_, err := l.plan(d.port).auth().Probe(ctx)
			if !errors.Is(err, context.Canceled) || time.Since(start) > soon+grace {
				t.Errorf("%v after %v", err, time.Since(start))
			}
		})
	}
}
