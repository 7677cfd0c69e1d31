package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

// What is wrong is said before anything listens, and nothing of the file is quoted.
func TestBadWebConfig(t *testing.T) {
	noLeaks(t)
	dir := t.TempDir()
	config := configure(t, dir, "http://127.0.0.1:1", "org")
	write(t, dir, "cert.pem", "canary\n")
	for content, want := range map[string]string{
		"basic_auth_user: {}\n":                                             `line 1: unknown key "basic_auth_user"`,
		"basic_auth_users: canary\n":                                        "line 1: not YAML, or not a value that this key may have",
		"\tcanary\n":                                                        "not YAML",
		"basic_auth_users: {ali: canary}\n":                                 "a password under basic_auth_users is not a bcrypt hash",
		"tls_server_config: {key_file: cert.pem}\n":                         "tls_server_config has no cert_file",
		"tls_server_config: {cert_file: cert.pem}\n":                        "tls_server_config has no key_file",
		"tls_server_config: {cert_file: missing.pem, key_file: cert.pem}\n": "cert_file cannot be read",
		"tls_server_config: {cert_file: cert.pem, key_file: missing.pem}\n": "key_file cannot be read",
		"tls_server_config: {cert_file: cert.pem, key_file: cert.pem}\n":    "cert_file and key_file are no certificate with its key",
		"http_server_config: {headers: {X-Canary: canary}}\n":               "http_server_config has a header that may not be set, or to this value",
	} {
		web := write(t, dir, "web.yml", content)
		got := call(t, "--config.file="+config, "--web.config.file="+web, "--web.listen-address=127.0.0.1:0")
		if got.code != exitCannotStart || got.err != "--web.config.file "+web+": "+want+"\n" {
			t.Errorf("%q: exit code %d\n got %swant %s", content, got.code, got.err, want)
		}
	}
	missing := filepath.Join(dir, "missing.yml")
	got := call(t, "--config.file="+config, "--web.config.file="+missing)
	if got.code != exitCannotStart || got.err != "--web.config.file "+missing+": "+missing+" cannot be read\n" {
		t.Errorf("no file: %+v", got)
	}
}

// certify writes a web configuration with a certificate for 127.0.0.1, and returns its path and the issuer.
func certify(t *testing.T, dir string) (path string, roots *x509.CertPool) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	server.Close()
	pair := server.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})))
	write(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	roots = x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return write(t, dir, "web.yml", "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"), roots
}

func TestDemoGreetsWithItsRealAddress(t *testing.T) {
	noLeaks(t)
	web, roots := certify(t, t.TempDir())
	s := start(t, "demo", "--web.config.file="+web, "--web.telemetry-path=/numbers")
	url := "https://" + s.address
	eventually(t, "the address", func() bool { return strings.Contains(s.out.String(), "metrics       "+url+"/numbers\n") })
	if !strings.Contains(s.out.String(), "status page   "+url+"/\n") || strings.Contains(s.out.String(), "check it") {
		t.Errorf("the demo says:\n%s", s.out)
	}
	client := http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true,
	}}
	response, err := client.Get(url + "/numbers")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("status %d", response.StatusCode)
	}
}

func TestDemoGreetsFromEveryListener(t *testing.T) {
	noLeaks(t)
	s := start(t, "demo", "--web.listen-address=:0") // and the one that start adds
	eventually(t, "both addresses", func() bool { return strings.Count(s.out.String(), "status page") == 2 })
	for _, want := range []string{"status page   http://localhost:", "status page   http://127.0.0.1:"} {
		if !strings.Contains(s.out.String(), want) {
			t.Errorf("the demo does not say %q:\n%s", want, s.out)
		}
	}
	if strings.Contains(s.out.String(), ":0/") || strings.Count(s.out.String(), "A simulated platform") != 1 {
		t.Errorf("the demo says:\n%s", s.out)
	}
}

func TestReachedAt(t *testing.T) {
	for _, c := range []struct {
		address   net.Addr
		encrypted bool
		want      string
	}{
		{&net.TCPAddr{IP: net.IPv6unspecified, Port: 10056}, false, "http://localhost:10056"},
		{&net.TCPAddr{IP: net.IPv4zero, Port: 10056}, true, "https://localhost:10056"},
		{&net.TCPAddr{IP: net.IPv6loopback, Port: 1}, false, "http://[::1]:1"},
		{&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1}, true, "https://10.0.0.1:1"},
		{&net.UnixAddr{Name: "/run/integra.sock", Net: "unix"}, false, "unix /run/integra.sock"},
	} {
		if got := reachedAt(c.address, c.encrypted); got != c.want {
			t.Errorf("%v: %s, want %s", c.address, got, c.want)
		}
	}
}
