package probe

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Every place in which a probe can wait ends with its context.
var waits = []struct {
	name   string
	server func(*lab) *door
	edit   func(*plan)
	want   Reason // at the deadline
}{
	{"resolving", nobody, lostName, ReasonDNS},
	{"connecting", func(l *lab) *door { return &door{port: fullBacklog(l.T)} }, nil, ReasonTimeout},
	{"handshake", plain(silence), nil, ReasonTimeout},
	{"answer", tlsGateway(silence), nil, ReasonGatewayTimeout},
	{"answer, reused", tlsGateway(silence), reuse, ReasonGatewayTimeout},
	{"answer after 103", tlsGateway(thenSilence(earlyHints)), nil, ReasonGatewayTimeout},
	{"header", tlsGateway(thenSilence("HTTP/1.1 200 OK\r\n")), nil, ReasonBody},
	{"body", tlsGateway(thenSilence(chunked + "1\r\n[")), nil, ReasonBody},
	{"body in gzip", tlsGateway(thenSilence("HTTP/1.1 200 OK\r\n" + gzipped + "\r\n\r\n" + zipped("[")[:12])), nil, ReasonBody},
	{"body of a 503", tlsGateway(thenSilence("HTTP/1.1 503 x\r\n\r\n<")), nil, ReasonBody},
	{"HTTP/2", gateway2(speaks2(settings, silence)), http2, ReasonGatewayTimeout},
	{"jq", tlsGateway(answers(goodAnswer)), wants("def f: f; f"), ReasonExpectation},
}

func TestDeadline(t *testing.T) {
	for _, c := range waits {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			p := l.plan(c.server(l).port)
			if c.edit != nil {
				c.edit(p)
			}
			start := time.Now()
			_, err := run(t, p.prober(), reachable)
			if took := time.Since(start); took < reachable || took > reachable+grace {
				t.Errorf("took %v with a timeout of %v", took, reachable)
			}
			expectReason(t, err, c.want)
		})
	}
}

func TestCancel(t *testing.T) {
	for _, c := range waits {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			p := l.plan(c.server(l).port)
			if c.edit != nil {
				c.edit(p)
			}
			ctx, cancel := context.WithTimeout(t.Context(), ample)
			defer cancel()
			var canceled time.Time
			time.AfterFunc(soon, func() {
				canceled = time.Now()
				cancel()
			})
			seen, err := p.prober().Probe(ctx)
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want context.Canceled", err)
			}
			if late := time.Since(canceled); late > grace {
				t.Errorf("ended %v after it was canceled", late)
			}
			if seen.Elapsed <= 0 || seen.Elapsed > soon+2*grace {
				t.Errorf("elapsed %v", seen.Elapsed)
			}
		})
	}
}

func TestCanceledBeforehand(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.gateway(answers(goodAnswer))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := l.plan(d.port).prober().Probe(ctx)
	if !errors.Is(err, context.Canceled) || d.accepts.Load() != 0 {
		t.Errorf("%v with %d connections", err, d.accepts.Load())
	}
}
