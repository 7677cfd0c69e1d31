package main

import (
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// costs are what the program may cost. They repeat within a few percent on every machine:
// a number that moves beyond its limit has been moved by a change of the code or of a library.
var costs = []struct {
	what    string
	most    float64
	measure func(t *testing.T) float64
}{
	{"MiB of the stripped binary", 16.5, binarySize},
	{"goroutines of an idle target", 0, goroutinesPerTarget},
	{"allocations of loading a target", 170, allocationsPerTarget}, // with the race detector, which has some of its own
}

func TestCosts(t *testing.T) {
	for _, limit := range costs {
		t.Run(limit.what, func(t *testing.T) {
			got := limit.measure(t)
			t.Logf("%s: %.3f, and may be %.3f", limit.what, got, limit.most)
			if got > limit.most {
				t.Errorf("%s: %.3f, more than %.3f. Find out what has moved it; a new limit needs its reason in the commit message", limit.what, got, limit.most)
			}
		})
	}
}

// binarySize builds the program as make build does.
func binarySize(t *testing.T) float64 {
	path := filepath.Join(t.TempDir(), program)
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return float64(info.Size()) / (1 << 20)
}

// goroutinesPerTarget compares an exporter with one target with the same one after a reload, with many.
// Some of them run for a moment now and then: what counts is the least that is seen.
func goroutinesPerTarget(t *testing.T) float64 {
	const many = 301
	dir := t.TempDir()
	s, _ := spawn(t, "--config.file="+crowd(t, dir, 1), "--web.enable-lifecycle", "--web.enable-pprof")
	before := leastGoroutines(t, s, 0)
	crowd(t, dir, many)
	status, said := s.request(t, "POST", "/-/reload")
	if status != 200 {
		t.Fatal(said)
	}
	return (leastGoroutines(t, s, before) - before) / (many - 1)
}

// leastGoroutines looks until it sees no more than enough, at most a hundred times.
func leastGoroutines(t *testing.T, s *served, enough float64) float64 {
	least := math.Inf(1)
	for i := 0; i < 100 && least > enough; i++ {
		_, profile := s.request(t, "GET", "/debug/pprof/goroutine?debug=1")
		var total float64
		_, err := fmt.Sscanf(profile, "goroutine profile: total %f", &total)
		if err != nil {
			t.Fatal(err)
		}
		least = min(least, total)
	}
	return least
}

func allocationsPerTarget(t *testing.T) float64 {
	const targets = 300
	path := crowd(t, t.TempDir(), targets)
	return testing.AllocsPerRun(1, func() {
		_, err := config.Load(path, probe.NewShared())
		if err != nil {
			t.Error(err)
		}
	}) / targets
}

// crowd writes a configuration of so many targets, each with a key file of its
// own, at a gateway that refuses connections, and returns its path. The keys are
// old: one that was written a moment ago is read twice.
func crowd(t *testing.T, dir string, targets int) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("defaults: {interval: 1d, gateway: http://127.0.0.1:1}\napis:\n")
	b.WriteString("  api: {request: {path: /v1/}, unauthenticated: false}\ninstitutions:\n")
	for i := range targets {
		key := fmt.Sprintf("key-%d", i)
		fmt.Fprintf(&b, "  institution-%d: {apis: {api: {key_file: %s}}}\n", i, key)
		err := os.Chtimes(testkit.WriteFile(t, dir, key, "the-key\n"), time.Time{}, time.Now().Add(-time.Hour))
		if err != nil {
			t.Fatal(err)
		}
	}
	return testkit.WriteFile(t, dir, "config.yml", b.String())
}
