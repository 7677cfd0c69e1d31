package main

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// permanentFaults are the causes that a newcomer sees from the start.
func permanentFaults() map[string]string {
	return map[string]string{
		"himolde api inspera":                "key forbidden",
		"ntnu api fs-gemini":                 "backend not_json",
		"ntnu api krr":                       "backend backend_unauthorized",
		"ntnu api stillinger":                "backend slow",
		"ntnu auth ansatte":                  "gateway not_refused",
		"uib api freg":                       "gateway no_such_api",
		"uib auth freg":                      "gateway no_such_api",
		"uib rabbitmq system-production-fs":  "broker blocked",
		"uib api inspera":                    "key rate_limited",
		"uio api ansatte":                    "backend backend_timeout",
		"uio rabbitmq system-production-bas": "broker queue_missing",
		"uit api fs-emner":                   "network body",
		"uit api organisasjoner":             "key key_rejected",
		"uit rabbitmq system-production-fs":  "key login_refused",
	}
}

// The demo's promise: all of it soon, at a pace that shows something.
func TestDemo(t *testing.T) {
	testkit.NoLeaks(t)
	dir := filepath.Join(t.TempDir(), "made", "by the demo")
	s := start(t, "demo", "--write-config="+dir)
	config := filepath.Join(dir, "config.yml")
	testkit.Eventually(t, "where to look", func() bool { return strings.Contains(s.out.String(), "check --config.file="+config) })
	served := permanentFaults()
	testkit.Eventually(t, "every standing fault", func() bool { return maps.Equal(s.metrics(t).reasons(), served) })
	testkit.Eventually(t, "every family", func() bool { return len(absent(t, s.metrics(t))) == 0 })
	now := s.metrics(t)
	bounded(t, now, "integra_probe_interval_seconds", 15)
	bounded(t, now, "integra_probe_last_duration_seconds", 5)
	bounded(t, now, "integra_probe_timeout_seconds", 5)
	if soon := ending(now, 11*24*time.Hour); soon == 0 {
		t.Error("no certificate is about to end")
	}
	for _, series := range []string{
		`integra_key_superseded{institution="uib",kind="api",target="stillinger"}`,
		`integra_key_expiry_state{institution="himolde",kind="api",state="unknown",target="fs-emner"}`,
		`integra_key_expiry_state{institution="uio",kind="api",state="never",target="fs-emner"}`,
		`integra_key_expiry_state{institution="oslomet",kind="api",state="dated",target="organisasjoner"}`,
		`integra_key_expiry_state{institution="uio",kind="key",state="dated",target="brom-token"}`,
		`integra_gravitee_success{institution="uio"}`,
	} {
		if now[series] != 1 {
			t.Errorf("%s: %v, want 1", series, now[series])
		}
	}
	for _, cause := range []string{"overlap", "capacity"} {
		n, there := now[`integra_exporter_runs_skipped_total{cause="`+cause+`"}`]
		if !there || n != 0 {
			t.Errorf("runs skipped for %s: %v %t, want 0", cause, n, there)
		}
	}
	checkBeside(t, config)
	s.stop()
	<-s.ended
	if s.failed != nil {
		t.Error(s.failed)
	}
	again := start(t, "demo", "--write-config="+dir)
	testkit.Eventually(t, "a success with the new ports and keys", func() bool {
		return len(again.metrics(t).family("integra_probe_last_success_timestamp_seconds")) > 0
	})
}

func absent(t *testing.T, now series) (names []string) {
	t.Helper()
	for _, name := range documentedFamilies(t) {
		if len(now.family(name)) == 0 {
			names = append(names, name)
		}
	}
	return names
}

func bounded(t *testing.T, now series, name string, most float64) {
	t.Helper()
	for key, value := range now.family(name) {
		if value > most {
			t.Errorf("%s: %v, want at most %v", key, value, most)
		}
	}
}

func ending(now series, within time.Duration) (n int) {
	end := float64(time.Now().Add(within).Unix())
	for _, expiry := range now.family("integra_tls_certificate_expiry_timestamp_seconds") {
		if expiry < end {
			n++
		}
	}
	return n
}

// checkBeside runs check with the configuration that the demo has written.
func checkBeside(t *testing.T, config string) {
	t.Helper()
	got := execute(t, "check", "--output=json", "--config.file="+config)
	if got.code != 1 {
		t.Errorf("check beside the demo: exit code %d, want 1\n%s", got.code, got.err)
	}
	found := map[string]string{}
	for _, d := range checkedJSON(t, got.out) {
		if d["success"] == false {
			found[d["institution"].(string)+" "+d["kind"].(string)+" "+d["target"].(string)] = d["layer"].(string) + " " + d["reason"].(string)
		}
	}
	if diff := cmp.Diff(permanentFaults(), found); diff != "" {
		t.Errorf("check beside the demo (-want +got):\n%s", diff)
	}
}
