package probe

import (
	"bufio"
	"context"
	"io"
	"net"
	"time"
)

// never is the sight of a probe that got no answer.
func never(reason Reason, layer Layer, phases string) sight {
	return sight{Reason: reason, Layer: layer, Phases: phases}
}

// unanswered is never, behind a handshake that was all right.
func unanswered(reason Reason, layer Layer, phases string) sight {
	return sight{Reason: reason, Layer: layer, Phases: phases, Cert: verified}
}

// resetsAtOnce ends the connection with RST without reading.
func resetsAtOnce(_ *door, c net.Conn) { reset(c) }

// closesAtOnce ends the connection without reading.
func closesAtOnce(*door, net.Conn) {}

// endsAtOnce says that it will send nothing more, and goes on reading.
func endsAtOnce(_ *door, c net.Conn) {
	end, _ := c.(interface{ CloseWrite() error })
	_ = end.CloseWrite()
	_, _ = io.Copy(io.Discard, c)
}

// resetsAfter answers with raw, and RST behind it.
func resetsAfter(raw string) script {
	return func(d *door, c net.Conn) {
		_ = d.receive(bufio.NewReader(c))
		_, _ = io.WriteString(c, raw)
		reset(c)
	}
}

func toHost(name string) func(*plan) {
	return func(p *plan) { p.URL.Host = name + ":" + p.URL.Port() }
}

// plain serves without TLS.
func plain(s script) func(*lab) *door {
	return func(l *lab) *door { return serve(l.T, nil, s) }
}

// nobody is a port on which nobody listens.
func nobody(l *lab) *door {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	_ = ln.Close()
	return &door{port: port}
}

// halfOpen is a port whose connections the system makes, and no program takes.
func halfOpen(l *lab) *door {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = ln.Close() })
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	return &door{port: port}
}

func deaf(l *lab) *door { return &door{port: fullBacklog(l.T)} }

const (
	goodAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
	earlyHints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
	inTLS      = "while in phase tls"
	cutInTLS   = "the connection was closed during the handshake"
	cutOff     = "the answer was cut off"
)

func viaProxy(s script) func(*plan) {
	return func(p *plan) { p.Proxy = "http://127.0.0.1:" + serve(p.lab.T, nil, s).port }
}

var tcpFaults = []gatewayRow{
	{
		name: "the port is closed", server: nobody,
		want: never(ReasonConnect, LayerNetwork, toConnect), detail: "connection refused",
	},
	{
		name: "the port is closed, the gateway given by its address", server: nobody, edit: toHost("127.0.0.1"),
		want: never(ReasonConnect, LayerNetwork, "connect"), detail: "connection refused",
	},
	{
		name: "no answer to the first packet (a full listen backlog)", server: deaf, waits: true,
		want: never(ReasonTimeout, LayerNetwork, toConnect), detail: "while in phase connect",
	},
	{
		name: "half-open: connected, but no program takes the connection", server: halfOpen, waits: true,
		want: never(ReasonTimeout, LayerNetwork, toTLS), detail: inTLS,
	},
	{
		name: "half-open without TLS: the request goes nowhere", server: halfOpen, waits: true, edit: unsecured,
		want: never(ReasonGatewayTimeout, LayerGateway, "resolve connect processing"),
	},
	{
		name: "closed as soon as it is connected", server: plain(endsAtOnce),
		want: never(ReasonTLS, LayerGateway, toTLS), detail: cutInTLS,
	},
	{
		name: "reset in the handshake", server: plain(func(_ *door, c net.Conn) {
			_, _ = c.Read(make([]byte, 5))
			reset(c)
		}),
		want: never(ReasonTLS, LayerGateway, toTLS), detail: cutInTLS,
	},
	{
		name: "closed in the handshake", server: plain(func(d *door, c net.Conn) {
			_, _ = io.CopyN(io.Discard, c, 5)
			endsAtOnce(d, c)
		}),
		want: never(ReasonTLS, LayerGateway, toTLS), detail: cutInTLS,
	},
	{name: "closed after the handshake", script: closesAtOnce, want: unanswered(ReasonInvalidResponse, LayerGateway, toProcessing)},
	{name: "reset after the handshake", script: resetsAtOnce, want: unanswered(ReasonInvalidResponse, LayerGateway, toProcessing)},
	{
		name: "half-closed after the handshake: it reads, but says it will not speak", script: endsAtOnce,
		want: unanswered(ReasonInvalidResponse, LayerGateway, toProcessing), detail: closedEarly,
	},
	{
		name: "closed after the request", script: hangsUp,
		want: unanswered(ReasonInvalidResponse, LayerGateway, toProcessing), detail: closedEarly,
	},
	{
		name: "reset after the request", script: resets,
		want: unanswered(ReasonInvalidResponse, LayerGateway, toProcessing), detail: closedEarly,
	},
	{
		name: "reset in the header of the answer", script: resetsAfter("HTTP/1.1 200 OK\r\nX-A: b\r\n"),
		want: unanswered(ReasonInvalidResponse, LayerGateway, toTransfer), detail: notHTTP,
	},
	{
		name: "reset in the body", script: resetsAfter("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + goodJSON),
		want: answered(ReasonBody, LayerNetwork, 200, len(goodJSON)), detail: cutOff,
	},
	{
		name: "silence after the request", script: silence, waits: true,
		want: unanswered(ReasonGatewayTimeout, LayerGateway, toProcessing),
	},
	{
		name: "the proxy is gone", server: nobody, edit: func(p *plan) { p.Proxy = "http://127.0.0.1:" + p.URL.Port() },
		want: never(ReasonConnect, LayerNetwork, "connect"), detail: "connection refused",
	},
	{
		name: "the proxy is silent", server: nobody, edit: viaProxy(silence), waits: true,
		want: never(ReasonTimeout, LayerNetwork, "connect"), detail: "while in phase connect",
	},
	{
		name: "the proxy refuses", server: nobody, edit: viaProxy(answers(response("403 Forbidden", canary))),
		want: never(ReasonConnect, LayerNetwork, "connect"), detail: "no connection",
	},
}

// nameServer answers for the gateway's name with what is said of it.
func nameServer(a, aaaa named) func(*plan) {
	return func(p *plan) {
		p.lab.nameServer = newNameServer(p.lab.T, zone{gatewayName: {typeA: a, typeAAAA: aaaa}})
	}
}

// noNameServer asks a port where nobody listens.
func noNameServer(p *plan) {
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		p.lab.Fatal(err)
	}
	gone := socket.LocalAddr().String()
	_ = socket.Close()
	p.lab.nameServer = func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialNameServer(ctx, "udp", gone)
	}
}

