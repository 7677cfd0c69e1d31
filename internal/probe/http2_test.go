package probe

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	// A frame is length (3 bytes), type, flags, stream (4 bytes), payload.
	settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	goAway   = "\x00\x00\x08\x07\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"
)

// speaks2 reads the client's preface and sends frames.
func speaks2(frames string, then script) script {
	return func(d *door, c net.Conn) {
		_, err := io.ReadFull(c, make([]byte, len(preface)))
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, frames)
		then(d, c)
	}
}

// gateway2 serves s to whoever speaks HTTP/2.
func (l *lab) gateway2(s script) *door {
	config := serverTLS(l.root.issue(l.T, gatewayName))
	config.NextProtos = []string{"h2"}
	return serve(l.T, config, s)
}

func TestHTTP2ThatGoesAway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		reuse bool
		then  script
	}{
		{"and stays", false, silence},
		{"and closes", false, closesAtOnce},
		{"and stays, reuse", true, silence},
		{"and closes, reuse", true, closesAtOnce},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			d := l.gateway2(speaks2(settings+goAway, c.then))
			p := l.plan(d.port)
			p.HTTP2, p.Reuse = true, c.reuse
			_, err := run(t, p.prober(), ample)
			expectReason(t, err, ReasonInvalidResponse)
			if n := d.accepts.Load(); n < 1 || n > 2 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// A dial that nobody waits for any more may still be in any phase.
func TestTooManyDialsInAnyPhase(t *testing.T) {
	t.Parallel()
	for phase := range phaseCount {
		expectReason(t, failed(t.Context(), phase, errTooManyDials), ReasonInvalidResponse)
	}
}

// Fresh probes beside each other do not use each other's connections.
func TestHTTP2FreshIsPrivate(t *testing.T) {
	l := newLab(t)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, goodJSON)
	}))
	var accepts atomic.Int64
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			accepts.Add(1)
		}
	}
	server.TLS, server.EnableHTTP2 = serverTLS(l.root.issue(t, gatewayName)), true
	server.StartTLS()
	t.Cleanup(server.Close)
	p := l.plan(portOf(server))
	p.HTTP2 = true
	leakCase{probes: 200}.many(t, p.prober())
	if accepts.Load() != 200 {
		t.Errorf("%d connections for 200 probes", accepts.Load())
	}
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var proto, header string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proto, header = r.Proto, r.Header.Get("X-Gravitee-Api-Key")+r.Header.Get("Accept")
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, goodJSON)
	}))
	server.TLS, server.EnableHTTP2 = serverTLS(l.root.issue(t, gatewayName)), true
	server.StartTLS()
	t.Cleanup(server.Close)

	p := l.plan(portOf(server))
	p.HTTP2 = true
	h := p.prober()
	for range 2 {
		seen, err := run(t, h, ample)
		diff := cmp.Diff(answered("", "", 200, len(goodJSON)), sightOf(seen, err))
		if diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
	if proto != "HTTP/2.0" || header != testKey+"application/json" {
		t.Errorf("sent %s with %q", proto, header)
	}

	p.HTTP2 = false
	_, err := run(t, p.prober(), ample)
	if err != nil || proto != "HTTP/1.1" {
		t.Errorf("without http2: %v over %s", err, proto)
	}
}
