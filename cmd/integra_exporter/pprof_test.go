package main

import (
	"compress/gzip"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// profiles are all that /debug/pprof/ may list: they hold stacks, counts and labels. A dump of the heap would hold keys.
func profiles() []string {
	return []string{"allocs", "block", "cmdline", "goroutine", "heap", "mutex", "profile", "symbol", "threadcreate", "trace"}
}

// forms are the requests for each of profiles but cmdline.
func forms() (paths []string) {
	for _, name := range []string{"allocs", "block", "goroutine", "heap", "mutex", "threadcreate"} {
		for _, form := range []string{"", "?debug=1", "?debug=2"} {
			paths = append(paths, "/debug/pprof/"+name+form)
		}
	}
	return append(paths, "/debug/pprof/", "/debug/pprof/heap?gc=1", "/debug/pprof/profile?seconds=1", "/debug/pprof/trace?seconds=1", "/debug/pprof/symbol")
}

// inflated returns what a profile holds, which is compressed.
func inflated(t *testing.T, body string) string {
	t.Helper()
	reader, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		return body
	}
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// A key in use, and one that was removed, is in memory. No profile, page or metric tells it.
func TestKeysInMemoryAreNotServed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	address := answering(t, wellAnswer)
	config := configure(t, dir, address, "kept", "removed")
	testkit.WriteFile(t, dir, "old", canary+"-removed\n")
	testkit.WriteFile(t, dir, "key", canary+"-kept\n")
	replaceInFile(t, config, "removed: {key_file: key}", "removed: {key_file: old}")
	s, _ := spawn(t, "--config.file="+config, "--web.enable-pprof", "--web.enable-lifecycle")
	testkit.Eventually(t, "runs", func() bool { return s.metrics(t)[of("integra_probe_success", "removed")] == 1 })
	replace(t, filepath.Join(dir, "config.yml"), readFile(t, configure(t, dir, address, "kept")))
	testkit.WriteFile(t, dir, "key", canary+"-kept\n")
	status, body := s.request(t, "POST", "/-/reload")
	if status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	const kept, removed = "institution=uio&kind=api&target=kept", "institution=uio&kind=api&target=removed"
	paths := slices.Concat(forms(), []string{
		"/", "/target?" + kept, "/target?" + removed, "/api/v1/targets", "/sd", "/metrics", "/probe?" + kept + "&debug=true",
	})
	for _, path := range paths {
		_, body := s.request(t, "GET", path)
		testkit.NoCanary(t, path, inflated(t, body))
	}
	status, _ = s.request(t, "GET", "/debug/pprof/cmdline")
	if status != 404 {
		t.Errorf("the command line: %d, want 404", status)
	}
	_, index := s.request(t, "GET", "/debug/pprof/")
	var listed []string
	for _, match := range regexp.MustCompile(`<a href='?"?(\w+)\?debug=1`).FindAllStringSubmatch(index, -1) {
		listed = append(listed, match[1])
	}
	if diff := cmp.Diff(profiles(), listed); diff != "" {
		t.Errorf("profiles (-known +served):\n%s", diff)
	}
	_, stacks := s.request(t, "GET", "/debug/pprof/goroutine?debug=1")
	if !strings.Contains(stacks, "main.main") || strings.Contains(stacks, "# labels:") {
		t.Errorf("no function is named, or a label, which could hold a secret:\n%s", stacks)
	}
	// A secret in what a profile does hold would have been seen: what is inflated is text.
	_, stacks = s.request(t, "GET", "/debug/pprof/goroutine")
	if !strings.Contains(inflated(t, stacks), "main.main") {
		t.Error("the profile of goroutines names no function")
	}
}
