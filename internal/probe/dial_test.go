package probe

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	v4, v6 := []string{"127.0.0.1", "127.0.0.2"}, []string{"::1"}
	const deadline = 3 * time.Second
	for _, c := range []struct {
		name     string
		a, aaaa  named
		want     []string
		least    time.Duration // how long it must take
		most     time.Duration
		notFound bool
		timeout  bool
	}{
		{name: "both", a: named{addrs: v4}, aaaa: named{addrs: v6}, want: []string{"::1", "127.0.0.1", "127.0.0.2"}, most: deadline},
		{name: "no AAAA", a: named{addrs: v4}, want: v4, most: deadline},
		{name: "no A", aaaa: named{addrs: v6}, want: v6, most: deadline},
		{name: "AAAA lost", a: named{addrs: v4}, aaaa: named{silent: true}, want: v4, least: resolutionDelay, most: deadline},
		{name: "A lost", a: named{silent: true}, aaaa: named{addrs: v6}, want: v6, least: resolutionDelay, most: deadline},
		{
			name: "AAAA slow", a: named{addrs: v4}, aaaa: named{addrs: v6, delay: time.Second},
			want: v4, least: resolutionDelay, most: deadline,
		},
		{
			name: "AAAA a little later", a: named{addrs: v4}, aaaa: named{addrs: v6, delay: 10 * time.Millisecond},
			want: []string{"::1", "127.0.0.1", "127.0.0.2"}, least: 10 * time.Millisecond, most: deadline,
		},
		{
			name: "A slow", a: named{addrs: v4, delay: 200 * time.Millisecond}, aaaa: named{},
			want: v4, least: 200 * time.Millisecond, most: deadline,
		},
		{name: "AAAA fails", a: named{addrs: v4}, aaaa: named{rcode: servfail}, want: v4, most: deadline},
		{name: "NXDOMAIN", a: named{rcode: nxdomain}, aaaa: named{rcode: nxdomain}, most: deadline, notFound: true},
		{name: "no data", most: deadline, notFound: true},
		{name: "SERVFAIL", a: named{rcode: servfail}, aaaa: named{rcode: servfail}, most: deadline},
		{name: "SERVFAIL and no data", a: named{rcode: servfail}, most: deadline},
		{name: "no data and SERVFAIL", aaaa: named{rcode: servfail}, most: deadline},
		{name: "silence", a: named{silent: true}, aaaa: named{silent: true}, least: deadline, most: deadline + grace, timeout: true},
		{name: "NXDOMAIN and silence", a: named{silent: true}, aaaa: named{rcode: nxdomain}, least: deadline, most: deadline + grace, timeout: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			resolver := &net.Resolver{
				PreferGo: true,
				Dial:     newNameServer(t, zone{"host.test": {typeA: c.a, typeAAAA: c.aaaa}}),
			}
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			start := time.Now()
			addrs, _, err := lookup(ctx, resolver, "host.test")
			took := time.Since(start)
			if took < c.least || took > c.most {
				t.Errorf("took %v, want %v to %v", took, c.least, c.most)
			}
			diff := cmp.Diff(c.want, texts(addrs))
			if diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if (err == nil) != (c.want != nil) || isNotFound(err) != c.notFound || errors.Is(err, context.DeadlineExceeded) != c.timeout {
				t.Errorf("error %v", err)
			}
		})
	}
}

func texts(addrs []netip.Addr) []string {
	var list []string
	for _, a := range addrs {
		list = append(list, a.Unmap().String())
	}
	return list
}

// A lost AAAA costs a probe no more than the delay.
func TestLostAAAADoesNotFailAProbe(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := l.plan(l.gateway(answers(goodAnswer)).port)
	halfLost(p)
	seen, err := run(t, p.prober(), ample)
	if err != nil || seen.Phases[PhaseResolve] > ample/2 {
		t.Errorf("%v after resolving for %v", err, seen.Phases[PhaseResolve])
	}
}

// pipe is a connection that tells whether it was closed.
type pipe struct {
	net.Conn
	closed chan struct{}
}

func newPipe() *pipe { return &pipe{closed: make(chan struct{})} }

func (p *pipe) Close() error {
	close(p.closed)
	return nil
}

// attempt connects to conn, or fails with err, after d.
func attempt(d time.Duration, conn net.Conn, err error) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		select {
		case <-time.After(d):
			return conn, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// stubborn is attempt that heeds no context, as a connection that is made while it is canceled.
func stubborn(d time.Duration, conn net.Conn) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) {
		time.Sleep(d)
		return conn, nil
	}
}

func TestRace(t *testing.T) {
	t.Parallel()
	errFirst, errSecond := errors.New("first"), errors.New("second")
	const ms = time.Millisecond
	for _, c := range []struct {
		name          string
		first, second func(*pipe) func(context.Context) (net.Conn, error)
		want          string // first, second, or the error
		took          time.Duration
	}{
		{"first at once", after(0, nil), after(0, nil), "first", 0},
		{"first within the delay", after(299*ms, nil), after(0, nil), "first", 299 * ms},
		{"first fails at once", after(0, errFirst), after(5*ms, nil), "second", 5 * ms},
		{"first hangs", after(time.Hour, nil), after(5*ms, nil), "second", 305 * ms},
		{"first is late but faster", after(310*ms, nil), after(100*ms, nil), "first", 310 * ms},
		{"second fails first", after(400*ms, nil), after(5*ms, errSecond), "first", 400 * ms},
		{"both fail", after(5*ms, errFirst), after(5*ms, errSecond), "error first", 10 * ms},
		{"both fail, second before", after(400*ms, errFirst), after(5*ms, errSecond), "error second", 400 * ms},
		{"both hang", after(time.Hour, nil), after(time.Hour, nil), "error context deadline exceeded", time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				first, second := newPipe(), newPipe()
				start := time.Now()
				conn, err := race(ctx, c.first(first), c.second(second))
				got := map[net.Conn]string{first: "first", second: "second"}[conn]
				if err != nil {
					got = "error " + err.Error()
				}
				if got != c.want || time.Since(start) != c.took {
					t.Errorf("%s after %v, want %s after %v", got, time.Since(start), c.want, c.took)
				}
			})
		})
	}
}

