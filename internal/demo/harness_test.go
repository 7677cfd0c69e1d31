package demo

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quick are delays a test can wait for.
func quick() Options {
	return Options{WithoutFaults: true, DeadAfter: 20 * time.Millisecond, SlowAfter: 30 * time.Millisecond}
}

func start(t *testing.T, options Options) *Platform {
	t.Helper()
	p, err := Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// client returns a bare client that trusts the platform and follows no redirect.
func client(t *testing.T, p *Platform, institution string, http2 bool) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: p.CA(), ServerName: p.ServerName(institution)},
		ForceAttemptHTTP2: http2,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// documented returns the verification request of an API, with its key.
func documented(t *testing.T, p *Platform, institution, api string) *http.Request {
	t.Helper()
	method, path, body := p.Request(api)
	r, err := http.NewRequestWithContext(t.Context(), method, p.URL(institution)+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range apiNamed(api).Headers {
		r.Header.Set(h[0], h[1])
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("X-Gravitee-Api-Key", p.Key(institution, api))
	r.Header.Set("X-Gravitee-Transaction-Id", "ours")
	return r
}

// answer is all of a response but Date and random values.
type answer struct {
	Status int
	Header http.Header
	Body   string
	Err    string // where it ended early
}

func send(c *http.Client, r *http.Request) (answer, error) {
	response, err := c.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	a := answer{Status: response.StatusCode, Header: response.Header, Body: string(body)}
	if err != nil {
		a.Err = err.Error()
	}
	a.Header.Del("Date")
	if response.Close { // the client takes the header itself away
		a.Header.Set("Connection", "close")
	}
	if len(a.Header.Get("X-Gravitee-Request-Id")) == 36 {
		a.Header.Set("X-Gravitee-Request-Id", "random")
	}
	return a, nil
}

func mustSend(t *testing.T, c *http.Client, r *http.Request) answer {
	t.Helper()
	a, err := send(c, r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
