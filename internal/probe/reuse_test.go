package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

func TestFreshConnects(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		config := serverTLS(l.root.issue(t, gatewayName))
		config.MaxVersion = version
		d := serve(t, config, keeps(response("200 OK", goodJSON)))
		h := l.plan(d.port).prober()
		for range 5 {
			seen, err := run(t, h, ample)
			diff := cmp.Diff(answered("", "", 200, len(goodJSON)), sightOf(seen, err))
			if diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
		if d.accepts.Load() != 5 || d.resumed.Load() != 0 {
			t.Errorf("%d connections, %d sessions resumed, want 5 and 0", d.accepts.Load(), d.resumed.Load())
		}
		if !d.last().Close {
			t.Error("the request does not say Connection: close")
		}
	}
}

// net/http drops a connection whose writing goroutine has not come back within
// 50 ms of the answer: a busy machine gets three attempts.
func TestReuseKeepsTheConnection(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		var problem string
		for range 3 {
			problem = fiveReused(t, method)
			if problem == "" {
				break
			}
		}
		if problem != "" {
			t.Errorf("%s: %s", method, problem)
		}
	}
}

// fiveReused probes five times and says in what they did not share a connection.
func fiveReused(t *testing.T, method string) string {
	l := newLab(t)
	d := l.gateway(keeps(response("200 OK", goodJSON)))
	p := l.plan(d.port)
	p.Reuse, p.Method = true, method
	if method == http.MethodPost {
		p.Body = []byte("{}")
	}
	h := p.prober()
	want := answered("", "", 200, len(goodJSON))
	for range 5 {
		seen, err := run(t, h, ample)
		if diff := cmp.Diff(want, sightOf(seen, err)); diff != "" {
			return DetailOf(err) + " (-want +got):\n" + diff
		}
		want.Phases = "processing transfer" // and the certificate still, or its alert would end
	}
	if d.accepts.Load() != 1 {
		return itoa(int(d.accepts.Load())) + " connections for 5 probes, want 1"
	}
	return ""
}

// closesInsteadOfAnswering answers the first request of a connection, and
// closes when it sees a second: to the client, an idle connection just closed.
func closesInsteadOfAnswering(d *door, c net.Conn) {
	r := bufio.NewReader(c)
	if d.receive(r) == nil {
		_, _ = io.WriteString(c, response("200 OK", goodJSON))
		_, _ = r.ReadByte()
	}
}

func TestReuseReplacesAClosedConnection(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		l := newLab(t)
		d := l.gateway(closesInsteadOfAnswering)
		p := l.plan(d.port)
		p.Reuse, p.Method = true, method
		if method == http.MethodPost {
			p.Body = []byte("{}")
		}
		h := p.prober()
		for i := range 4 {
			before := d.accepts.Load()
			seen, err := run(t, h, ample)
			if err != nil || seen.Status != 200 {
				t.Errorf("%s: probe %d: %v", method, i, err)
			}
			if d.accepts.Load()-before > maxDials {
				t.Errorf("%s: probe %d: %d connections", method, i, d.accepts.Load()-before)
			}
		}
		if d.accepts.Load() != 4 {
			t.Errorf("%s: %d connections for 4 probes", method, d.accepts.Load())
		}
	}
}

// A probe whose time is up takes nothing away from others that use its connection.
func TestReuseHTTP2OutlivesTheDialer(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	arrived, finish := make(chan string, 2), make(chan struct{})
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- r.URL.Path
		select {
		case <-finish:
		case <-r.Context().Done():
		}
		_, _ = io.WriteString(w, goodJSON)
	}))
	server.TLS, server.EnableHTTP2 = serverTLS(l.root.issue(t, gatewayName)), true
	server.StartTLS()
	t.Cleanup(server.Close)

	p := l.plan(portOf(server))
	p.Reuse, p.HTTP2 = true, true
	dialer := p.prober()
	ctx, cancel := context.WithTimeout(t.Context(), ample)
	defer cancel()
	var running sync.WaitGroup
	running.Go(func() {
		_, err := dialer.Probe(ctx)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the probe that dialed: %v", err)
		}
	})
	<-arrived
	second := p.Request
	second.URL = &url.URL{Scheme: "https", Host: p.URL.Host, Path: "/second"}
	running.Go(func() {
		seen, err := run(t, NewHTTP(second, p.Expect, dialer.transport, NewShared()), ample)
		if err != nil || reached(seen.Phases) != "processing transfer" {
			t.Errorf("the probe beside it: %v, phases %q", err, reached(seen.Phases))
		}
	})
	<-arrived
	cancel()
	close(finish)
	running.Wait()
}

func portOf(server *httptest.Server) string {
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	return port
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	second := l.gateway(answers(response("200 OK", goodJSON)))
	for _, status := range []string{"301 x", "302 x", "303 x", "307 x", "308 x"} {
		for _, scheme := range []string{"https", "http"} {
			first := l.gateway(answers(response(status, "", "Location: "+scheme+"://"+gatewayName+":"+second.port+"/")))
			_, err := run(t, l.plan(first.port).prober(), ample)
			expectReason(t, err, ReasonRedirect)
			if first.accepts.Load() != 1 {
				t.Errorf("%s: %d connections to the first", status, first.accepts.Load())
			}
		}
	}
	if second.accepts.Load() != 0 {
		t.Errorf("%d connections to where the redirect points", second.accepts.Load())
	}
}

// A probe that ends as its handshake does may close what net/http has just given to another: nothing was sent on it.
func TestATakenConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		l := newLab(t)
		d := l.gateway(keeps(response("200 OK", goodJSON)))
		p := l.plan(d.port)
		p.Reuse, p.Method = true, method
		if method == http.MethodPost {
			p.Body = []byte(`{"a":1}`)
		}
		var once sync.Once
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(got httptrace.GotConnInfo) {
			once.Do(got.Conn.(*tls.Conn).NetConn().(*kept).abort)
		}})
		seen, err := p.prober().Probe(ctx)
		if err != nil || d.accepts.Load() != 2 {
			t.Errorf("%s: %v, status %d, %d connections", method, err, seen.Status, d.accepts.Load())
		} else if d.last().body != string(p.Body) {
			t.Errorf("%s: sent %q", method, d.last().body)
		}
	}
}

// A certificate that has ended fails the next probe, although a connection from before would still work.
func TestAKeptConnectionEndsWithItsCertificate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	end := time.Now().Add(8 * time.Second).Truncate(time.Second)
	d := serve(t, serverTLS(l.root.issue(t, gatewayName, testkit.NotAfter(end))), keeps(response("200 OK", goodJSON)))
	p := l.plan(d.port)
	p.Reuse = true
	h := p.prober()
	for range 3 {
		_, err := run(t, h, ample)
		if err != nil {
			t.Fatal(err)
		}
	}
	waitUntil(t, func() bool { return time.Now().After(end.Add(time.Second)) })
	_, err := run(t, h, ample)
	expectReason(t, err, ReasonTLS)
	if !strings.Contains(DetailOf(err), "expired") {
		t.Errorf("%v", err)
	}
}

func TestHowLongAConnectionIsKept(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]time.Duration{48 * time.Hour: maxAge, -time.Hour: 0, time.Minute: time.Minute} {
		state := tls.ConnectionState{PeerCertificates: []*x509.Certificate{{NotAfter: time.Now().Add(left)}}}
		if got := lifeOf(state); got > want || got < want-10*time.Second {
			t.Errorf("with a certificate for %v: %v, want %v", left, got, want)
		}
	}
}
