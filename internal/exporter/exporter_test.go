package exporter

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/common/promslog"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// oops is a prober that panics with what it has just read.
type oops struct{ what any }

func (o oops) Probe(context.Context) (probe.Observation, error) { panic(o.what) }

func TestCanaryInAPanic(t *testing.T) {
	testkit.NoLeaks(t)
	var log testkit.Buffer
	e := New(Options{Log: promslog.New(&promslog.Config{Writer: &log})})
	target := probe.Target{Institution: "uio", Kind: probe.KindAPI, Name: "oops"}
	for _, what := range []any{testkit.Canary, fmt.Errorf("quoting %s", testkit.Canary), []byte(testkit.Canary), struct{ Body string }{testkit.Canary}} {
		checks := []probe.Check{{Target: target, Interval: 1e9, Timeout: 1e9, Version: fmt.Sprint(what), Prober: oops{what}}}
		e.store.Replace(checks)
		e.scheduler.Replace(checks, schedule.Caps{Total: 1, PerHost: 1})
		result, err := e.scheduler.RunNow(t.Context(), target, schedule.OnDemand{})
		if reason, layer := probe.ReasonOf(result.Err); err != nil || reason != probe.ReasonPanic || layer != probe.LayerExporter {
			t.Errorf("%v, %v: want a failed run with reason panic", result.Err, err)
		}
	}
	e.scheduler.Close()
	testkit.NoCanary(t, "the log", log.String())
	if strings.Count(log.String(), "oops.Probe") != 4 {
		t.Errorf("the log does not say where:\n%s", log.String())
	}
	pages := e.Handler(HandlerOptions{TelemetryPath: "/metrics"})
	for path, want := range map[string]string{"/": "✗ panic", "/metrics": "integra_exporter_panics_total 4"} {
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		testkit.NoCanary(t, path, w.Body.String())
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s does not hold %q:\n%s", path, want, w.Body)
		}
	}
}
