package probe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// TransportOptions says how connections are made. Targets with equal options share a Transport.
type TransportOptions struct {
	TLS   TLS
	Proxy string // URL, empty for none; the environment's proxies are ignored
	HTTP2 bool
	Reuse bool // keep connections between probes
}

// Transport makes connections; it is shared by all targets with the same
// options, because one for each costs a quarter more CPU and much memory.
type Transport struct {
	http           *http.Transport
	dialNameServer func(ctx context.Context, network, addr string) (net.Conn, error)
}

const (
	maxHeaderBytes = 64 << 10
	idleTimeout    = 5 * time.Minute // longer than most intervals, so that reuse means reuse
	idlePerHost    = 64
	// A kept HTTP/2 connection on which nothing arrives is tested, and given up.
	pingAfter   = 30 * time.Second
	pingTimeout = 15 * time.Second
)

// NewTransport reads the files that options name; its error names the file, never its content.
func NewTransport(options TransportOptions) (*Transport, error) {
	tlsConfig, err := options.TLS.Config()
	if err != nil {
		return nil, err
	}
	transport := &Transport{dialNameServer: dialNameServer}
	t := &http.Transport{
		DialContext:     transport.dial,
		TLSClientConfig: tlsConfig,
		// Through a proxy a kept connection could not be ended with its probe while it is made.
		DisableKeepAlives:      !options.Reuse || options.Proxy != "",
		DisableCompression:     true, // the documented request does not ask for it
		MaxResponseHeaderBytes: maxHeaderBytes,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    idlePerHost,
		Protocols:              new(http.Protocols),
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
	t.Protocols.SetHTTP1(true)
	t.Protocols.SetHTTP2(options.HTTP2)
	if options.Proxy != "" {
		proxy, err := url.Parse(options.Proxy)
		if err != nil {
			return nil, fmt.Errorf("proxy_url is not a URL")
		}
		t.Proxy = http.ProxyURL(proxy)
	}
	transport.http = t
	return transport, nil
}

// dial dials within the life of the probe that asked: net/http's own context
// is detached from it, so that a dial or handshake would outlive its probe.
func (tr *Transport) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	t := traceOf(ctx)
	err := t.dialing()
	if err != nil {
		return nil, err
	}
	// A resolver of its own: in a shared one, lookups of the same name would wait for each other.
	conn, err := dial(t, &net.Resolver{PreferGo: true, Dial: tr.dialNameServer}, addr)
	if err != nil || tr.reuse() && !t.secure {
		return conn, err
	}
	if !tr.reuse() {
		return conn, t.bind(func() { _ = conn.Close() })
	}
	shared := &kept{Conn: conn}
	return shared, t.bind(shared.abort)
}

// follow returns the context for the request of the probe that t follows.
func (tr *Transport) follow(t *trace) context.Context {
	t.hooks = httptrace.ClientTrace{
		GetConn:           func(string) { t.wantsConnection() },
		TLSHandshakeStart: func() { t.enterDialing(PhaseTLS) },
		TLSHandshakeDone: func(state tls.ConnectionState, err error) {
			t.handshook(shown(state, err), err == nil)
			if tr.reuse() {
				t.unbind()
			}
		},
		GotConn: func(got httptrace.GotConnInfo) {
			t.reached(got.Conn.RemoteAddr())
			t.hasConnection(got.Conn)
		},
		GotFirstResponseByte: func() { t.enter(PhaseTransfer) },
		Got1xxResponse:       func(int, textproto.MIMEHeader) error { return t.informed() },
	}
	return httptrace.WithClientTrace(t.ctx, &t.hooks)
}

// roundTrip sends req, whose context is from follow, and follows no redirect. It tries again if the connection was taken
// away by the probe that had dialed it and ended: net/http does so only where a connection has been used before.
func (tr *Transport) roundTrip(t *trace, req *http.Request) (*http.Response, error) {
	t.secure = req.URL.Scheme == "https"
	resp, err := tr.pool().RoundTrip(req)
	if err == nil || !t.robbed() {
		return resp, err
	}
	if req.GetBody != nil {
		req.Body, _ = req.GetBody() // never an error
	}
	return tr.pool().RoundTrip(req)
}

