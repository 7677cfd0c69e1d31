package collector_test

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

var update = flag.Bool("update", false, "write testdata/*.prom anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".prom")
	if *update {
		err := os.WriteFile(path, []byte(got), 0o644)
		if err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestExposition(t *testing.T) {
	for _, c := range []struct {
		name    string
		results []probe.Result
	}{
		{"not-run-yet", nil},
		{"healthy", []probe.Result{healthy()}},
		{"refused", []probe.Result{healthy(), refused()}}, // nothing of the run before may stay
		{"unverified", []probe.Result{unverified()}},
		{"rate-limited", []probe.Result{limited()}},
		{"recovered", []probe.Result{refused(), refused(), limited(), healthy()}},
		{"broker", []probe.Result{broker()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			checked := check("uio", "organisasjoner")
			w := newWorld(checked)
			for _, result := range c.results {
				w.report(checked.Target, result)
			}
			golden(t, c.name, text(t, gather(t, w.metrics)))
		})
	}
}

// targetFamilies are section 6 of the contract, as far as it is carried out.
func targetFamilies() map[string]string {
	const identity = "institution kind"
	return map[string]string{
		"integra_target_info":                              "gauge address contact institution institution_title kind target title",
		"integra_probe_success":                            "gauge " + identity + " target",
		"integra_probe_failure_info":                       "gauge " + identity + " layer reason target",
		"integra_probe_duration_seconds":                   "histogram " + identity + " target",
		"integra_probe_last_duration_seconds":              "gauge " + identity + " target",
		"integra_probe_phase_duration_seconds":             "gauge " + identity + " phase target",
		"integra_probe_runs_total":                         "counter " + identity + " target",
		"integra_probe_failures_total":                     "counter " + identity + " target",
		"integra_probe_failure_reasons_total":              "counter " + identity + " layer reason target",
		"integra_probe_last_run_timestamp_seconds":         "gauge " + identity + " target",
		"integra_probe_last_success_timestamp_seconds":     "gauge " + identity + " target",
		"integra_probe_interval_seconds":                   "gauge " + identity + " target",
		"integra_probe_timeout_seconds":                    "gauge " + identity + " target",
		"integra_http_status_code":                         "gauge " + identity + " target",
		"integra_http_response_size_bytes":                 "gauge " + identity + " target",
		"integra_http_rate_limit_remaining":                "gauge " + identity + " policy target",
		"integra_http_rate_limit_limit":                    "gauge " + identity + " policy target",
		"integra_tls_certificate_expiry_timestamp_seconds": "gauge " + identity + " target",
		"integra_tls_certificate_verified":                 "gauge " + identity + " target",
		"integra_rabbitmq_queue_messages_ready":            "gauge " + identity + " queue target",
		"integra_rabbitmq_queue_consumers":                 "gauge " + identity + " queue target",
		"integra_rabbitmq_blocked":                         "gauge " + identity + " target",
		"integra_rabbitmq_server_info":                     "gauge cluster " + identity + " product target version",
		"integra_key_expiry_timestamp_seconds":             "gauge " + identity + " source target",
		"integra_key_expiry_state":                         "gauge " + identity + " state target",
		"integra_key_accepted":                             "gauge " + identity + " target",
		"integra_key_superseded":                           "gauge " + identity + " target",
	}
}

// institutionFamilies are those of section 6 that are about an institution as a whole.
func institutionFamilies() map[string]string {
	return map[string]string{
		"integra_gravitee_success":                        "gauge institution",
		"integra_gravitee_last_success_timestamp_seconds": "gauge institution",
		"integra_tls_ca_expiry_timestamp_seconds":         "gauge institution",
	}
}

// everything is a world in which every family has a series.
func everything() world {
	good, bad, new := check("uio", "organisasjoner"), check("uio", "ansatte"), check("ntnu", "fs")
	queues := check("uio", "system-production-dfo-sap")
	queues.Kind = probe.KindRabbitMQ
	w := newWorld(good, bad, new, queues)
	w.report(good.Target, accepted())
	w.report(queues.Target, broker())
	w.report(bad.Target, refused())
	w.store.SetKeyInfo(good.Target, learned())
	manageAll(w)
	return w
}

func TestFamiliesAreThoseOfTheContract(t *testing.T) {
	want := targetFamilies()
	maps.Copy(want, institutionFamilies())
	if diff := cmp.Diff(want, shape(gather(t, everything().metrics))); diff != "" {
		t.Errorf("name: type labels (-contract +sent):\n%s", diff)
	}
}

func TestLint(t *testing.T) {
	lint(t, gather(t, everything().metrics))
}

func lint(t *testing.T, families []*dto.MetricFamily) {
	t.Helper()
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestDurationIsAClassicAndANativeHistogram(t *testing.T) {
	checked := check("uio", "organisasjoner")
	w := newWorld(checked)
	for n := range 1000 { // spread over as many native buckets as it likes
		result := healthy()
		result.Duration = time.Duration(math.Pow(1.2, float64(n%100)) * float64(time.Microsecond))
		w.report(checked.Target, result)
	}
	h := family(t, gather(t, w.metrics), "integra_probe_duration_seconds").GetMetric()[0].GetHistogram()
	var bounds []float64
	for _, b := range h.GetBucket() {
		bounds = append(bounds, b.GetUpperBound())
	}
	want := []float64{.025, .05, .1, .25, .5, 1, 2, 3, 5, 10, 15, 30}
	if diff := cmp.Diff(want, bounds); diff != "" {
		t.Errorf("classic buckets (-want +got):\n%s", diff)
	}
	if h.Schema == nil || h.GetZeroThreshold() == 0 || len(h.GetPositiveSpan()) == 0 {
		t.Errorf("no native histogram: schema %v, zero threshold %v, spans %v", h.Schema, h.GetZeroThreshold(), h.GetPositiveSpan())
	}
	if n := nativeBuckets(h); n == 0 || n > 20 {
		t.Errorf("%d native buckets, want 1 to 20", n)
	}
	if h.GetSampleCount() != 1000 {
		t.Errorf("%d observations, want 1000", h.GetSampleCount())
	}
}

func nativeBuckets(h *dto.Histogram) (n uint32) {
	for _, span := range h.GetPositiveSpan() {
		n += span.GetLength()
	}
	return n
}

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

// anyWorld is one of very many.
func anyWorld(random *rand.Rand) world {
	kinds := []string{probe.KindAPI, probe.KindAuth, probe.KindRabbitMQ, probe.KindKey}
	var checks []probe.Check
	for n := range random.IntN(12) {
		c := check(fmt.Sprint("inst", n%3), fmt.Sprint("n", n))
		c.Kind, c.Contact, c.Title = kinds[random.IntN(len(kinds))], fmt.Sprint(random.IntN(2)), "line\nbreak \"quote\" Æ"
		checks = append(checks, c)
	}
	w := newWorld(checks...)
	results := []probe.Result{healthy(), refused(), limited(), unverified(), broker(), accepted(), ended()}
	for range random.IntN(60) * min(len(checks), 1) {
		c := checks[random.IntN(len(checks))]
		w.report(c.Target, results[random.IntN(len(results))])
		if random.IntN(4) == 0 {
			w.store.SetKeyInfo(c.Target, []state.KeyInfo{{}, {Used: true}, learned()}[random.IntN(3)])
		}
	}
	if random.IntN(2) == 0 {
		manageAll(w)
	}
	return w
}

// What nobody checks at run time any more holds of every state: a registry takes
// it, names, labels and all, and has nothing to put in order within a series.
func TestARegistryWouldTakeAnyState(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for n := range 100 {
		w := anyWorld(random)
		var got []string
		for f := range w.metrics.Families() {
			onlyItsKind(t, f)
			got = append(got, sortedLines(text(t, []*dto.MetricFamily{f}))...)
		}
		slices.Sort(got)
		if diff := cmp.Diff(sortedLines(text(t, gather(t, w.metrics))), got); diff != "" {
			t.Fatalf("state %d (-a registry's +ours):\n%s", n, diff)
		}
	}
}

// onlyItsKind wants of each series one value, and not another that the sample had in another family.
func onlyItsKind(t *testing.T, f *dto.MetricFamily) {
	t.Helper()
	for _, m := range f.GetMetric() {
		has := map[dto.MetricType]bool{
			dto.MetricType_GAUGE: m.Gauge != nil, dto.MetricType_COUNTER: m.Counter != nil, dto.MetricType_HISTOGRAM: m.Histogram != nil,
		}
		for kind, there := range has {
			if there != (kind == f.GetType()) {
				t.Fatalf("%s is of type %s, and has a %s: %v", f.GetName(), f.GetType(), kind, there)
			}
		}
	}
}

// A configuration may name a queue twice, in queues and by subscribes_to.
func TestAQueueThatIsNamedTwice(t *testing.T) {
	twice := broker()
	twice.Queues = append(twice.Queues, twice.Queues...)
	w := newWorld(check("uio", "a"))
	w.report(check("uio", "a").Target, twice)
	if n := len(family(t, gather(t, w.metrics), "integra_rabbitmq_queue_consumers").GetMetric()); n != 2 {
		t.Errorf("%d series of 2 queues", n)
	}
}
