package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

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
	web := write(t, dir, "web.yml", "{}\n")
	s, cmd := spawn(t, "--config.file="+path, "--web.enable-lifecycle", "--web.config.file="+web)
	b := besieged{s, gateway}

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
	b.probesOn(t)
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
