package probe

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// carried is what a probe saw of how its answer came.
type carried struct {
	ip      int
	length  int64
	version float64
}

func TestObservationOfTheWire(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	late := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		_, _ = io.WriteString(w, goodJSON)
	}))
	late.TLS, late.EnableHTTP2 = serverTLS(l.root.issue(t, gatewayName)), true
	late.StartTLS()
	t.Cleanup(late.Close)
	strange := newAuthority(t, "another root", nil)
	for name, c := range map[string]struct {
		port   string
		change func(*plan)
		want   carried
	}{
		"HTTP/1.1 with a length": {l.gateway(answers(response("200 OK", goodJSON))).port, nil, carried{4, int64(len(goodJSON)), 1.1}},
		"HTTP/1.0 without":       {l.gateway(answers("HTTP/1.0 200 OK\r\n\r\n" + goodJSON)).port, nil, carried{4, -1, 1}},
		"HTTP/1.1 in chunks":     {portOf(late), nil, carried{4, -1, 1.1}},
		"HTTP/2":                 {portOf(late), func(p *plan) { p.HTTP2 = true }, carried{4, -1, 2}},
		"an error":               {l.gateway(answers(response("500 Oops", "oops"))).port, nil, carried{4, 4, 1.1}},
		"no answer":              {l.gateway(closesAtOnce).port, nil, carried{ip: 4}},
		"no trust":               {serve(t, serverTLS(strange.issue(t, gatewayName)), silence).port, nil, carried{ip: 4}},
		"no connection":          {"1", nil, carried{}},
	} {
		t.Run(name, func(t *testing.T) {
			p := l.plan(c.port)
			if c.change != nil {
				c.change(p)
			}
			seen, err := run(t, p.prober(), ample)
			got := carried{seen.IPVersion, seen.ContentLength, seen.HTTPVersion}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(carried{})); diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// A kept connection has its address too.
func TestReusedConnectionHasAnAddress(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.gateway(keeps(response("200 OK", goodJSON)))
	p := l.plan(d.port)
	p.Reuse = true
	h := p.prober()
	for range 2 {
		seen, err := run(t, h, ample)
		if err != nil || seen.IPVersion != 4 {
			t.Errorf("IP version %d, %v", seen.IPVersion, err)
		}
	}
	if n := d.accepts.Load(); n != 1 {
		t.Errorf("%d connections, want one that is kept", n)
	}
}

func TestIPVersion(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"127.0.0.1": 4, "::ffff:127.0.0.1": 4, "::1": 6} {
		if got := ipVersion(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
}
