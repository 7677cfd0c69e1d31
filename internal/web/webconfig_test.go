package web

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// FuzzWebConfig holds that no web configuration makes the program panic, and
// that what is wrong is said on one line that quotes no value of it.
func FuzzWebConfig(f *testing.F) {
	const hash = "$2a$04$Y5TVrdENIHRWfgFcv2pz6uasNlLDKIPyCBRh8vBCLS2CPFNd97kxy"
	for _, content := range []string{
		"", "{}", "basic_auth_users: {ali: " + hash + "}\n", "basic_auth_users: {ali: " + testkit.Canary + "}\n", "basic_auth_users: [" + testkit.Canary + "]\n",
		"tls_server_config: {cert_file: cert.pem, key_file: key.pem, min_version: TLS13, cipher_suites: [" + testkit.Canary + "]}\n",
		"tls_server_config:\n  cert: " + testkit.Canary + "\n  key: |\n    -----BEGIN PRIVATE KEY-----\n    " + testkit.Canary + "\n",
		"tls_server_config:\n  cert_file: cert.pem\n  key_file: |\n    -----BEGIN PRIVATE KEY-----\n    " + testkit.Canary + "/\n",
		"tls_server_config: {client_auth_type: " + testkit.Canary + ", client_ca_file: x, curve_preferences: [X25519]}\n", "http_server_config: {http2: " + testkit.Canary + "}\n",
		"http_server_config: {headers: {X-A: [" + testkit.Canary + "], Strict-Transport-Security: " + testkit.Canary + "}}\n", "a: &a [*a, *a]\n", "? [" + testkit.Canary + "]\n", "\t" + testkit.Canary,
		"rate_limit: {interval: 1s, burst: 20}\n", "rate_limit: {interval: " + testkit.Canary + "}\n", "<<: {basic_auth_users: " + testkit.Canary + "}\n", "--- " + testkit.Canary + "\n---\n",
	} {
		f.Add([]byte(content))
	}
	path := filepath.Join(f.TempDir(), "web.yml")
	err := os.WriteFile(filepath.Join(filepath.Dir(path), "cert.pem"), []byte(testkit.Canary), 0o600)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		err := os.WriteFile(path, content, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		err = CheckConfigFile(path)
		if err == nil {
			return
		}
		said, ours := strings.CutPrefix(err.Error(), "--web.config.file "+path+": ")
		if !ours || said == "" || strings.ContainsFunc(said, unicode.IsControl) {
			t.Errorf("not a sentence of ours: %q", err)
		}
		if strings.Contains(said, testkit.Canary) && !strings.Contains(said, "unknown key") {
			t.Errorf("a value is quoted: %q", said)
		}
	})
}
