package probe

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

const day = 24 * time.Hour

// authority signs certificates.
type authority struct{ *testkit.Certificate }

// newAuthority returns an authority below parent; nil for a root.
func newAuthority(_ *testing.T, name string, parent *authority, edits ...testkit.Edit) *authority {
	if parent == nil {
		return &authority{testkit.NewCA(name, edits...)}
	}
	return &authority{parent.IssueCA(name, edits...)}
}

// issue returns a server certificate for host, with edits, and the chain below the root; the nil authority lets it sign itself.
func (a *authority) issue(_ *testing.T, host string, edits ...testkit.Edit) tls.Certificate {
	if a == nil {
		return testkit.SelfSigned(host, edits...).TLS()
	}
	return a.Issue(host, edits...).TLS()
}

func (a *authority) file(t *testing.T) string {
	t.Helper()
	return writePEM(t, "CERTIFICATE", a.X509.Raw)
}

func writePEM(t *testing.T, kind string, der []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.pem")
	err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// pairFiles writes pair as the two files of mutual TLS.
func pairFiles(t *testing.T, pair tls.Certificate) (certFile, keyFile string) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return writePEM(t, "CERTIFICATE", pair.Certificate[0]), writePEM(t, "PRIVATE KEY", der)
}

func serverTLS(certificates ...tls.Certificate) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: certificates}
}
