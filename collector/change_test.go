package collector_test

import (
	"sync"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

func TestARemovedTargetLeavesNothing(t *testing.T) {
	kept, removed := check("uio", "organisasjoner"), check("uio", "ansatte")
	w := newWorld(kept, removed)
	w.report(kept.Target, healthy())
	w.report(removed.Target, limited())
	for _, gone := range w.store.Replace([]probe.Check{kept}) {
		w.metrics.Forget(gone)
	}
	w.report(removed.Target, healthy()) // late
	for _, f := range gather(t, w.metrics) {
		for _, m := range f.GetMetric() {
			if label(m, "target") == removed.Name {
				t.Errorf("%s still has the removed target", f.GetName())
			}
		}
	}
	w.store.Replace([]probe.Check{kept, removed})
	for _, m := range family(t, gather(t, w.metrics), "integra_probe_duration_seconds").GetMetric() {
		want := map[string]uint64{kept.Name: 1, removed.Name: 0}[label(m, "target")]
		if n := m.GetHistogram().GetSampleCount(); n != want {
			t.Errorf("histogram of %s: %d observations, want %d", label(m, "target"), n, want)
		}
	}
}

func TestAnOddTitleIsSentAsItIs(t *testing.T) {
	odd := check("uio", "organisasjoner")
	odd.Title = "line\nbreak \"quote\" back\\slash <script>"
	w := newWorld(odd)
	m := family(t, gather(t, w.metrics), "integra_target_info").GetMetric()[0]
	if title := label(m, "title"); title != odd.Title {
		t.Errorf("title %q, want %q", title, odd.Title)
	}
}

func TestConcurrentReportAndCollect(t *testing.T) {
	checks := []probe.Check{check("uio", "a"), check("uio", "b"), check("ntnu", "a")}
	w := newWorld(checks...)
	registry := registered(w.metrics)
	results := []probe.Result{healthy(), refused(), limited(), unverified()}
	var all sync.WaitGroup
	for _, c := range checks {
		all.Go(func() {
			for n := range 400 {
				w.report(c.Target, results[n%len(results)])
			}
		})
	}
	all.Go(func() {
		for n := range 100 {
			for _, gone := range w.store.Replace(checks[:1+n%len(checks)]) {
				w.metrics.Forget(gone)
			}
		}
		w.store.Replace(checks)
	})
	for range 2 {
		all.Go(func() {
			for range 50 {
				families, err := registry.Gather()
				if err != nil {
					t.Error(err)
				}
				coherent(t, families)
			}
		})
	}
	all.Wait()
}

// coherent wants the rows of one run: a target succeeds or has a cause, never both.
func coherent(t *testing.T, families []*dto.MetricFamily) {
	t.Helper()
	said := map[string]float64{}
	for _, f := range families {
		if f.GetName() != "integra_probe_success" && f.GetName() != "integra_probe_failure_info" {
			continue
		}
		for _, m := range f.GetMetric() {
			said[label(m, "institution")+" "+label(m, "target")] += m.GetGauge().GetValue()
		}
	}
	for target, sum := range said {
		if sum != 1 {
			t.Errorf("%s: success and failure add up to %v", target, sum)
		}
	}
}

func label(m *dto.Metric, name string) string {
	for _, pair := range m.GetLabel() {
		if pair.GetName() == name {
			return pair.GetValue()
		}
	}
	return ""
}
