package demo

import (
	"crypto/tls"
	"time"
)

// EndCertificate gives the institution's gateway a new certificate that ends at
// end, for the handshakes from then on. A name outside the scenario panics.
func (p *Platform) EndCertificate(institution string, end time.Time) error {
	g := p.gateway(institution)
	certificate, err := p.ca.issue(serverName(institution), end.Sub(p.ca.now))
	if err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.certificate = certificate
	return nil
}

// present is what a handshake with the gateway shows.
func (g *gateway) present(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	certificate := g.certificate
	return &certificate, nil
}
