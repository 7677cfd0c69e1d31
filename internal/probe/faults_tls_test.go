package probe

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// behind serves a good answer with the certificate that make returns.
func behind(make func(*lab) tls.Certificate) func(*lab) *door {
	return func(l *lab) *door { return serve(l.T, serverTLS(make(l)), answers(goodAnswer)) }
}

func expired(c *x509.Certificate) { c.NotAfter = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func issuedWith(edit func(*x509.Certificate)) func(*lab) tls.Certificate {
	return func(l *lab) tls.Certificate { return l.root.issue(l.T, gatewayName, edit) }
}

func distrusted(detail string) gatewayRow {
	return gatewayRow{want: sight{ReasonTLS, LayerGateway, toTLS, 0, 0, refused}, detail: detail}
}

func (r gatewayRow) of(name string, certificate func(*lab) tls.Certificate) gatewayRow {
	r.name, r.server = name, behind(certificate)
	return r
}

const untrusted = "the certificate's issuer is not trusted (self-signed, a private issuer, or an intermediate is missing)"

func requiresClient(l *lab, version uint16) *door {
	config := serverTLS(l.root.issue(l.T, gatewayName))
	config.MaxVersion, config.ClientAuth = version, tls.RequireAndVerifyClientCert
	config.ClientCAs = x509.NewCertPool()
	config.ClientCAs.AddCert(l.root.X509)
	return serve(l.T, config, answers(goodAnswer))
}

func forClients(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }

func strangersPair(l *lab) tls.Certificate { return l.root.issue(l.T, "gw-other.test") }

// below issues from an authority that edit may have spoilt, below the root.
func below(l *lab, edits ...testkit.Edit) tls.Certificate {
	return newAuthority(l.T, "intermediate", l.root, edits...).issue(l.T, gatewayName)
}

// shakes reads the beginning of the handshake, and sends raw.
func shakes(raw string) func(*lab) *door {
	return plain(func(_ *door, c net.Conn) {
		_, _ = c.Read(make([]byte, 4<<10))
		_, _ = io.WriteString(c, raw)
		_, _ = io.Copy(io.Discard, c)
	})
}

func handshakeFails(name string, server func(*lab) *door, detail string) gatewayRow {
	return gatewayRow{name: name, server: server, want: never(ReasonTLS, LayerGateway, toTLS), detail: detail}
}

// speaks serves with config as edit leaves it.
func speaks(edit func(*tls.Config)) func(*lab) *door {
	return func(l *lab) *door {
		config := serverTLS(l.root.issue(l.T, gatewayName))
		edit(config)
		return serve(l.T, config, answers(goodAnswer))
	}
}

func onlyOld(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS10, tls.VersionTLS11 }

func otherProtocol(c *tls.Config) { c.NextProtos = []string{"imap"} }

const (
	alerted   = "the server ended the handshake with an alert"
	noTLS     = "the port does not speak TLS"
	brokenTLS = "the handshake breaks the rules of TLS, or no version or cipher is in common"

	alertRecord = "\x15\x03\x03\x00\x02\x02" // and the alert
	handshake40 = "\x16\x03\x03\x00\x28"     // a record with 40 bytes of handshake
)

var helloOfTLS10 = "\x16\x03\x01\x00\x2a\x02\x00\x00\x26\x03\x01" + string(make([]byte, 32)) + "\x00\x00\x2f\x00"

var tlsFaults = []gatewayRow{
	distrusted("the certificate expired on 2026-01-02").of("the certificate has expired", issuedWith(expired)),
	distrusted("the certificate is not valid before 2126-01-02").of("the certificate is not yet valid",
		issuedWith(func(c *x509.Certificate) {
			c.NotBefore = time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC)
			c.NotAfter = c.NotBefore.Add(day)
		})),
	distrusted("the certificate is for another name").of("the certificate is for another name", strangersPair),
	distrusted("the certificate is for another name").of("the certificate has its name only where browsers stopped looking (no SAN)",
		issuedWith(func(c *x509.Certificate) { c.DNSNames = nil })),
	distrusted(untrusted).of("the certificate is self-signed", func(l *lab) tls.Certificate {
		return (*authority)(nil).issue(l.T, gatewayName)
	}),
	distrusted(untrusted).of("the certificate is from an unknown issuer", func(l *lab) tls.Certificate {
		return newAuthority(l.T, "stranger", nil).issue(l.T, gatewayName)
	}),
	distrusted(untrusted).of("the intermediate certificate is missing", func(l *lab) tls.Certificate {
		pair := below(l)
		pair.Certificate = pair.Certificate[:1]
		return pair
	}),
	distrusted("the certificate expired on 2026-01-02").of("the intermediate certificate has expired",
		func(l *lab) tls.Certificate { return below(l, expired) }),
	distrusted("the certificate is not valid for a server").of("the certificate is for clients only", issuedWith(forClients)),
	handshakeFails("the certificate cannot be read", behind(func(l *lab) tls.Certificate {
		pair := l.root.issue(l.T, gatewayName)
		pair.Certificate[0] = []byte(canary)
		return pair
	}), brokenTLS),
	handshakeFails("only TLS 1.0 and 1.1, and it says so", speaks(onlyOld), alerted),
	handshakeFails("only TLS 1.0, whatever is asked for", shakes(helloOfTLS10), brokenTLS),
	handshakeFails("an alert: handshake failure", shakes(alertRecord+"\x28"), alerted),
	handshakeFails("an alert: unrecognized name", shakes(alertRecord+"\x70"), alerted),
	handshakeFails("garbage instead of a handshake", shakes(handshake40+string(make([]byte, 40))), brokenTLS),
	handshakeFails("plain HTTP on the port", plain(says("HTTP/1.1 400 Bad Request\r\n\r\n"+canary)), noTLS),
	{
		name: "the handshake stalls before it begins", server: plain(silence), waits: true,
		want: never(ReasonTimeout, LayerNetwork, toTLS), detail: inTLS,
	},
	{
		name: "the handshake stalls in the middle", server: shakes(handshake40), waits: true,
		want: never(ReasonTimeout, LayerNetwork, toTLS), detail: inTLS,
	},
	handshakeFails("no application protocol in common", speaks(otherProtocol), alerted).with(http2),
	{
		name:   "a client certificate is missing, TLS 1.3",
		server: func(l *lab) *door { return requiresClient(l, tls.VersionTLS13) },
		want:   unanswered(ReasonTLS, LayerGateway, toProcessing), detail: alerted,
	},
	{
		name:   "a client certificate is missing, TLS 1.2",
		server: func(l *lab) *door { return requiresClient(l, tls.VersionTLS12) },
		want:   never(ReasonTLS, LayerGateway, toTLS), detail: alerted,
	},
	{
		name: "TLS on the port, and http:// is configured", edit: unsecured, server: plain(answers(alertRecord + "\x46")),
		want: never(ReasonInvalidResponse, LayerGateway, "resolve connect processing transfer"), detail: notHTTP,
	},
}

func (r gatewayRow) with(edit func(*plan)) gatewayRow {
	r.edit = edit
	return r
}

var tlsControls = []gatewayRow{
	{
		name: "intermediate sent", server: behind(func(l *lab) tls.Certificate { return below(l) }),
		want: answered("", "", 200, 2),
	},
	{
		name: "server name instead of the host", server: behind(strangersPair),
		edit: func(p *plan) { p.TLS.ServerName = "gw-other.test" },
		want: answered("", "", 200, 2),
	},
	{
		name:   "client certificate shown",
		server: func(l *lab) *door { return requiresClient(l, tls.VersionTLS13) },
		edit: func(p *plan) {
			p.TLS.CertFile, p.TLS.KeyFile = pairFiles(p.lab.T, p.lab.root.issue(p.lab.T, "client", forClients))
		},
		want: answered("", "", 200, 2),
	},
}
