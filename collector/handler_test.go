package collector_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// few is a registry with one gauge.
func few() *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewGauge(prometheus.GaugeOpts{Name: "few", Help: "One of few."}))
	return registry
}

func scraped(t *testing.T, query string, header map[string]string) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/metrics"+query, nil)
	for name, value := range header {
		r.Header.Set(name, value)
	}
	collector.Handler(few(), everything().metrics).ServeHTTP(w, r)
	return w.Result()
}

// all is what a scrape of everything is to hold.
func all(t *testing.T) []*dto.MetricFamily {
	t.Helper()
	families, err := prometheus.Gatherers{few(), registered(everything().metrics)}.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func sortedLines(text string) []string { return slices.Sorted(strings.Lines(text)) }

func body(t *testing.T, from io.Reader) string {
	t.Helper()
	content, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestScrapeAsText(t *testing.T) {
	answer := scraped(t, "", nil)
	if got := answer.Header.Get("Content-Type"); got != "text/plain; version=0.0.4; charset=utf-8; escaping=underscores" {
		t.Errorf("Content-Type %q", got)
	}
	if diff := cmp.Diff([]string{"Accept", "Accept-Encoding"}, answer.Header.Values("Vary")); diff != "" {
		t.Errorf("Vary (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(sortedLines(text(t, all(t))), sortedLines(body(t, answer.Body))); diff != "" {
		t.Errorf("(-a registry's +ours):\n%s", diff)
	}
}

func TestScrapeCompressed(t *testing.T) {
	for accepted, want := range map[string]string{
		"gzip": "gzip", "br, GZIP;q=0.5": "gzip", "gzip;q=0": "", "br": "", "identity": "",
	} {
		answer := scraped(t, "", map[string]string{"Accept-Encoding": accepted})
		if got := answer.Header.Get("Content-Encoding"); got != want {
			t.Errorf("%s: Content-Encoding %q, want %q", accepted, got, want)
			continue
		}
		from := io.Reader(answer.Body)
		if want == "gzip" {
			z, err := gzip.NewReader(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			from = z
		}
		if diff := cmp.Diff(sortedLines(text(t, all(t))), sortedLines(body(t, from))); diff != "" {
			t.Errorf("%s (-a registry's +ours):\n%s", accepted, diff)
		}
	}
}

func TestScrapeAsOpenMetrics(t *testing.T) {
	answer := scraped(t, "", map[string]string{"Accept": "application/openmetrics-text;version=1.0.0"})
	if got := answer.Header.Get("Content-Type"); !strings.HasPrefix(got, "application/openmetrics-text; version=1.0.0") {
		t.Errorf("Content-Type %q", got)
	}
	var want bytes.Buffer
	for _, f := range all(t) {
		_, err := expfmt.MetricFamilyToOpenMetrics(&want, f)
		if err != nil {
			t.Fatal(err)
		}
	}
	got := body(t, answer.Body)
	if !strings.HasSuffix(got, "\n# EOF\n") {
		t.Errorf("ends with %q", got[len(got)-20:])
	}
	if diff := cmp.Diff(sortedLines(want.String()+"# EOF\n"), sortedLines(got)); diff != "" {
		t.Errorf("(-a registry's +ours):\n%s", diff)
	}
}

// Only this format has the native histograms.
func TestScrapeAsProtobuf(t *testing.T) {
	accept := "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
	answer := scraped(t, "", map[string]string{"Accept": accept})
	decoder := expfmt.NewDecoder(answer.Body, expfmt.ResponseFormat(answer.Header))
	got := map[string]*dto.MetricFamily{}
	for {
		var f dto.MetricFamily
		err := decoder.Decode(&f)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if got[f.GetName()] != nil {
			t.Errorf("%s comes twice", f.GetName())
		}
		got[f.GetName()] = &f
	}
	want := map[string]*dto.MetricFamily{}
	for _, f := range all(t) {
		want[f.GetName()] = f
	}
	if diff := cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(&dto.Histogram{}, "created_timestamp"),
		protocmp.SortRepeated(func(a, b *dto.Metric) bool { return a.String() < b.String() })); diff != "" {
		t.Errorf("(-a registry's +ours):\n%s", diff)
	}
	if !slices.ContainsFunc(got["integra_probe_duration_seconds"].GetMetric(), func(m *dto.Metric) bool {
		return len(m.GetHistogram().GetPositiveSpan()) > 0
	}) {
		t.Error("no native histogram")
	}
}

func TestScrapeOfChosenFamilies(t *testing.T) {
	got := body(t, scraped(t, "?name[]=few&name[]=integra_key_superseded", nil).Body)
	want := `# HELP few One of few.
# TYPE few gauge
few 0
# HELP integra_key_superseded Whether the API manager holds a newer key for this subscription: 1 or 0.
# TYPE integra_key_superseded gauge
integra_key_superseded{institution="uio",kind="api",target="organisasjoner"} 1
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestScrapeThatCannotBe(t *testing.T) {
	broken := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return nil, errors.New("fnr 01010112345") })
	w := httptest.NewRecorder()
	collector.Handler(broken, everything().metrics).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "fnr") || strings.Contains(w.Body.String(), "integra_") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}

// Scrapes share nothing that one of them changes.
func TestScrapesAtOnce(t *testing.T) {
	w := everything()
	handler := collector.Handler(prometheus.Gatherers{}, w.metrics)
	want := text(t, gather(t, w.metrics))
	var scrapes sync.WaitGroup
	for range 4 {
		scrapes.Go(func() {
			for range 8 {
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
				if diff := cmp.Diff(sortedLines(want), sortedLines(answer.Body.String())); diff != "" {
					t.Errorf("(-alone +at once):\n%s", diff)
				}
			}
		})
	}
	scrapes.Wait()
}

// A target that goes while a scrape goes on is in that scrape, and then nowhere.
func TestATargetGoesDuringAScrape(t *testing.T) {
	kept, removed := check("uio", "a"), check("uio", "b")
	w := newWorld(kept, removed)
	w.report(removed.Target, healthy())
	seen := map[int]int{}
	for f := range w.metrics.Families() {
		for _, gone := range w.store.Replace([]probe.Check{kept}) {
			w.metrics.Forget(gone)
		}
		seen[len(f.GetMetric())]++
	}
	if seen[2] == 0 {
		t.Errorf("numbers of series in the families: %v", seen)
	}
	if got := text(t, gather(t, w.metrics)); strings.Contains(got, `target="b"`) {
		t.Errorf("it has left:\n%s", got)
	}
}

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
