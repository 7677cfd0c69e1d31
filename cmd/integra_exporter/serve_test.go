package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

func answering(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func wellAnswer(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`[{"id":1}]`))
}

func TestServe(t *testing.T) {
	testkit.NoLeaks(t)
	keys := make(chan string, 100)
	gateway := answering(t, func(w http.ResponseWriter, r *http.Request) {
		keys <- r.Header.Get("X-Gravitee-Api-Key") + " " + r.URL.Path
		wellAnswer(w, r)
	})
	s := start(t, "--config.file="+configure(t, t.TempDir(), gateway, "org"))
	if got := <-keys; got != "the-key /org/" {
		t.Errorf("the gateway saw %q", got)
	}
	testkit.Eventually(t, "a success in /metrics", func() bool { return s.metrics(t)[of("integra_probe_success", "org")] == 1 })
	for path, want := range map[string]string{
		"/": "All targets are OK", "/target?institution=uio&kind=api&target=org": "✓ ok", "/api/v1/targets": `"state": "ok"`,
		"/-/healthy": "healthy", "/-/ready": "ready", "/metrics": "go_goroutines",
	} {
		status, body := s.request(t, "GET", path)
		if status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d\n%s", path, status, body)
		}
	}
	for path, want := range map[string]int{"/-/reload": 405, "/debug/pprof/": 404, "/nowhere": 404} {
		status, _ := s.request(t, "GET", path)
		if status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
	status, _ := s.request(t, "POST", "/-/reload")
	if status != 403 {
		t.Errorf("reload without --web.enable-lifecycle: %d, want 403", status)
	}
	s.stop()
	<-s.ended
	if s.failed != nil {
		t.Errorf("a stop is not an error: %v", s.failed)
	}
}

func TestStopWhileProbesHangAndAClientReads(t *testing.T) {
	var client net.Conn
	t.Cleanup(func() { _ = client.Close() }) // after the look for leaks
	testkit.NoLeaks(t)
	gateway := answering(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	config := configure(t, t.TempDir(), gateway, strings.Split("abcdefghijkl", "")...)
	replaceInFile(t, config, "interval: 1s, timeout: 1s", "interval: 1m, timeout: 1m")
	s := start(t, "--config.file="+config, "--web.enable-pprof")
	var err error
	client, err = net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(client, "GET /debug/pprof/trace?seconds=60 HTTP/1.1\r\nHost: x\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the client to be served", func() bool {
		_, stacks := s.request(t, "GET", "/debug/pprof/goroutine?debug=1")
		return strings.Contains(stacks, "pprof.Trace")
	})
	testkit.Eventually(t, "a probe in flight", func() bool { return s.metrics(t)["integra_exporter_probes_in_flight"] > 0 })
	began := time.Now()
	s.stop()
	<-s.ended
	if took := time.Since(began); took > 20*time.Second || s.failed != nil {
		t.Errorf("it took %s to stop, with %v; want at most 20s and no error", took, s.failed)
	}
}

func replaceInFile(t *testing.T, path, old, new string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), old) {
		t.Fatalf("%s does not hold %q", path, old)
	}
	err = os.WriteFile(path, []byte(strings.ReplaceAll(string(content), old, new)), 0o600)
	if err != nil {
		t.Fatal(err)
	}
}

func TestSIGTERM(t *testing.T) {
	t.Parallel()
	gateway := answering(t, wellAnswer)
	s, cmd := spawn(t, "serve", "--config.file="+configure(t, t.TempDir(), gateway, "org"))
	began := time.Now()
	err := cmd.Process.Signal(syscall.SIGTERM)
	if err != nil {
		t.Fatal(err)
	}
	<-s.ended
	if took := time.Since(began); took > 20*time.Second || s.failed != nil || s.out.String() != "" {
		t.Errorf("after %s: %v, stdout %q; want success and nothing within 20s", took, s.failed, s.out)
	}
}

func TestBasicAuth(t *testing.T) {
	testkit.NoLeaks(t)
	dir := t.TempDir()
	// The password is "open sesame", at bcrypt's lowest cost.
	web := testkit.WriteFile(t, dir, "web.yml", "basic_auth_users: {ali: $2a$04$Y5TVrdENIHRWfgFcv2pz6uasNlLDKIPyCBRh8vBCLS2CPFNd97kxy}\n")
	s := start(t, "--config.file="+configure(t, dir, answering(t, wellAnswer), "org"), "--web.config.file="+web)
	for _, path := range []string{"/", "/metrics", "/-/healthy"} {
		for password, want := range map[string]int{"": 401, "wrong": 401, "open sesame": 200} {
			r, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+s.address+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if password != "" {
				r.SetBasicAuth("ali", password)
			}
			status, _ := send(t, r)
			if status != want {
				t.Errorf("%s with password %q: %d, want %d", path, password, status, want)
			}
		}
	}
}

func TestTelemetryPathAndSeed(t *testing.T) {
	testkit.NoLeaks(t)
	s := start(t, "--config.file="+configure(t, t.TempDir(), answering(t, wellAnswer), "org"),
		"--web.telemetry-path=/integra/metrics", "--schedule.seed=b")
	for path, want := range map[string]int{"/metrics": 404, "/integra/metrics": 200} {
		status, _ := s.request(t, "GET", path)
		if status != want {
			t.Errorf("%s: %d, want %d", path, status, want)
		}
	}
}
