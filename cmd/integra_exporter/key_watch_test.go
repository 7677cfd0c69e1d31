package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// A credential is looked at when the exporter starts, and when its file changes, an hour or not.
func TestWatchedCredentials(t *testing.T) {
	testkit.NoLeaks(t)
	uio := manage(t, demo.Options{}, "", "{name: token, jwt_file: keys/token}, {name: ended, expires: 2020-01-01}, {name: never, expires: never}")
	end := time.Now().Add(100 * time.Hour)
	testkit.WriteFile(t, uio.dir, "keys/token", jwtOf(canary, end))
	s := start(t, "--config.file="+uio.config)
	success := func(target string) string {
		return fmt.Sprintf(`integra_probe_success{institution="uio",kind="key",target=%q}`, target)
	}
	reasons := func(want string) func() bool {
		return func() bool { return s.metrics(t).reasons()["uio key token"] == want }
	}
	testkit.Eventually(t, "the first look", func() bool {
		return s.metrics(t).present(map[string]float64{
			success("token"): 1, success("ended"): 0, success("never"): 1,
			keyEnd("key", "token", "jwt"): float64(end.Unix()), keyEnd("key", "ended", "config"): 1577836800,
			keyState("key", "never", "never"): 1, keyState("key", "ended", "dated"): 1,
			`integra_probe_interval_seconds{institution="uio",kind="key",target="token"}`: 3600,
		})
	})
	if got := s.metrics(t).reasons()["uio key ended"]; got != "key key_expired" {
		t.Errorf("ended: %q", got)
	}
	token := testkit.WriteFile(t, uio.dir, "keys/token", jwtOf(canary, time.Now().Add(-time.Hour)))
	testkit.Eventually(t, "the token that has ended", reasons("key key_expired"))
	err := os.Remove(token)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the file that is gone", reasons("key key_unreadable"))
	if now := s.metrics(t); !now.present(map[string]float64{keyState("key", "token", "unknown"): 1}) || len(now.family("integra_key_expiry_timestamp_seconds")) != 1 {
		t.Errorf("an end that nobody can read: %v", now.family("integra_key_expiry_timestamp_seconds"))
	}
	testkit.WriteFile(t, uio.dir, "keys/token", jwtOf(canary, end))
	testkit.Eventually(t, "the new token", reasons(""))
	s.stop()
	<-s.ended
	testkit.NoCanary(t, "the log", s.err.String())
}

// What is about an institution goes with it, and its loops end.
func TestReloadForgetsAnInstitution(t *testing.T) {
	testkit.NoLeaks(t)
	uio := manage(t, demo.Options{}, "", "{name: never, expires: never}")
	s := start(t, "--config.file="+uio.config, "--web.enable-lifecycle")
	testkit.Eventually(t, "a reading", func() bool { return s.metrics(t)[managerRead] == 1 })
	ca := `integra_tls_ca_expiry_timestamp_seconds{institution="uio"}`
	if end := s.metrics(t)[ca]; end < float64(time.Now().Unix()) {
		t.Errorf("%s: %v", ca, end)
	}
	config, err := os.ReadFile(uio.config)
	if err != nil {
		t.Fatal(err)
	}
	replaceInFile(t, uio.config, "    gravitee: ", "    # ")
	s.request(t, "POST", "/-/reload")
	now := s.metrics(t)
	if len(now.family("integra_gravitee_success"))+len(now.family("integra_key_superseded")) != 0 || now[ca] == 0 {
		t.Errorf("something is left of the API manager: %v", now.family("integra_gravitee_success"))
	}
	testkit.WriteFile(t, uio.dir, "config.yml", string(config))
	s.request(t, "POST", "/-/reload")
	testkit.Eventually(t, "a reading anew", func() bool { return s.metrics(t)[managerRead] == 1 })
	testkit.WriteFile(t, uio.dir, "config.yml", "institutions: {ntnu: {keys: [{name: a, expires: never}]}}\n")
	s.request(t, "POST", "/-/reload")
	for _, family := range []string{"integra_gravitee_success", "integra_gravitee_last_success_timestamp_seconds", "integra_tls_ca_expiry_timestamp_seconds"} {
		if left := s.metrics(t).family(family); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	}
	if got := s.metrics(t).family("integra_key_expiry_state"); len(got) != 3 {
		t.Errorf("states: %v", got)
	}
}

// The series of a certificate that has expired stays, with the past date, while the probe fails.
func TestExpiredServerCertificate(t *testing.T) {
	testkit.NoLeaks(t)
	dir := t.TempDir()
	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	address, certificate := expiredServer(t, past)
	config := configure(t, dir, address, "org")
	replaceInFile(t, config, "timeout: 1s", "timeout: 1s, tls: {ca_file: ca.pem}")
	testkit.WriteFile(t, dir, "ca.pem", certificate)
	s := start(t, "--config.file="+config)
	testkit.Eventually(t, "three runs", func() bool { return s.metrics(t)[of("integra_probe_runs_total", "org")] >= 3 })
	now := s.metrics(t)
	for name, want := range map[string]float64{
		"integra_tls_certificate_expiry_timestamp_seconds": float64(past.Unix()), "integra_tls_certificate_verified": 0, "integra_probe_success": 0,
	} {
		if got, there := now[of(name, "org")]; !there || got != want {
			t.Errorf("%s: %v %t, want %v", name, got, there, want)
		}
	}
	if got := now[`integra_tls_ca_expiry_timestamp_seconds{institution="uio"}`]; got != float64(past.Unix()) {
		t.Errorf("the authority's end: %v", got)
	}
	if diff := cmp.Diff(map[string]string{"uio api org": "gateway tls"}, now.reasons()); diff != "" {
		t.Errorf("what fails (-want +got):\n%s", diff)
	}
	if _, there := now[of("integra_key_accepted", "org")]; there {
		t.Error("nobody has seen the key")
	}
}

// expiredServer listens with a certificate that has ended, and returns its address and the certificate in PEM.
func expiredServer(t *testing.T, end time.Time) (address, certificate string) {
	t.Helper()
	c := testkit.NewCA("expired", testkit.Hosts("127.0.0.1"), testkit.NotAfter(end))
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // a refused handshake is what is wanted
	server.TLS = &tls.Config{Certificates: []tls.Certificate{c.TLS()}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, string(c.PEM())
}
