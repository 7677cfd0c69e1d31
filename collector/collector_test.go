package collector_test

import (
	"flag"
	"maps"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/internal/probe"
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
		{"well-again", []probe.Result{refused(), refused(), limited(), healthy()}},
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
