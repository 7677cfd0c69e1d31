package probe

import (
	"crypto/tls"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// What becomes wrong with our own client certificate after the start is no fault of the gateway or the broker.
func TestOurOwnFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil  func(t *testing.T, l *lab, cert, key string)
		want   Reason
		detail string
	}{
		"in order":        {func(*testing.T, *lab, string, string) {}, "", ""},
		"gone":            {func(_ *testing.T, _ *lab, cert, _ string) { _ = os.Remove(cert) }, ReasonKeyUnreadable, "are not a readable client certificate"},
		"the key is gone": {func(_ *testing.T, _ *lab, _, key string) { _ = os.Remove(key) }, ReasonKeyUnreadable, "are not a readable client certificate"},
		"half renewed":    {func(t *testing.T, l *lab, cert, _ string) { identify(t, l, cert, filepath.Join(t.TempDir(), "other")) }, ReasonKeyUnreadable, "are not a readable client certificate"},
		"cut off":         {func(_ *testing.T, _ *lab, cert, _ string) { _ = os.Truncate(cert, 40) }, ReasonKeyUnreadable, "are not a readable client certificate"},
		"ended": {func(t *testing.T, l *lab, cert, key string) {
			identify(t, l, cert, key, testkit.NotAfter(time.Now().AddDate(0, 0, -1)))
		}, ReasonKeyExpired, "ended on "},
		"renewed in place": {func(t *testing.T, l *lab, cert, key string) { identify(t, l, cert, key) }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			dir := t.TempDir()
			cert, key := filepath.Join(dir, "own.pem"), filepath.Join(dir, "own.key")
			identify(t, l, cert, key)
			config := serverTLS(l.root.issue(t, gatewayName))
			config.ClientAuth = tls.RequireAnyClientCert
			d := serve(t, config, answers(goodAnswer))
			p := l.plan(d.port)
			p.TLS.CertFile, p.TLS.KeyFile = cert, key
			api := p.prober()
			broker, err := NewAMQP(Broker{
				URL: &url.URL{Scheme: "amqps", Host: "127.0.0.1:" + d.port}, Username: "u", Vhost: "v", Password: secret.Literal{Value: secret.New("p")},
				TLS: TLS{CAFile: l.rootFile, ServerName: gatewayName, CertFile: cert, KeyFile: key},
			}, NewShared())
			if err != nil {
				t.Fatal(err)
			}
			c.spoil(t, l, cert, key)
			_, err = run(t, api, ample)
			expectReason(t, err, c.want)
			if !strings.Contains(DetailOf(err), c.detail) || c.want != "" && !strings.Contains(DetailOf(err), cert) {
				t.Errorf("detail %q", DetailOf(err))
			}
			_, err = run(t, broker, ample)
			if reason, layer := ReasonOf(err); c.want != "" && (reason != c.want || layer != LayerKey) {
				t.Errorf("broker: %v", err)
			}
		})
	}
}

// identify writes a client certificate and its key.
func identify(t *testing.T, l *lab, cert, key string, edits ...testkit.Edit) {
	t.Helper()
	pair := l.root.Issue("exporter", edits...)
	for path, content := range map[string][]byte{cert: pair.PEM(), key: pair.KeyPEM()} {
		err := os.WriteFile(path, content, 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
}
