package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// What is wrong is said before anything listens, and nothing of the file is quoted.
func TestBadWebConfig(t *testing.T) {
	testkit.NoLeaks(t)
	dir := t.TempDir()
	config := configure(t, dir, "http://127.0.0.1:1", "org")
	testkit.WriteFile(t, dir, "cert.pem", "canary\n")
	for content, want := range map[string]string{
		"basic_auth_user: {}\n":                                             `line 1: unknown key "basic_auth_user"`,
		"basic_auth_users: canary\n":                                        "line 1: not YAML, or not a value that this key may have",
		"\tcanary\n":                                                        "not YAML",
		"basic_auth_users: {ali: canary}\n":                                 "a password under basic_auth_users is not a bcrypt hash",
		"tls_server_config: {key_file: cert.pem}\n":                         "tls_server_config has no cert_file",
		"tls_server_config: {cert_file: cert.pem}\n":                        "tls_server_config has no key_file",
		"tls_server_config: {cert_file: missing.pem, key_file: cert.pem}\n": "cert_file cannot be read",
		"tls_server_config: {cert_file: cert.pem, key_file: missing.pem}\n": "key_file cannot be read",
		"tls_server_config: {cert_file: cert.pem, key_file: cert.pem}\n":    "cert_file and key_file are not a certificate and its key",
		"":                                "the file is empty: write what clients must show, or leave out --web.config.file",
		"# canary\n":                      "the file is empty: write what clients must show, or leave out --web.config.file",
		"---\n...\n":                      "the file is empty: write what clients must show, or leave out --web.config.file",
		"basic_auth_users:\n":             "line 1: basic_auth_users has no value: complete it, or take it out",
		"basic_auth_users: {}\n":          "line 1: basic_auth_users has no value: complete it, or take it out",
		"# canary\nhttp_server_config:\n": "line 2: http_server_config has no value: complete it, or take it out",
		"tls_server_config:\n":            "line 1: tls_server_config has no value: complete it, or take it out",
		"http_server_config: {headers: {X-Canary: canary}}\n": "http_server_config has a header that may not be set, or to this value",
	} {
		web := testkit.WriteFile(t, dir, "web.yml", content)
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

// What a web configuration has once demanded, only a restart gives up: a file that is emptied or cut opens no door.
func TestWebConfigThatDemandsLess(t *testing.T) {
	testkit.NoLeaks(t)
	dir := t.TempDir()
	const demanding = "basic_auth_users:\n  ali: $2a$04$KSPyqap2d1TpNt79xsRRVeZAz7pxvNh3GbIaSaYisdOv.fXeHsPpW\n" // bcrypt of sesame
	web := testkit.WriteFile(t, dir, "web.yml", demanding)
	s := start(t, "--config.file="+configure(t, dir, answering(t, wellAnswer), "org"), "--web.config.file="+web)
	status := func(path, password string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.address+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if password != "" {
			r.SetBasicAuth("ali", password)
		}
		got, _ := send(t, r)
		return got
	}
	want := func(when string, healthy, without, wrong, right int) {
		t.Helper()
		got := []int{status("/-/healthy", "sesame"), status("/metrics", ""), status("/metrics", "x"), status("/metrics", "sesame")}
		if diff := cmp.Diff([]int{healthy, without, wrong, right}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	want("at the start", 200, 401, 401, 200)
	for _, less := range []string{"", "basic_auth_users:\n", "http_server_config: {http2: true}\n", "# nothing\n"} {
		testkit.WriteFile(t, dir, "web.yml", less)
		want(fmt.Sprintf("with %q", less), 200, 500, 500, 500)
	}
	testkit.WriteFile(t, dir, "web.yml", demanding)
	want("as before", 200, 401, 401, 200)
	if n := strings.Count(s.err.String(), "the web configuration demands less than before"); n != 1 {
		t.Errorf("said %d times:\n%s", n, s.err)
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
	testkit.WriteFile(t, dir, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})))
	testkit.WriteFile(t, dir, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	roots = x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return testkit.WriteFile(t, dir, "web.yml", "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"), roots
}

func TestDemoPrintsItsRealAddress(t *testing.T) {
	testkit.NoLeaks(t)
	web, roots := certify(t, t.TempDir())
	s := start(t, "demo", "--web.config.file="+web, "--web.telemetry-path=/numbers")
	url := "https://" + s.address
	testkit.Eventually(t, "the address", func() bool { return strings.Contains(s.out.String(), "metrics       "+url+"/numbers\n") })
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

func TestDemoPrintsEveryListener(t *testing.T) {
	testkit.NoLeaks(t)
	s := start(t, "demo", "--web.listen-address=:0") // and the one that start adds
	testkit.Eventually(t, "both addresses", func() bool { return strings.Count(s.out.String(), "status page") == 2 })
	for _, want := range []string{"status page   http://localhost:", "status page   http://127.0.0.1:"} {
		if !strings.Contains(s.out.String(), want) {
			t.Errorf("the demo does not say %q:\n%s", want, s.out)
		}
	}
	if strings.Contains(s.out.String(), ":0/") || strings.Count(s.out.String(), "A simulated platform") != 1 {
		t.Errorf("the demo says:\n%s", s.out)
	}
}

// self writes a certificate for 127.0.0.1 that signs itself, NAME.pem and NAME.key.
func self(t *testing.T, dir, name string) (pair tls.Certificate, roots *x509.CertPool) {
	t.Helper()
	c := testkit.NewCA(name, testkit.Hosts("127.0.0.1", name), testkit.ExtKeyUsage(x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth))
	c.Files(t, dir, name)
	return c.TLS(), c.Pool()
}

// scrapeTLS sends GET /metrics over TLS and returns the status, 0 if there is no answer.
func (b server) scrapeTLS(t *testing.T, config *tls.Config, http2 bool) int {
	t.Helper()
	var protocols http.Protocols
	protocols.SetHTTP1(!http2)
	protocols.SetHTTP2(http2)
	transport := &http.Transport{TLSClientConfig: config, Protocols: &protocols}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "https://"+b.address+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestMutualTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, roots := self(t, dir, "server")
	friend, _ := self(t, dir, "friend")
	stranger, _ := self(t, dir, "stranger")
	web := testkit.WriteFile(t, dir, "web.yml", "tls_server_config: {cert_file: server.pem, key_file: server.key, "+
		"client_ca_file: friend.pem, client_auth_type: RequireAndVerifyClientCert}\n")
	b := startServer(t, "--web.config.file="+web)
	for range 100 {
		b.hold(t, "\x16\x03\x01\x02\x00\x01") // a handshake that stalls
	}
	for name, c := range map[string]struct {
		config *tls.Config
		want   int
	}{
		"friend":        {&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{friend}}, 200},
		"stranger":      {&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{stranger}}, 0},
		"nobody":        {&tls.Config{RootCAs: roots}, 0},
		"old TLS":       {&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{friend}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, 0},
		"half a friend": {&tls.Config{RootCAs: roots, Certificates: []tls.Certificate{{Certificate: friend.Certificate, PrivateKey: stranger.PrivateKey}}}, 0},
	} {
		for _, http2 := range []bool{false, true} {
			if got := b.scrapeTLS(t, c.config, http2); got != c.want {
				t.Errorf("%s, HTTP/2 %t: %d, want %d", name, http2, got, c.want)
			}
		}
	}
	if got := testkit.ReadUntilClosed(t, b.hold(t, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")); !strings.HasPrefix(got, "HTTP/1.0 400 ") {
		t.Errorf("without TLS: %.200q", got)
	}
	b.keepsProbing(t)

	replace(t, web, "basic_auth_users: canary\n")
	if got := b.scrapeTLS(t, &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{friend}}, false); got != 0 {
		t.Errorf("with a web configuration that has become bad: %d", got)
	}
	testkit.Eventually(t, "the fault in the log", func() bool {
		return strings.Contains(b.err.String(), "--web.config.file: line 1: not YAML, or not a value")
	})
	if strings.Contains(b.err.String(), "canary") {
		t.Errorf("the log quotes the web configuration:\n%s", b.err)
	}
}

// A flood of wrong passwords, each of which costs as much as a right one, delays right ones, but no probe.
func TestPasswordsGuessed(t *testing.T) {
	t.Parallel()
	// The password is "open sesame", at bcrypt's lowest cost.
	web := testkit.WriteFile(t, t.TempDir(), "web.yml", "basic_auth_users: {ali: $2a$04$Y5TVrdENIHRWfgFcv2pz6uasNlLDKIPyCBRh8vBCLS2CPFNd97kxy}\n")
	b := startServer(t, "--web.config.file="+web)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for i := range 10 {
				if got := b.login(t, "ali", strings.Repeat("x", 1+7*i)); got != 401 {
					t.Errorf("a wrong password: %d", got)
				}
			}
		})
	}
	if got := b.login(t, "ali", "open sesame"); got != 200 {
		t.Errorf("with the password: %d", got)
	}
	b.keepsProbing(t)
	all.Wait()
	if got := b.login(t, "ali", strings.Repeat("x", 100<<10)); got != 431 {
		t.Errorf("a password of 100 KiB: %d, want 431", got)
	}
}

func (b server) login(t *testing.T, user, password string) (status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+b.address+"/metrics", nil)
	if err != nil {
		t.Error(err)
		return 0
	}
	r.SetBasicAuth(user, password)
	r.Close = true
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Error(err)
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	web := testkit.WriteFile(t, t.TempDir(), "web.yml", "rate_limit: {interval: 1h, burst: 3}\n")
	b := startServer(t, "--web.config.file="+web)
	for i, want := range []int{200, 200, 200, 429, 429} {
		status, _ := b.request(t, "GET", "/-/healthy")
		if status != want {
			t.Errorf("request %d: %d, want %d", i+1, status, want)
		}
	}
	b.keepsProbing(t)
}
