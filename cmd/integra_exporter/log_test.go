package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// logLine is what a line of the log says of a run.
type logLine struct {
	Level, Msg, Institution, Kind, Target, Reason, Layer string

	ID      string `json:"transaction_id"`
	Success bool
}

func logLines(t *testing.T, log string) []logLine {
	t.Helper()
	var lines []logLine
	for text := range strings.Lines(log) {
		var line logLine
		err := json.Unmarshal([]byte(text), &line)
		if err != nil {
			t.Fatalf("not a line of JSON: %s", text)
		}
		lines = append(lines, line)
	}
	return lines
}

// runsAndChanges returns how many runs are logged, and what stands above debug since the start.
func runsAndChanges(lines []logLine) (runs int, changes []logLine) {
	started := false
	for _, line := range lines {
		started = started || line.Msg == "TLS is disabled."
		if line.ID != "" {
			runs++
		}
		if started && line.Level != "DEBUG" && line.Msg != "TLS is disabled." {
			changes = append(changes, line)
		}
	}
	return runs, changes
}

func TestLogSaysChangesAndAtDebugEveryRun(t *testing.T) {
	testkit.NoLeaks(t)
	var broken atomic.Bool
	var ids sync.Map // as the gateway saw them
	gateway := answering(t, func(w http.ResponseWriter, r *http.Request) {
		ids.Store(r.Header.Get("X-Gravitee-Transaction-Id"), true)
		if broken.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		wellAnswer(w, r)
	})
	s := start(t, "--config.file="+configure(t, t.TempDir(), gateway, "org"), "--log.level=debug", "--log.format=json")
	ranTwice := func() {
		t.Helper()
		before := s.metrics(t)[of("integra_probe_runs_total", "org")]
		testkit.Eventually(t, "two more runs", func() bool { return s.metrics(t)[of("integra_probe_runs_total", "org")] >= before+3 })
	}
	ranTwice()
	broken.Store(true)
	ranTwice()
	broken.Store(false)
	ranTwice()
	runs := int(s.metrics(t)[of("integra_probe_runs_total", "org")])
	logged, changes := runsAndChanges(logLines(t, s.err.String()))
	if logged < runs || logged > runs+1 {
		t.Errorf("%d runs in the log at debug, %d counted", logged, runs)
	}
	if len(changes) != 2 {
		t.Fatalf("want one line for the failure and one for the recovery, got %+v", changes)
	}
	failed, well := changes[0], changes[1]
	for _, id := range []string{failed.ID, well.ID} {
		_, sent := ids.Load(id)
		if !sent {
			t.Errorf("the gateway has seen no transaction id %q", id)
		}
	}
	failed.ID, well.ID = "", ""
	if strings.Contains(s.err.String(), `:""`) {
		t.Error("an empty attribute")
	}
	want := logLine{
		Level: "WARN", Msg: "target fails", Institution: "uio", Kind: "api", Target: "org",
		Reason: "backend_unreachable", Layer: "backend",
	}
	if failed != want {
		t.Errorf("failure: %+v", failed)
	}
	want = logLine{Level: "INFO", Msg: "target recovered", Institution: "uio", Kind: "api", Target: "org", Success: true}
	if well != want {
		t.Errorf("recovery: %+v", well)
	}
}
