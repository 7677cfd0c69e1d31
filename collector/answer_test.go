package collector_test

import (
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"testing"

	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/collector"
)

// nameless is a family that cannot be encoded.
type nameless struct{}

func (nameless) Families() iter.Seq[*dto.MetricFamily] {
	return func(yield func(*dto.MetricFamily) bool) { yield(new(dto.MetricFamily)) }
}

// Half an answer is cut off, so that it is no good scrape without the rest.
func TestHalfAnAnswerIsCutOff(t *testing.T) {
	server := httptest.NewServer(collector.Handler(few(), nameless{}))
	defer server.Close()
	for _, encoding := range []string{"gzip", "identity"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", encoding)
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			_, err = io.Copy(io.Discard, answer.Body)
			err = errors.Join(err, answer.Body.Close())
		}
		if err == nil {
			t.Errorf("%s: a whole answer", encoding)
		}
	}
}

// To compress the few series of a probe would cost more than to make them.
func TestAnswerIsNotCompressed(t *testing.T) {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/probe", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	collector.ProbeHandler(everything().metrics).ServeHTTP(w, r)
	if w.Header().Get("Content-Encoding") != "" || w.Body.Len() == 0 {
		t.Errorf("%v, %d bytes", w.Header(), w.Body.Len())
	}
}

// Runs that are reported while a scrape is read are in none of its numbers.
func TestAScrapeIsOneRow(t *testing.T) {
	a := check("uio", "a")
	w := newWorld(a)
	w.report(a.Target, healthy())
	counts := map[string]float64{}
	for f := range w.metrics.Families() {
		for _, m := range f.GetMetric() {
			switch f.GetName() {
			case "integra_probe_runs_total":
				counts["runs"] = m.GetCounter().GetValue()
			case "integra_probe_duration_seconds":
				counts["durations"] = float64(m.GetHistogram().GetSampleCount())
			}
		}
		w.report(a.Target, healthy())
	}
	if counts["runs"] != 1 || counts["durations"] != 1 {
		t.Errorf("%v, want 1 of each", counts)
	}
}
