package collector_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// exporterFamilies are section 6 of the contract: the exporter's own.
func exporterFamilies() map[string]string {
	return map[string]string{
		"integra_exporter_build_info":                                   "gauge branch goarch goos goversion revision tags version",
		"integra_exporter_config_last_reload_successful":                "gauge",
		"integra_exporter_config_last_reload_success_timestamp_seconds": "gauge",
		"integra_exporter_targets":                                      "gauge kind",
		"integra_exporter_probes_in_flight":                             "gauge",
		"integra_exporter_schedule_lag_seconds":                         "histogram",
		"integra_exporter_runs_skipped_total":                           "counter cause",
		"integra_exporter_panics_total":                                 "counter",
	}
}

func causes() []string { return []string{"overlap", "capacity"} }

// own gathers what e sends, without the Go and process collectors, which it also wants to see.
func own(t *testing.T, e *collector.Exporter) []*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	e.Register(registry)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	family(t, families, "go_goroutines")
	family(t, families, "process_open_fds")
	var integra []*dto.MetricFamily
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), "integra_") {
			integra = append(integra, f)
		}
	}
	return integra
}

func idle() int { return 0 }

func TestExporterFamiliesAreThoseOfTheContract(t *testing.T) {
	e := collector.NewExporter(causes(), idle)
	e.Loaded(nil)
	if diff := cmp.Diff(exporterFamilies(), shape(own(t, e))); diff != "" {
		t.Errorf("name: type labels (-contract +sent):\n%s", diff)
	}
}

func TestExporterLint(t *testing.T) {
	e := collector.NewExporter(causes(), idle)
	e.Loaded(nil)
	lint(t, own(t, e))
}

// stable leaves out the families whose values are not the test's to choose.
func stable(families []*dto.MetricFamily) []*dto.MetricFamily {
	var kept []*dto.MetricFamily
	for _, f := range families {
		switch f.GetName() {
		case "integra_exporter_build_info", "integra_exporter_config_last_reload_success_timestamp_seconds":
		default:
			kept = append(kept, f)
		}
	}
	return kept
}

func TestExporterExposition(t *testing.T) {
	fresh := collector.NewExporter(causes(), idle)
	golden(t, "exporter-fresh", text(t, stable(own(t, fresh))))

	busy := collector.NewExporter(causes(), func() int { return 3 })
	before := float64(time.Now().UnixMilli()) / 1e3
	busy.Loaded([]probe.Check{
		check("uio", "a"), check("uio", "b"), {Target: probe.Target{Institution: "uio", Kind: probe.KindKey, Name: "k"}},
	})
	late := healthy()
	late.Start = late.Planned.Add(30 * time.Millisecond)
	busy.Ran(late)
	early := healthy() // the wall clock was set back
	early.Start = early.Planned.Add(-time.Hour)
	busy.Ran(early)
	panicked := healthy()
	panicked.Err = probe.Fail(probe.ReasonPanic, "")
	busy.Ran(panicked)
	busy.Skipped("capacity")
	if diff := cmp.Diff(map[string]uint64{"capacity": 1, "overlap": 0}, busy.Skips()); diff != "" {
		t.Errorf("skips (-want +got):\n%s", diff)
	}
	const successful = "integra_exporter_config_last_reload_successful"
	if ok := family(t, own(t, busy), successful).GetMetric()[0].GetGauge().GetValue(); ok != 1 {
		t.Errorf("%s is %v after a load", successful, ok)
	}
	busy.LoadFailed()
	families := own(t, busy)
	golden(t, "exporter-busy", text(t, stable(families)))
	at := family(t, families, "integra_exporter_config_last_reload_success_timestamp_seconds").GetMetric()[0].GetGauge().GetValue()
	if at < before || at > before+60 {
		t.Errorf("last successful load at %v, want about %v also after a failed one", at, before)
	}
}