// pool returns what holds the connections of one probe. net/http lets one
// probe take the HTTP/2 connection that another has just made, also where none
// is to be kept: a fresh one then needs a pool of its own.
func (tr *Transport) pool() *http.Transport {
	if tr.reuse() || !tr.http.Protocols.HTTP2() {
		return tr.http
	}
	return tr.http.Clone()
}

func (tr *Transport) reuse() bool { return !tr.http.DisableKeepAlives }

const (
	// resolutionDelay is how long the second address family is waited for once the first is there (RFC 8305).
	resolutionDelay = 50 * time.Millisecond
	// fallbackDelay is how long the first family has to connect before the second is tried beside it, as in package net.
	fallbackDelay = 300 * time.Millisecond
	// leastAttempt is the least time an address gets while others wait, as in package net.
	leastAttempt = 2 * time.Second
)

// dial resolves and connects to addr (host:port), telling t how far it is.
//
// net.Dialer itself would wait for both address families to resolve, and so
// let a lost AAAA answer fail a probe that has its A.
func dial(t *trace, resolver *net.Resolver, addr string) (net.Conn, error) {
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, &net.AddrError{Err: "not host:port"}
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, &net.AddrError{Err: "port is not a number"}
	}
	conn, err := dialHost(t, resolver, host, uint16(port))
	if err != nil {
		return nil, err
	}
	t.reached(conn.RemoteAddr())
	return conn, nil
}

func dialHost(t *trace, resolver *net.Resolver, host string, port uint16) (net.Conn, error) {
	literal, err := netip.ParseAddr(host)
	if err == nil {
		t.enterDialing(PhaseConnect)
		return connectInTurn(t.ctx, []netip.Addr{literal}, port)
	}
	ctx, cancel := context.WithCancel(t.ctx) // of a lookup that nobody waits for any more
	defer cancel()
	t.enterDialing(PhaseResolve)
	addrs, late, err := lookup(ctx, resolver, host)
	if err != nil {
		return nil, err
	}
	t.enterDialing(PhaseConnect)
	return connect(ctx, addrs, late, port)
}

// lateFamily waits for the addresses of the family whose answer had not come in time; none come if it has none. The nil
// function is of a family that has answered.
type lateFamily func(context.Context) []netip.Addr

// dialNameServer lets a query end with its lookup; package net would leave it
// behind until its own timeout, five seconds later.
func dialNameServer(ctx context.Context, network, addr string) (net.Conn, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, network, addr)
	if err == nil {
		context.AfterFunc(ctx, func() { _ = conn.Close() })
	}
	return conn, err
}

type lookedUp struct {
	addrs []netip.Addr
	err   error
}

// lookup returns the addresses of host, IPv6 first. It waits for one family, gives the other resolutionDelay, and goes on to
// look for it until ctx ends: the first family may be dead.
func lookup(ctx context.Context, resolver *net.Resolver, host string) ([]netip.Addr, lateFamily, error) {
	families := [...]string{"ip6", "ip4"}
	var answers [len(families)]lookedUp
	arrived := make(chan int, len(families))
	for i, family := range families {
		go func() {
			answers[i].addrs, answers[i].err = resolver.LookupNetIP(ctx, family, host)
			arrived <- i
		}()
	}
	return firstFamilies(ctx, answers[:], arrived)
}