func after(d time.Duration, err error) func(*pipe) func(context.Context) (net.Conn, error) {
	return func(p *pipe) func(context.Context) (net.Conn, error) {
		if err != nil {
			return attempt(d, nil, err)
		}
		return attempt(d, p, nil)
	}
}

func TestRaceClosesTheLateWinner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		late, winner := newPipe(), newPipe()
		conn, err := race(t.Context(), stubborn(time.Second, late), stubborn(0, winner))
		if err != nil || conn != winner {
			t.Fatalf("%v, %v", conn, err)
		}
		<-late.closed
		select {
		case <-winner.closed:
			t.Error("closed the winner")
		default:
		}
	})
}

func TestAttemptDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			left     time.Duration
			attempts int
			want     time.Duration
		}{
			{10 * time.Second, 1, 10 * time.Second},
			{10 * time.Second, 2, 5 * time.Second},
			{10 * time.Second, 4, 2500 * time.Millisecond},
			{10 * time.Second, 9, leastAttempt},
			{3 * time.Second, 2, leastAttempt},
			{time.Second, 3, time.Second},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), c.left)
			got := time.Until(attemptDeadline(ctx, c.attempts))
			cancel()
			if got != c.want {
				t.Errorf("%v for %d attempts: the next has %v, want %v", c.left, c.attempts, got, c.want)
			}
		}
		if !attemptDeadline(t.Context(), 3).IsZero() {
			t.Error("a deadline where there is none")
		}
	})
}

func TestConnect(t *testing.T) {
	t.Parallel()
	port := serve(t, nil, silence).port
	number, _ := strconv.ParseUint(port, 10, 16)
	for _, c := range []struct {
		name  string
		addrs []string
		most  time.Duration
	}{
		{"second address of a family", []string{"127.0.0.9", "127.0.0.1"}, fallbackDelay},
		{"second family", []string{"::1", "127.0.0.1"}, fallbackDelay},
		{"second family, as /etc/hosts says it", []string{"::1", "::ffff:127.0.0.1"}, fallbackDelay},
	} {
		var addrs []netip.Addr
		for _, text := range c.addrs {
			addrs = append(addrs, netip.MustParseAddr(text))
		}
		least := ample
		for range 10 { // as a busy machine delays some
			start := time.Now()
			conn, err := connect(t.Context(), addrs, nil, uint16(number))
			least = min(least, time.Since(start))
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			_ = conn.Close()
		}
		if least > c.most {
			t.Errorf("%s: took %v", c.name, least)
		}
	}
}

// A silent address leaves time for the next one of its family.
func TestConnectSharesTheTime(t *testing.T) {
	t.Parallel()
	port := fullBacklog(t) // 127.0.0.1 is silent, 127.0.0.2 has nobody
	number, _ := strconv.ParseUint(port, 10, 16)
	ln, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*leastAttempt)
	defer cancel()
	start := time.Now()
	conn, err := connect(ctx, []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")}, nil, uint16(number))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if took := time.Since(start); took < leastAttempt || took > leastAttempt+grace {
		t.Errorf("took %v", took)
	}
}

func TestIsIPv4(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"127.0.0.1": true, "::ffff:127.0.0.1": true, "::1": false} {
		if isIPv4(netip.MustParseAddr(text)) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}

// The family that answers first may be dead, and the other late.
func TestALateFamilyIsWaitedFor(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		a, aaaa named
		want    Reason
	}{
		"AAAA refuses, A is late":   {named{addrs: []string{"127.0.0.1"}, delay: time.Second}, named{addrs: []string{"::1"}}, ""},
		"AAAA refuses, A is none":   {named{rcode: nxdomain, delay: time.Second}, named{addrs: []string{"::1"}}, ReasonConnect},
		"AAAA refuses, A is broken": {named{rcode: servfail, delay: time.Second}, named{addrs: []string{"::1"}}, ReasonConnect},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			p := l.plan(l.gateway(answers(goodAnswer)).port)
			p.lab.nameServer = newNameServer(t, zone{gatewayName: {typeA: c.a, typeAAAA: c.aaaa}})
			_, err := run(t, p.prober(), ample)
			expectReason(t, err, c.want)
		})
	}
}

func TestADialTriesSoManyAddresses(t *testing.T) {
	t.Parallel()
	list := func(n int, format string) (addrs []netip.Addr) {
		for i := range n {
			addrs = append(addrs, netip.MustParseAddr(fmt.Sprintf(format, i+1)))
		}
		return addrs
	}
	for _, c := range [][4]int{{0, 0, 0, 0}, {1, 1, 1, 1}, {100, 100, 8, 8}, {100, 0, 16, 0}, {0, 100, 0, 16}, {100, 3, 13, 3}, {3, 100, 3, 13}} {
		got := inTurn([][]netip.Addr{list(c[0], "fd00::%d"), list(c[1], "10.0.0.%d")})
		six := 0
		for _, a := range got {
			if a.Is6() {
				six++
			}
		}
		if six != c[2] || len(got)-six != c[3] {
			t.Errorf("of %d and %d: %d and %d, want %d and %d", c[0], c[1], six, len(got)-six, c[2], c[3])
		}
	}
}
