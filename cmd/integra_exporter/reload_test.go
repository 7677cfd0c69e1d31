package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
)

func TestReloadByPOST(t *testing.T) {
	noLeaks(t)
	gateway := answering(t, wellAnswer)
	dir := t.TempDir()
	s := start(t, "--config.file="+configure(t, dir, gateway, "kept", "removed", "changed"), "--web.enable-lifecycle")
	reloads(t, s, dir, gateway, func() {
		status, body := s.request(t, "POST", "/-/reload")
		if status != 200 || body != "reloaded\n" {
			t.Errorf("a good reload: %d %q", status, body)
		}
	}, func() {
		status, body := s.request(t, "POST", "/-/reload")
		if status != 500 || !strings.Contains(body, dir+"/config.yml:3: ") || strings.Count(body, "config.yml:") != 2 {
			t.Errorf("a bad reload: %d, want 500 and both faults:\n%s", status, body)
		}
	})
}

func TestReloadBySIGHUP(t *testing.T) {
	t.Parallel()
	gateway := answering(t, wellAnswer)
	dir := t.TempDir()
	s, cmd := spawn(t, "--config.file="+configure(t, dir, gateway, "kept", "removed", "changed"))
	hangUp := func(line string) func() {
		return func() {
			before := strings.Count(s.err.String(), line)
			err := cmd.Process.Signal(syscall.SIGHUP)
			if err != nil {
				t.Fatal(err)
			}
			eventually(t, line, func() bool { return strings.Count(s.err.String(), line) > before })
		}
	}
	reloads(t, s, dir, gateway, hangUp("configuration loaded"), hangUp("configuration not usable, nothing changed"))
	for _, want := range []string{
		`msg="configuration: unknown key \"intervall\"; did you mean \"interval\"?" file=` + dir + "/config.yml line=3\n",
		`msg="configuration: timeout: \"never\" is not a duration such as 30s, 5m or 1d" file=` + dir + "/config.yml line=4\n",
		`msg="configuration not usable, nothing changed" file=` + dir + "/config.yml faults=2\n",
	} {
		if !strings.Contains(s.err.String(), want) {
			t.Errorf("the log does not say %s:\n%s", want, s.err)
		}
	}
	select {
	case <-s.ended:
		t.Error("it has ended")
	default:
	}
}

// reloads makes a bad reload and a good one, and looks at what becomes of the targets kept, removed and changed.
func reloads(t *testing.T, s *served, dir, gateway string, good, bad func()) {
	t.Helper()
	const successful, loadedAt = "integra_exporter_config_last_reload_successful",
		"integra_exporter_config_last_reload_success_timestamp_seconds"
	runs := func(target string) float64 { return s.metrics(t)[of("integra_probe_runs_total", target)] }
	eventually(t, "runs", func() bool { return runs("kept") > 0 && runs("removed") > 0 && runs("changed") > 0 })
	before := s.metrics(t)

	spoil(t, dir)
	bad()
	after := s.metrics(t)
	if after[successful] != 0 || after[loadedAt] != before[loadedAt] {
		t.Errorf("after a bad reload: successful %v, loaded %v, before %v", after[successful], after[loadedAt], before[loadedAt])
	}
	const rejected = "The configuration on disk was rejected at "
	_, page := s.request(t, "GET", "/")
	if !strings.Contains(page, rejected) || strings.Contains(page, "intervall") {
		t.Errorf("the page must say that the configuration was rejected, and not why:\n%s", page)
	}
	eventually(t, "all targets to go on", func() bool {
		now := s.metrics(t)
		for _, target := range []string{"kept", "removed", "changed"} {
			if now[of("integra_probe_runs_total", target)] <= after[of("integra_probe_runs_total", target)] {
				return false
			}
		}
		return true
	})

	counted := runs("kept")
	config := configure(t, dir, gateway, "kept", "changed", "added")
	replaceInFile(t, config, "{path: /changed/}", "{path: /changed/v2/}")
	good()
	after = s.metrics(t)
	if after[successful] != 1 || after[loadedAt] <= before[loadedAt] || after[`integra_exporter_targets{kind="api"}`] != 3 {
		t.Errorf("after a good reload: %v", after.family("integra_exporter_targets"))
	}
	for _, target := range []string{"kept", "changed"} {
		if after[of("integra_probe_runs_total", target)] < before[of("integra_probe_runs_total", target)] {
			t.Errorf("%s has lost its counts", target)
		}
	}
	_, page = s.request(t, "GET", "/")
	if strings.Contains(page, rejected) {
		t.Errorf("the page still says that the configuration is rejected:\n%s", page)
	}
	if after.mentions("removed") {
		t.Error("something is left of the removed target")
	}
	eventually(t, "the others to go on", func() bool {
		now := s.metrics(t)
		histogram := now[of("integra_probe_duration_seconds_count", "kept")]
		return now[of("integra_probe_runs_total", "kept")] > counted && histogram >= counted &&
			now[of("integra_probe_runs_total", "added")] > 0
	})
	if s.metrics(t).mentions("removed") {
		t.Error("the removed target has come back")
	}
}

// spoil writes a configuration with a fault in line 3 and another in line 4.
func spoil(t *testing.T, dir string) {
	t.Helper()
	content := fmt.Sprintf("# %s\ndefaults:\n  intervall: 1s\n  timeout: never\n", t.Name())
	err := os.WriteFile(dir+"/config.yml", []byte(content), 0o600)
	if err != nil {
		t.Fatal(err)
	}
}