func firstFamilies(ctx context.Context, answers []lookedUp, arrived <-chan int) ([]netip.Addr, lateFamily, error) {
	var (
		byFamily = make([][]netip.Addr, len(answers))
		late     <-chan time.Time
		waiting  lateFamily
		err      error
	)
	for range answers {
		select {
		case i := <-arrived:
			byFamily[i] = answers[i].addrs
			err = worse(err, answers[i].err)
			if len(answers[i].addrs) > 0 && late == nil {
				late = time.After(resolutionDelay)
			}
			continue
		case <-late:
			waiting = func(ctx context.Context) []netip.Addr {
				select {
				case i := <-arrived:
					return atMost(maxAddrs/2, answers[i].addrs)
				case <-ctx.Done():
					return nil
				}
			}
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
		break
	}
	addrs := inTurn(byFamily)
	if len(addrs) > 0 {
		return addrs, waiting, nil
	}
	return nil, nil, err
}

// maxAddrs is how many addresses a dial tries: a name may have hundreds.
const maxAddrs = 16

// inTurn returns at most maxAddrs addresses, as many of each family as the other leaves, and those of a family together.
func inTurn(byFamily [][]netip.Addr) []netip.Addr {
	v6, v4 := byFamily[0], byFamily[1]
	room := maxAddrs - min(len(v4), maxAddrs/2)
	v6 = atMost(room, v6)
	return slices.Concat(v6, atMost(maxAddrs-len(v6), v4))
}

func atMost(n int, addrs []netip.Addr) []netip.Addr { return addrs[:min(n, len(addrs))] }

// worse keeps the error that says more: "no such host" of one family says nothing about the other.
func worse(a, b error) error {
	if a == nil || isNotFound(a) && b != nil {
		return b
	}
	return a
}

// connect tries the first address's family, and after fallbackDelay the other family beside it, also if that comes late.
func connect(ctx context.Context, addrs []netip.Addr, late lateFamily, port uint16) (net.Conn, error) {
	split := 0
	for split < len(addrs) && isIPv4(addrs[split]) == isIPv4(addrs[0]) {
		split++
	}
	if split == len(addrs) && late == nil {
		return connectInTurn(ctx, addrs, port)
	}
	first := func(ctx context.Context) (net.Conn, error) { return connectInTurn(ctx, addrs[:split], port) }
	if split < len(addrs) {
		return race(ctx, first, func(ctx context.Context) (net.Conn, error) { return connectInTurn(ctx, addrs[split:], port) })
	}
	return race(ctx, first, func(ctx context.Context) (net.Conn, error) {
		addrs := late(ctx)
		if len(addrs) == 0 {
			return nil, errNoAddress
		}
		return connectInTurn(ctx, addrs, port)
	})
}

// errNoAddress ends the attempt of a late family that has no address: what the other says counts.
var errNoAddress = errors.New("no address of this family")

type dialed struct {
	conn net.Conn
	err  error
}

// race returns the first connection that either attempt makes; the second
// attempt starts when the first has failed or fallbackDelay has passed.
func race(ctx context.Context, first, second func(context.Context) (net.Conn, error)) (net.Conn, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan dialed, 2)
	start := func(attempt func(context.Context) (net.Conn, error)) {
		conn, err := attempt(ctx)
		results <- dialed{conn, err}
	}
	go start(first)
	delay := time.NewTimer(fallbackDelay)
	defer delay.Stop()
	running, started := 1, false
	var firstErr error
	for running > 0 {
		select {
		case r := <-results:
			running--
			if r.err == nil {
				go closeLate(results, running)
				return r.conn, nil
			}
			if firstErr == nil || errors.Is(firstErr, errNoAddress) || lacksFamily(firstErr) && !errors.Is(r.err, errNoAddress) {
				firstErr = r.err
			}
		case <-delay.C:
		}
		if !started {
			started = true
			running++
			go start(second)
		}
	}
	return nil, firstErr
}

// closeLate takes the n results that nobody waits for any more.
func closeLate(results <-chan dialed, n int) {
	for range n {
		r := <-results
		if r.err == nil {
			_ = r.conn.Close()
		}
	}
}

// connectInTurn tries one address after the other, each with its share of the time left.
func connectInTurn(ctx context.Context, addrs []netip.Addr, port uint16) (net.Conn, error) {
	var firstErr error
	for i, addr := range addrs {
		dialer := net.Dialer{Deadline: attemptDeadline(ctx, len(addrs)-i)}
		conn, err := dialer.DialContext(ctx, "tcp", netip.AddrPortFrom(addr, port).String())
		if err == nil {
			return conn, nil
		}
		if firstErr == nil {
			firstErr = err
		}
	}
	return nil, firstErr
}

func attemptDeadline(ctx context.Context, left int) time.Time {
	deadline, ok := ctx.Deadline()
	if !ok || left == 1 {
		return deadline
	}
	now := time.Now()
	share := now.Add(max(deadline.Sub(now)/time.Duration(left), leastAttempt))
	if share.After(deadline) {
		return deadline
	}
	return share
}
