package probe

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// benchBody is 2 KiB of JSON.
var benchBody = `["` + strings.Repeat("a", 2044) + `"]`

// BenchmarkProbe holds a probe against the floor: what bare net/http needs for
// the same request to the same server, body read and checked.
func BenchmarkProbe(b *testing.B) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, benchBody)
	}))
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, c := range []struct {
		name  string
		reuse bool
	}{{"cold", false}, {"warm", true}} {
		b.Run(c.name+"/floor", func(b *testing.B) {
			transport := &http.Transport{
				TLSClientConfig:    &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
				DisableKeepAlives:  !c.reuse,
				DisableCompression: true,
			}
			defer transport.CloseIdleConnections()
			for b.Loop() {
				floor(b, transport, "https://127.0.0.1:"+port+seedPath)
			}
		})
		b.Run(c.name+"/probe", func(b *testing.B) {
			h := benchProber(b, port, roots, c.reuse)
			defer h.transport.http.CloseIdleConnections()
			for b.Loop() {
				_, err := h.Probe(b.Context())
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func floor(b testing.TB, transport *http.Transport, url string) {
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := transport.RoundTrip(req)
	if err != nil {
		b.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || !json.Valid(body) {
		b.Fatal("no JSON")
	}
}

func benchProber(b *testing.B, port string, roots *x509.CertPool, reuse bool) *HTTP {
	transport, err := NewTransport(TransportOptions{Reuse: reuse})
	if err != nil {
		b.Fatal(err)
	}
	transport.http.TLSClientConfig.RootCAs = roots
	p := (&lab{}).plan(port)
	p.URL.Host = "127.0.0.1:" + port
	return NewHTTP(p.Request, p.Expect, transport, NewShared())
}
