package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// configureFreg writes a configuration of one API whose answer is about a person, and returns its path.
func configureFreg(t *testing.T, platform *demo.Platform, dir string) string {
	t.Helper()
	_, path, _ := platform.Request("freg")
	return testkit.WriteFile(t, dir, "freg.yml", fmt.Sprintf(`
defaults: {interval: 2s, tls: {ca_file: ca.pem}}
apis:
  freg: {request: {path: %s, private: true}, unauthenticated: {interval: 2s}}
institutions:
  uib:
    gateway: %s
    tls: {server_name: %s}
    apis: {freg: {key_file: keys/uib-freg}}
`, path, platform.URL("uib"), platform.ServerName("uib")))
}

// leaked says that text holds nothing of what an open freg answers, and no key.
func leaked(t *testing.T, platform *demo.Platform, where, text string) {
	t.Helper()
	testkit.NoCanary(t, where, text)
	for _, sign := range []string{"identifikasjonsnummer", "foedselsEllerDNummer", platform.Key("uib", "freg")} {
		if strings.Contains(text, sign) {
			t.Errorf("%s holds %q", where, sign)
		}
	}
}

// Somebody opens a keyless hole in the gateway, and closes it again.
func TestAKeylessHole(t *testing.T) {
	testkit.NoLeaks(t)
	platform, config := simulate(t, true)
	config = configureFreg(t, platform, filepath.Dir(config))
	s := start(t, "--config.file="+config, "--log.level=debug")
	of := func(family, kind string) string {
		return fmt.Sprintf(`%s{institution="uib",kind=%q,target="freg"}`, family, kind)
	}
	success := func(kind string, want float64) func() bool {
		return func() bool {
			value, there := s.metrics(t)[of("integra_probe_success", kind)]
			return there && value == want
		}
	}
	testkit.Eventually(t, "a refusal", success("auth", 1))
	testkit.Eventually(t, "an answer", success("api", 1))

	platform.Set("uib", "freg", demo.KeyOpen)
	testkit.Eventually(t, "the hole to be seen", success("auth", 0))
	now := s.metrics(t)
	if diff := cmp.Diff(map[string]string{"uib auth freg": "gateway not_refused"}, now.reasons()); diff != "" {
		t.Errorf("what fails (-want +got):\n%s", diff)
	}
	for name, want := range map[string]float64{"integra_http_status_code": 200, "integra_http_response_size_bytes": 0} {
		got, there := now[of(name, "auth")]
		if !there || got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for name := range now.family("integra_probe_phase_duration_seconds") {
		if strings.Contains(name, `kind="auth"`) {
			t.Errorf("phases of one of two requests: %s", name)
		}
	}
	if now[of("integra_tls_certificate_verified", "auth")] != 1 {
		t.Error("the certificate was not seen")
	}
	lookEverywhere(t, platform, s, config)

	platform.Clear("uib", "freg")
	testkit.Eventually(t, "the hole to be closed", success("auth", 1))
	s.stop()
	<-s.ended
	leaked(t, platform, "the log at debug", s.err.String())
	for _, words := range []string{"target fails", "kind=auth target=freg success=false reason=not_refused", "target recovered"} {
		if !strings.Contains(s.err.String(), words) {
			t.Errorf("the log does not say %q:\n%s", words, s.err)
		}
	}
}

// lookEverywhere looks for the answer wherever the exporter writes while the hole is there.
func lookEverywhere(t *testing.T, platform *demo.Platform, s *served, config string) {
	t.Helper()
	for _, path := range []string{"/metrics", "/"} {
		_, body := s.request(t, "GET", path)
		leaked(t, platform, path, body)
		if !strings.Contains(body, "not_refused") {
			t.Errorf("%s does not show the hole", path)
		}
	}
	table := call(t, "check", "--config.file="+config, "--kind=auth", "--log.level=debug")
	leaked(t, platform, "check", table.out+table.err)
	if table.code != 1 || !strings.Contains(table.out, "not_refused: HTTP status 200 without a key") {
		t.Errorf("check: exit code %d\n%s", table.code, table.out)
	}
	got := call(t, "check", "--config.file="+config, "--kind=auth", "--output=json")
	leaked(t, platform, "check --output=json", got.out+got.err)
	documents := checkedJSON(t, got.out)
	if len(documents) != 1 || documents[0]["kind"] != "auth" || documents[0]["reason"] != "not_refused" ||
		documents[0]["phases_seconds"] != nil || documents[0]["duration_seconds"].(float64) <= 0 {
		t.Errorf("check --output=json:\n%s", got.out)
	}
}
