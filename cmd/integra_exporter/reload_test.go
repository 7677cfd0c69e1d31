package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

func TestReloadByPOST(t *testing.T) {
	testkit.NoLeaks(t)
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
			testkit.Eventually(t, line, func() bool { return strings.Count(s.err.String(), line) > before })
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
	testkit.Eventually(t, "runs", func() bool { return runs("kept") > 0 && runs("removed") > 0 && runs("changed") > 0 })
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
	testkit.Eventually(t, "all targets to go on", func() bool {
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
	testkit.Eventually(t, "the others to go on", func() bool {
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

// replace puts content at path at once, as an editor or a mounted secret does.
func replace(t *testing.T, path, content string) {
	t.Helper()
	err := os.WriteFile(path+"~", []byte(content), 0o600)
	if err == nil {
		err = os.Rename(path+"~", path)
	}
	if err != nil {
		t.Error(err)
	}
}

// Good and bad configurations by turns, reloaded by two requests and a signal at once: targets go on, and what
// is in force at the end is the last good one.
func TestConcurrentReloads(t *testing.T) {
	t.Parallel()
	gateway := &counting{seen: map[string]int{}}
	dir := t.TempDir()
	address := answering(t, gateway.ServeHTTP)
	path := configure(t, dir, address, "a", "b", "c", "gone")
	good := []string{readFile(t, path)}
	configure(t, dir, address, "a", "b", "c", "new")
	good = append(good, readFile(t, path))
	web := testkit.WriteFile(t, dir, "web.yml", "{}\n")
	s, cmd := spawn(t, "--config.file="+path, "--web.enable-lifecycle", "--web.config.file="+web)
	b := server{s, gateway}

	var all sync.WaitGroup
	const rounds = 40
	statuses := make(chan int, 2*rounds)
	for range 2 {
		all.Go(func() {
			for range rounds {
				status, _ := b.request(t, "POST", "/-/reload")
				statuses <- status
			}
		})
	}
	all.Go(func() {
		for i := range rounds {
			replace(t, path, []string{good[0], "institutions: [", good[1], "apis: {x: 1}\n", ""}[i%5])
			replace(t, web, []string{"{}\n", "basic_auth_users: canary\n"}[i%2])
			err := cmd.Process.Signal(syscall.SIGHUP)
			if err != nil {
				t.Error(err)
			}
			_, _ = b.request(t, "GET", "/metrics")
		}
	})
	all.Wait()
	close(statuses)
	for status := range statuses {
		if status != 200 && status != 500 {
			t.Errorf("a reload is answered with %d", status)
		}
	}
	replace(t, web, "{}\n")
	replace(t, path, good[1])
	status, body := b.request(t, "POST", "/-/reload")
	if status != 200 {
		t.Errorf("the last, a good one: %d %s", status, body)
	}
	b.keepsProbing(t)
	now := b.metrics(t)
	if now.mentions("gone") || !now.mentions("new") || now[`integra_exporter_targets{kind="api"}`] != 4 {
		t.Errorf("in force at the end: %v", now.family("integra_exporter_targets"))
	}
	s.stop()
	<-s.ended
	log := b.err.String()
	if s.failed != nil || strings.Contains(log, "DATA RACE") {
		t.Errorf("it ended with %v:\n%s", s.failed, log)
	}
	if strings.Contains(log, "canary") || !strings.Contains(log, `fault="line 1: not YAML, or not a value`) && strings.Contains(log, "Unable to parse") {
		t.Errorf("the log quotes the web configuration:\n%s", log)
	}
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// A hangup in the first moments, before the configuration has been read, is a reload and not the end.
func TestHangupWhileLoading(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	content := readFile(t, configure(t, dir, answering(t, wellAnswer), "org"))
	pipe := filepath.Join(dir, "pipe.yml") // it is being read until somebody has written it
	err := syscall.Mkfifo(pipe, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "--config.file="+pipe, "--web.listen-address=127.0.0.1:0")
	var log testkit.Buffer
	cmd.Stderr = &log
	err = cmd.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	for loads := 1; loads <= 2; loads++ {
		file, err := os.OpenFile(pipe, os.O_WRONLY, 0) // waits for the reader
		if err != nil {
			t.Fatal(err)
		}
		if loads == 1 {
			err = cmd.Process.Signal(syscall.SIGHUP)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, _ = file.WriteString(content)
		_ = file.Close()
		testkit.Eventually(t, "a load", func() bool { return strings.Count(log.String(), "configuration loaded") == loads })
	}
}

// A file that was cut off after its first lines can be a configuration of nothing.
func TestHalfWrittenConfiguration(t *testing.T) {
	testkit.NoLeaks(t)
	dir := t.TempDir()
	config := configure(t, dir, answering(t, wellAnswer), "org")
	s := start(t, "--config.file="+config, "--web.enable-lifecycle")
	whole := readFile(t, config)
	testkit.Eventually(t, "a run", func() bool { return s.metrics(t)[of("integra_probe_runs_total", "org")] > 0 })
	for _, half := range []string{"defaults: {interval: 1s}\n", "apis:\n", "apis:\n  org: {request: {path: /org/}}\n", "institutions: {}\n", "institutions:\n"} {
		testkit.WriteFile(t, dir, "config.yml", half)
		status, body := s.request(t, "POST", "/-/reload")
		if status != 500 || !strings.Contains(body, config+":1: ") {
			t.Errorf("%q: %d, %q", half, status, body)
		}
		if now := s.metrics(t); now[of("integra_probe_runs_total", "org")] == 0 || now["integra_exporter_config_last_reload_successful"] != 0 {
			t.Errorf("%q: %v runs are left", half, now[of("integra_probe_runs_total", "org")])
		}
	}
	testkit.WriteFile(t, dir, "config.yml", whole)
	if status, body := s.request(t, "POST", "/-/reload"); status != 200 {
		t.Errorf("whole again: %d %q", status, body)
	}
}
