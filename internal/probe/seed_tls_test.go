package probe

import (
	"crypto/tls"
	"crypto/x509"
	"time"
)

// behind serves a good answer with the certificate that make returns.
func behind(make func(*lab) tls.Certificate) func(*lab) *door {
	return func(l *lab) *door { return serve(l.T, serverTLS(make(l)), answers(goodAnswer)) }
}

func expired(c *x509.Certificate) { c.NotAfter = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }

func issuedWith(edit func(*x509.Certificate)) func(*lab) tls.Certificate {
	return func(l *lab) tls.Certificate { return l.root.issue(l.T, gatewayName, edit) }
}

func distrusted(detail string) seedCase {
	return seedCase{want: sight{ReasonTLS, LayerGateway, toTLS, 0, 0, refused}, detail: detail}
}

func (c seedCase) of(name string, certificate func(*lab) tls.Certificate) seedCase {
	c.name, c.server = name, behind(certificate)
	return c
}

const untrusted = "the certificate's issuer is not trusted (self-signed, a private issuer, or an intermediate is missing)"

func requiresClient(l *lab, version uint16) *door {
	config := serverTLS(l.root.issue(l.T, gatewayName))
	config.MaxVersion, config.ClientAuth = version, tls.RequireAndVerifyClientCert
	config.ClientCAs = x509.NewCertPool()
	config.ClientCAs.AddCert(l.root.certificate)
	return serve(l.T, config, answers(goodAnswer))
}

func forClients(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }

var tlsCases = []seedCase{
	distrusted("the certificate expired on 2026-01-02").of("certificate expired",
		issuedWith(expired)),
	distrusted("the certificate is not valid before 2126-01-02").of("certificate not yet valid",
		issuedWith(func(c *x509.Certificate) {
			c.NotBefore = time.Date(2126, 1, 2, 3, 4, 5, 0, time.UTC)
			c.NotAfter = c.NotBefore.Add(day)
		})),
	distrusted(untrusted).of("certificate self-signed", func(l *lab) tls.Certificate {
		return (*authority)(nil).issue(l.T, gatewayName)
	}),
	distrusted("the certificate is for another name").of("certificate for another name", func(l *lab) tls.Certificate {
		return l.root.issue(l.T, "gw-other.test")
	}),
	distrusted(untrusted).of("certificate of an unknown issuer", func(l *lab) tls.Certificate {
		return newAuthority(l.T, "stranger", nil).issue(l.T, gatewayName)
	}),
	distrusted(untrusted).of("intermediate missing", func(l *lab) tls.Certificate {
		pair := newAuthority(l.T, "intermediate", l.root).issue(l.T, gatewayName)
		pair.Certificate = pair.Certificate[:1]
		return pair
	}),
	distrusted("the certificate is not valid for a server").of("certificate for clients only", issuedWith(forClients)),
	{
		name: "intermediate sent",
		server: behind(func(l *lab) tls.Certificate {
			return newAuthority(l.T, "intermediate", l.root).issue(l.T, gatewayName)
		}),
		want: answered("", "", 200, 2),
	},
	{
		name:   "server name instead of the host",
		server: behind(func(l *lab) tls.Certificate { return l.root.issue(l.T, "gw-other.test") }),
		edit:   func(p *plan) { p.TLS.ServerName = "gw-other.test" },
		want:   answered("", "", 200, 2),
	},
	{
		name:   "client certificate missing, TLS 1.3",
		server: func(l *lab) *door { return requiresClient(l, tls.VersionTLS13) },
		want:   unanswered(ReasonTLS, LayerGateway, toProcessing), detail: "the server ended the handshake with an alert",
	},
	{
		name:   "client certificate missing, TLS 1.2",
		server: func(l *lab) *door { return requiresClient(l, tls.VersionTLS12) },
		want:   never(ReasonTLS, LayerGateway, toTLS), detail: "the server ended the handshake with an alert",
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
