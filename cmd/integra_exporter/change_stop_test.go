package main

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// SIGTERM in the middle of a pass in which half of the targets fail and the others hang: what
// was answered is one run, what was not is none, and neither is taken for something else.
func TestSIGTERMDuringAFullPass(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := map[string]int{}
	gateway := answering(t, func(w http.ResponseWriter, r *http.Request) {
		name := strings.Trim(r.URL.Path, "/")
		mu.Lock()
		asked[name]++
		mu.Unlock()
		if strings.HasPrefix(name, "hang") {
			<-r.Context().Done()
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	apis := strings.Fields("hang-a hang-b hang-c hang-d hang-e hang-f fail-a fail-b fail-c fail-d fail-e fail-f")
	config := configure(t, t.TempDir(), gateway, apis...)
	replaceInFile(t, config, "{interval: 1s, timeout: 1s}", "{interval: 3s, timeout: 3s, max_concurrent_per_host: 64}")
	s, cmd := spawn(t, "--config.file="+config, "--log.level=debug", "--log.format=json")
	testkit.Eventually(t, "some of both kinds in one pass", func() bool {
		now := s.metrics(t)
		failed := slices.DeleteFunc(slices.Clone(apis), func(api string) bool { return now[of("integra_probe_failures_total", api)] == 0 })
		return len(failed) >= 3 && now["integra_exporter_probes_in_flight"] >= 3
	})
	before, began := s.metrics(t), time.Now()
	err := cmd.Process.Signal(syscall.SIGTERM)
	if err != nil {
		t.Fatal(err)
	}
	<-s.ended
	if took := time.Since(began); took > 20*time.Second || s.failed != nil || s.out.String() != "" {
		t.Errorf("after %s: %v, stdout %q; want success and nothing within 20s", took, s.failed, s.out)
	}
	logged, answered := map[string]int{}, map[string]int{}
	for _, line := range logLines(t, s.err.String()) {
		if line.ID == "" {
			continue
		}
		logged[line.Target]++
		hangs := strings.HasPrefix(line.Target, "hang")
		if slices.Contains(late(), line.Reason) {
			continue
		}
		answered[line.Target]++
		if hangs || line.Reason != "backend_unreachable" {
			t.Errorf("%s was stopped, and is said to have failed for %q", line.Target, line.Reason)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	for _, api := range apis {
		counted := int(before[of("integra_probe_runs_total", api)])
		if logged[api] < counted || answered[api] > asked[api] {
			t.Errorf("%s: %d runs counted, %d logged, %d of them answered, %d requests", api, counted, logged[api], answered[api], asked[api])
		}
	}
}
