package probe

import (
	"context"
	nethttp "net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// leakCase is a server against which many probes leave nothing behind.
type leakCase struct {
	name   string
	server func(*lab) *door
	edit   func(*plan)
	probes int
	short  time.Duration // the timeout where the server hangs; zero: none
	want   Reason
}

const (
	hang     = 100 * time.Millisecond
	longHang = 600 * time.Millisecond // with a handshake, of which the machine does few at once
)

var leakCases = []leakCase{
	{"success", plain(answers(goodAnswer)), unsecured, 1000, 0, ""},
	{"success behind TLS", tlsGateway(answers(goodAnswer)), nil, 200, 0, ""},
	{"success, reused", tlsGateway(keeps(goodAnswer)), reuse, 1000, 0, ""},
	{"status, body unread", plain(keeps(response("429 x", strings.Repeat("x", 1<<16)))), both(unsecured, reuse), 1000, 0, ReasonRateLimited},
	{"too large", plain(keeps(response("200 OK", strings.Repeat("x", 1<<16)))), both(unsecured, small), 1000, 0, ReasonTooLarge},
	{"closed", plain(hangsUp), unsecured, 1000, 0, ReasonInvalidResponse},
	{"reset", plain(resets), unsecured, 1000, 0, ReasonInvalidResponse},
	{"closed in the handshake", plain(closesAtOnce), nil, 1000, 0, ReasonTLS},
	{"certificate expired", behind(issuedWith(expired)), nil, 200, 0, ReasonTLS},
	{"switched protocols", plain(keeps("HTTP/1.1 101 x\r\n\r\n")), both(unsecured, reuse), 1000, 0, ReasonInvalidResponse},
	{"port closed", nobody, nil, 1000, 0, ReasonConnect},
	{"name unknown", nobody, toHost("nowhere.test"), 1000, 0, ReasonDNS},

	{"resolver silent", nobody, lostName, 200, hang, ReasonDNS},
	{"AAAA lost", plain(answers(goodAnswer)), both(unsecured, halfLost), 200, 0, ""},
	{"handshake silent", plain(silence), nil, 200, hang, ReasonTimeout},
	{"silent", plain(silence), unsecured, 200, hang, ReasonGatewayTimeout},
	{"silent, reused", plain(silence), both(unsecured, reuse), 200, hang, ReasonGatewayTimeout},
	{"silent behind TLS", tlsGateway(silence), nil, 200, longHang, ReasonGatewayTimeout},
	{"body stalls", plain(thenSilence(chunked + "1\r\n[")), unsecured, 200, hang, ReasonBody},
	{"HTTP/2 goes away", gateway2(speaks2(settings+goAway, silence)), http2, 200, 0, ReasonInvalidResponse},
	{"HTTP/2 silent", gateway2(speaks2(settings, silence)), http2, 200, longHang, ReasonGatewayTimeout},
	{"HTTP/2 silent, reused", gateway2(speaks2(settings, silence)), both(http2, reuse), 200, longHang, ReasonGatewayTimeout},
}

func tlsGateway(s script) func(*lab) *door { return func(l *lab) *door { return l.gateway(s) } }
func gateway2(s script) func(*lab) *door   { return func(l *lab) *door { return l.gateway2(s) } }

func reuse(p *plan) { p.Reuse = true }
func http2(p *plan) { p.HTTP2 = true }
func small(p *plan) { p.Reuse, p.MaxBody = true, 100 }

func unsecured(p *plan) { p.URL.Scheme = "http" }

func both(one, other func(*plan)) func(*plan) {
	return func(p *plan) {
		one(p)
		other(p)
	}
}

func lostName(p *plan) {
	toHost("lost.test")(p)
	p.lab.nameServer = newNameServer(p.lab.T, zone{"lost.test": {typeA: {silent: true}, typeAAAA: {silent: true}}})
}

func halfLost(p *plan) {
	p.lab.nameServer = newNameServer(p.lab.T, zone{
		gatewayName: {typeA: {addrs: []string{"127.0.0.1"}}, typeAAAA: {silent: true}},
	})
}

func TestNothingIsLeftBehind(t *testing.T) {
	for _, c := range leakCases {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			d := c.server(l)
			p := l.plan(d.port)
			if c.edit != nil {
				c.edit(p)
			}
			h := p.prober()
			h.transport.http.HTTP2 = &nethttp.HTTP2Config{SendPingTimeout: 2 * longHang, PingTimeout: hang}
			before := goleak.IgnoreCurrent()
			descriptors := countDescriptors(t)
			c.many(t, h)
			h.transport.http.CloseIdleConnections()
			waitUntil(t, d.isEmpty)
			err := goleak.Find(before)
			if err != nil {
				t.Error(err)
			}
			if n := countDescriptors(t); n > descriptors {
				t.Errorf("%d descriptors, were %d", n, descriptors)
			}
		})
	}
}

// many probes from many goroutines. Where nothing hangs, the context lives on
// after the probe: what a probe opens must not wait for its end.
func (c leakCase) many(t *testing.T, p Prober) {
	places := make(chan struct{}, 25)
	var running sync.WaitGroup
	for range c.probes {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			ctx := t.Context()
			if c.short > 0 {
				limited, cancel := context.WithTimeout(ctx, c.short)
				defer cancel()
				ctx = limited
			}
			_, err := p.Probe(ctx)
			got, _ := ReasonOf(err)
			hung := c.short > 0 && err != nil // on a busy machine the time may be up in any phase
			if got != c.want && !hung {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	running.Wait()
}

// isEmpty says whether the server has no connection left; those that it
// accepts are descriptors and goroutines of this process too.
func (d *door) isEmpty() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.open) == 0
}

func countDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
