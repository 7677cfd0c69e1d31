package gravitee

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const uio = "uio"

func platform(t *testing.T, options demo.Options) *demo.Platform {
	t.Helper()
	options.WithoutFaults = true
	p, err := demo.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// options are what reads uio's application.
func options(t *testing.T, p *demo.Platform) Options {
	t.Helper()
	return Options{
		URL:         parse(t, p.ManagementURL(uio)),
		Application: p.Application(uio),
		Token:       literal(p.ManagementToken(uio)),
		TLS:         &tls.Config{RootCAs: p.CA(), ServerName: p.ServerName(uio)},
	}
}

func literal(s string) secret.Source { return secret.Literal{Value: secret.New(s)} }

func parse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func mustRead(t *testing.T, c *Client) Reading {
	t.Helper()
	reading, err := c.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return reading
}

// serving reads from a server of this test's own, by plain HTTP.
func serving(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return New(Options{
		URL: parse(t, server.URL+"/management"), Application: "app", Token: literal(token), Timeout: 10 * time.Second,
	})
}

const (
	token = "canary-token"
	list  = "/management/organizations/DEFAULT/environments/DEFAULT/applications/app/subscriptions"
)

// answering is a Gravitee of one subscription, s: by path, what it answers with status 200.
func answering(answers map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = w.Write([]byte(answer))
	}
}

const oneSubscription = `{"data":[{"id":"s","api":"a","plan":"p","status":"ACCEPTED"}],"page":{"total_pages":1}}`

// kindOf fails the test if err is anything but an *Error or nil.
func kindOf(t *testing.T, err error) Kind {
	t.Helper()
	var e *Error
	if err != nil && !errors.As(err, &e) {
		t.Fatalf("error of type %T", err)
	}
	if e == nil {
		return ""
	}
	return e.Kind
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// recording writes down all that is sent.
func recording(sent *strings.Builder, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = r.Write(sent)
		next(w, r)
	}
}
