package probe

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
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

const (
	goodAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
	earlyHints = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
)

// connectionCases fail, or nearly, before there is an answer.
var connectionCases = []seedCase{
	{
		name: "name unresolvable", script: silence, edit: toHost("nowhere.test"),
		want: never(ReasonDNS, LayerNetwork, toResolve), detail: "no such host",
	},
	{
		name: "resolver fails", script: silence, edit: func(p *plan) {
			toHost("broken.test")(p)
			p.lab.nameServer = newNameServer(p.lab.T, zone{"broken.test": {typeA: {rcode: servfail}, typeAAAA: {rcode: servfail}}})
		},
		want: never(ReasonDNS, LayerNetwork, toResolve), detail: "the resolver answered with an error or not at all",
	},
	{
		name: "resolver is silent", script: silence, timeout: soon, edit: func(p *plan) {
			toHost("lost.test")(p)
			p.lab.nameServer = newNameServer(p.lab.T, zone{"lost.test": {typeA: {silent: true}, typeAAAA: {silent: true}}})
		},
		want: never(ReasonDNS, LayerNetwork, toResolve), detail: "no answer from the resolver in time",
	},
	{
		name: "port closed", server: nobody,
		want: never(ReasonConnect, LayerNetwork, toConnect), detail: "connection refused",
	},
	{
		name: "port closed, by address", server: nobody, edit: toHost("127.0.0.1"),
		want: never(ReasonConnect, LayerNetwork, "connect"),
	},
	{
		name: "connecting hangs", server: func(l *lab) *door { return &door{port: fullBacklog(l.T)} }, timeout: soon,
		want: never(ReasonTimeout, LayerNetwork, toConnect), detail: "while in phase connect",
	},
	{
		name: "silence before the handshake", server: plain(silence), timeout: soon,
		want: never(ReasonTimeout, LayerNetwork, toTLS), detail: "while in phase tls",
	},
	{
		name: "reset in the handshake", server: plain(func(_ *door, c net.Conn) {
			_, _ = c.Read(make([]byte, 5))
			reset(c)
		}),
		want: never(ReasonTLS, LayerGateway, toTLS), detail: "the connection was closed during the handshake",
	},
	{
		name: "closed in the handshake", server: plain(func(_ *door, c net.Conn) {
			_, _ = io.CopyN(io.Discard, c, 5)
			_ = c.(*net.TCPConn).CloseWrite()
			_, _ = io.Copy(io.Discard, c)
		}),
		want: never(ReasonTLS, LayerGateway, toTLS), detail: "the connection was closed during the handshake",
	},
	{
		name: "plain HTTP on the TLS port", server: plain(says("HTTP/1.1 400 Bad Request\r\n\r\n")),
		want: never(ReasonTLS, LayerGateway, toTLS), detail: "the port does not speak TLS",
	},
	{
		name: "alert in the handshake", server: func(l *lab) *door {
			config := serverTLS(l.root.issue(l.T, gatewayName))
			config.MaxVersion, config.MinVersion = tls.VersionTLS11, tls.VersionTLS10
			return serve(l.T, config, silence)
		},
		want: never(ReasonTLS, LayerGateway, toTLS), detail: "the server ended the handshake with an alert",
	},

	{name: "closed before an answer", script: hangsUp, want: unanswered(ReasonInvalidResponse, LayerGateway, toProcessing)},
	{name: "reset before an answer", script: resets, want: unanswered(ReasonInvalidResponse, LayerGateway, toProcessing)},
	{name: "closed before the request", script: closesAtOnce, want: unanswered(ReasonInvalidResponse, LayerGateway, toProcessing)},
	{name: "reset before the request", script: resetsAtOnce, want: unanswered(ReasonInvalidResponse, LayerGateway, toProcessing)},
	{
		name: "silence after accept", script: silence, timeout: soon,
		want: unanswered(ReasonGatewayTimeout, LayerGateway, toProcessing),
	},
	{
		name: "an SSH banner", script: answers("SSH-2.0-OpenSSH_9.2\r\n"),
		want: unanswered(ReasonInvalidResponse, LayerGateway, toTransfer),
	},
	{
		name: "garbage", script: answers("\x00\x01\x02\xff\xfe garbage\n\n"),
		want: unanswered(ReasonInvalidResponse, LayerGateway, toTransfer),
	},
	{
		name: "malformed status line", script: answers("HTTP/1.1 abc OK\r\n\r\n"),
		want: unanswered(ReasonInvalidResponse, LayerGateway, toTransfer),
	},
	{
		name: "malformed header", script: answers("HTTP/1.1 200 OK\r\nno colon\r\n\r\n{}"),
		want: unanswered(ReasonInvalidResponse, LayerGateway, toTransfer),
	},
	{
		name: "header cut off", script: answers("HTTP/1.1 200 OK\r\nX-A: b\r\n"),
		want: unanswered(ReasonInvalidResponse, LayerGateway, toTransfer),
	},
	{
		name: "header stalls", script: thenSilence("HTTP/1.1 200 OK\r\nX-A: b\r\n"), timeout: soon,
		want: unanswered(ReasonBody, LayerNetwork, toTransfer),
	},
	{
		name: "huge headers", script: answers(response("200 OK", "{}", "X-A: "+strings.Repeat("a", 128<<10))),
		want: unanswered(ReasonInvalidResponse, LayerGateway, toTransfer),
	},
	{
		name: "large headers", script: answers(response("200 OK", "{}", "X-A: "+strings.Repeat("a", 32<<10))),
		want: answered("", "", 200, 2),
	},

	{name: "100, then 200", script: answers("HTTP/1.1 100 Continue\r\n\r\n" + goodAnswer), want: answered("", "", 200, 2)},
	{name: "103, then 200", script: answers(earlyHints + goodAnswer), want: answered("", "", 200, 2)},
	{
		name: "103, then silence", script: thenSilence(earlyHints), timeout: soon,
		want: unanswered(ReasonGatewayTimeout, LayerGateway, toTransfer),
	},
	{
		name: "103, then closed", script: answers(earlyHints),
		want: unanswered(ReasonInvalidResponse, LayerGateway, toTransfer),
	},
	{
		name: "nothing but 103", script: answers(strings.Repeat(earlyHints, 10*maxInfos)),
		want: unanswered(ReasonInvalidResponse, LayerGateway, toTransfer),
	},
	{
		name: "101", script: answers("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n" + goodJSON),
		want: answered(ReasonStatus, LayerGateway, 101, 0),
	},
	{
		name: "plain HTTP by configuration", server: plain(answers(goodAnswer)), edit: func(p *plan) { p.URL.Scheme = "http" },
		want: sight{Phases: "resolve connect processing transfer", Status: 200, Size: 2},
	},
}