var (
	here = named{addrs: []string{"127.0.0.1"}}
	// away is an address of this machine at which nobody listens.
	away    = named{addrs: []string{"127.0.0.9"}}
	lost    = named{silent: true}
	broken  = named{rcode: servfail}
	unknown = named{rcode: nxdomain}
)

func unresolved(name string, edit func(*plan), detail string) gatewayRow {
	return gatewayRow{
		name: name, script: silence, edit: edit,
		want: never(ReasonDNS, LayerNetwork, toResolve), detail: detail,
	}
}

func (r gatewayRow) waiting() gatewayRow {
	r.waits = true
	return r
}

func resolvesAnyway(name string, a, aaaa named) gatewayRow {
	return gatewayRow{
		name: name, script: answers(goodAnswer), edit: nameServer(a, aaaa),
		want: answered("", "", 200, 2),
	}
}

const noAnswer = gatewayName + ": the resolver answered with an error or not at all"

var resolverFaults = []gatewayRow{
	unresolved("the name does not exist (NXDOMAIN)", nameServer(unknown, unknown), gatewayName+": no such host"),
	unresolved("the name has no address (no data)", nameServer(named{}, named{}), gatewayName+": no such host"),
	unresolved("the resolver fails (SERVFAIL)", nameServer(broken, broken), noAnswer),
	unresolved("the resolver fails for one family, the other has no address", nameServer(broken, named{}), noAnswer),
	unresolved("the resolver is silent", nameServer(lost, lost), "no answer from the resolver in time").waiting(),
	unresolved("the resolver is silent for one family, the other does not exist", nameServer(lost, unknown),
		"no answer from the resolver in time").waiting(),
	unresolved("the resolver is gone: nobody listens there", noNameServer, noAnswer),
	{
		name: "a wrong address, where nobody listens", script: silence, edit: nameServer(away, named{}),
		want: never(ReasonConnect, LayerNetwork, toConnect), detail: "connection refused",
	},
	distrusted("the certificate is for another name").of("a wrong address, where somebody else answers", strangersPair),
	resolvesAnyway("a wrong address beside the right one", named{addrs: []string{"127.0.0.9", "127.0.0.1"}}, named{}),
	resolvesAnyway("the answer for AAAA comes a second late", here, named{delay: time.Second}),
	resolvesAnyway("the answer for AAAA is lost", here, lost),
	resolvesAnyway("the answer for AAAA is SERVFAIL", here, broken),
}
