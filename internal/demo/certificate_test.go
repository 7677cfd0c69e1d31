package demo

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"
)

// endShown returns when the certificate ends that a handshake with the gateway shows.
func endShown(t *testing.T, p *Platform, institution string) time.Time {
	t.Helper()
	c, err := tls.Dial("tcp", strings.TrimPrefix(p.URL(institution), "https://"),
		&tls.Config{RootCAs: p.CA(), ServerName: p.ServerName(institution)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].NotAfter
}

func TestEndCertificate(t *testing.T) {
	p := start(t, quick())
	before := endShown(t, p, "uib")
	soon := time.Now().Add(3 * day).Truncate(time.Second)
	err := p.EndCertificate("uio", soon)
	if err != nil {
		t.Fatal(err)
	}
	got := endShown(t, p, "uio")
	if !got.Equal(soon) {
		t.Errorf("certificate ends %v, want %v", got, soon)
	}
	p.Set("uio", "", Refused)
	p.Clear("uio", "")
	got = endShown(t, p, "uio")
	if !got.Equal(soon) {
		t.Errorf("after a refusal: certificate ends %v, want %v", got, soon)
	}
	got = endShown(t, p, "uib")
	if !got.Equal(before) {
		t.Errorf("another's certificate: ends %v, want %v as before", got, before)
	}
}
