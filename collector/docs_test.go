package collector_test

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// section returns what stands under a heading of docs/metrics.md, up to the next of its level.
func section(t *testing.T, heading string) string {
	t.Helper()
	content, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(content), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("docs/metrics.md has no heading %q", heading)
	}
	text, _, _ := strings.Cut(after, "\n## ")
	return text
}

// rows returns the cells of the table rows that begin with a name in backquotes that match fits.
func rows(text, match string) [][]string {
	var found [][]string
	for line := range strings.Lines(text) {
		if !regexp.MustCompile("^\\| `" + match + "` \\|").MatchString(line) {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		found = append(found, cells)
	}
	return found
}

// documented returns the metric tables of a section in the form of shape.
func documented(t *testing.T, heading string, always ...string) map[string]string {
	t.Helper()
	shapes := map[string]string{}
	for _, cells := range rows(section(t, heading), "integra_.*") {
		if len(cells) != 5 || cells[3] == "" || cells[4] == "" {
			t.Errorf("a row needs metric, type, labels, meaning and absent: %q", cells)
			continue
		}
		labels := append(strings.Fields(strings.ReplaceAll(cells[2], "`", "")), always...)
		name := strings.Trim(cells[0], "`")
		_, twice := shapes[name]
		if twice {
			t.Errorf("%s is documented twice", name)
		}
		shapes[name] = strings.TrimSpace(cells[1] + " " + strings.Join(slices.Sorted(slices.Values(labels)), " "))
	}
	return shapes
}

func TestDocumentedMetrics(t *testing.T) {
	e := collector.NewExporter(causes(), idle)
	e.Loaded(nil)
	written := documented(t, "Targets", "institution", "kind", "target")
	maps.Copy(written, documented(t, "Institutions", "institution"))
	if diff := cmp.Diff(shape(gather(t, everything().metrics)), written); diff != "" {
		t.Errorf("targets, name: type labels (-sent +documented):\n%s", diff)
	}
	if diff := cmp.Diff(shape(own(t, e)), documented(t, "The exporter itself")); diff != "" {
		t.Errorf("exporter, name: type labels (-sent +documented):\n%s", diff)
	}
}

func TestDocumentedReasons(t *testing.T) {
	var want, got []string
	for _, e := range probe.Explanations() {
		want = append(want, fmt.Sprintf("%s %s: %s | %s", e.Layer, e.Reason, e.Meaning, e.Next))
	}
	for _, cells := range rows(section(t, "Reasons"), ".*") {
		if len(cells) != 4 {
			t.Errorf("a row needs layer, reason, meaning and next step: %q", cells)
			continue
		}
		got = append(got, fmt.Sprintf("%s %s: %s | %s", strings.Trim(cells[0], "`"), strings.Trim(cells[1], "`"), cells[2], cells[3]))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("layer reason: meaning | next (-code +documented):\n%s", diff)
	}
}

// A query that names a metric which is not there finds nothing, and nobody notices.
func TestDocumentedQueriesNameRealMetrics(t *testing.T) {
	content, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	known := targetFamilies()
	maps.Copy(known, institutionFamilies())
	maps.Copy(known, exporterFamilies())
	queries := 0
	for i, block := range strings.Split(string(content), "```") {
		if i%2 == 0 {
			continue
		}
		for _, name := range regexp.MustCompile(`integra_\w+`).FindAllString(block, -1) {
			queries++
			family, isBucket := strings.CutSuffix(name, "_bucket")
			if known[family] == "" || isBucket && !strings.HasPrefix(known[family], "histogram") {
				t.Errorf("a query asks for %s, which is not there", name)
			}
		}
	}
	if queries < 10 {
		t.Errorf("only %d metrics in queries: have they been found?", queries)
	}
}

func TestDocumentedBuckets(t *testing.T) {
	e := collector.NewExporter(causes(), idle)
	for heading, h := range map[string]string{
		"Targets":             bounds(t, gather(t, everything().metrics), "integra_probe_duration_seconds"),
		"The exporter itself": bounds(t, own(t, e), "integra_exporter_schedule_lag_seconds"),
	} {
		if !strings.Contains(section(t, heading), h) {
			t.Errorf("%s does not hold the upper bounds %s", heading, h)
		}
	}
}

// bounds returns the upper bounds of a histogram as the contract writes them: .025 .05 1
func bounds(t *testing.T, families []*dto.MetricFamily, name string) string {
	t.Helper()
	var words []string
	for _, b := range family(t, families, name).GetMetric()[0].GetHistogram().GetBucket() {
		words = append(words, strings.TrimPrefix(fmt.Sprint(b.GetUpperBound()), "0"))
	}
	return strings.Join(words, " ")
}
