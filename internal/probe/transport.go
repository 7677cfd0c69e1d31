package probe

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
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
	return conn, t.bind(conn)
}

func (tr *Transport) reuse() bool { return !tr.http.DisableKeepAlives }

// pool returns what holds the connections of one probe. net/http lets one
// probe take the HTTP/2 connection that another has just made, also where none
// is to be kept: a fresh one then needs a pool of its own.
func (tr *Transport) pool() *http.Transport {
	if tr.reuse() || !tr.http.Protocols.HTTP2() {
		return tr.http
	}
	return tr.http.Clone()
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
			t.hasConnection()
		},
		GotFirstResponseByte: func() { t.enter(PhaseTransfer) },
		Got1xxResponse:       func(int, textproto.MIMEHeader) error { return t.informed() },
	}
	return httptrace.WithClientTrace(t.ctx, &t.hooks)
}

// roundTrip sends req, whose context is from follow, once and follows no redirect.
func (tr *Transport) roundTrip(t *trace, req *http.Request) (*http.Response, error) {
	t.secure = req.URL.Scheme == "https"
	return tr.pool().RoundTrip(req)
}
