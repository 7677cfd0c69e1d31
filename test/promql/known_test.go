package promql_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// known returns every series that a query may name, with its labels: those of
// the exporter, of the Go runtime, of Prometheus itself, and the recorded ones.
func known(t *testing.T) map[string]labelSet {
	t.Helper()
	all := documented(t)
	maps.Copy(all, runtimes(t))
	scraped := labelled("job", "instance", "institution", "kind", "target") // the last three of a scrape of /probe
	for _, name := range []string{"up", "scrape_duration_seconds", "scrape_samples_scraped"} {
		all[name] = scraped
	}
	in := &inference{series: all}
	states := labelled("alertname", "alertstate")
	for _, r := range rules(t) {
		have := in.labels(parsed(t, query{r.Alert + r.Record, r.Expr}))
		for name := range r.Labels {
			have[name] = true
		}
		if r.Record != "" {
			all[r.Record] = have
			continue
		}
		states = states.and(have)
	}
	all["ALERTS"], all["ALERTS_FOR_STATE"] = states, states.without([]string{"alertstate"})
	return all
}

// documented returns the metrics of the tables in docs/metrics.md, which a test of the exporter holds to the code.
func documented(t *testing.T) map[string]labelSet {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "docs/metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	always := map[string][]string{"Targets": {"institution", "kind", "target"}, "Institutions": {"institution"}, "The exporter itself": {}}
	all := map[string]labelSet{}
	for _, section := range strings.Split(string(content), "\n## ") {
		heading, text, _ := strings.Cut(section, "\n")
		for _, row := range regexp.MustCompile("(?m)^\\| `(integra_\\w+)` \\| (\\w+) \\|([^|]*)\\|").FindAllStringSubmatch(text, -1) {
			labels, belongs := always[heading]
			if !belongs {
				t.Errorf("%s stands in the section %q, whose labels are not known", row[1], heading)
			}
			labels = append(strings.Fields(strings.ReplaceAll(row[3], "`", "")), labels...)
			all[row[1]] = labelled(append(labels, "job", "instance")...)
			if row[2] == "histogram" {
				classic(all, row[1])
			}
		}
	}
	if len(all) < 40 {
		t.Errorf("only %d metrics in docs/metrics.md: have they been found?", len(all))
	}
	return all
}

// classic adds the series of a classic histogram.
func classic(all map[string]labelSet, name string) {
	all[name+"_bucket"] = all[name].and(labelled("le"))
	all[name+"_sum"], all[name+"_count"] = all[name], all[name]
}

// runtimes returns the metrics of the collectors that every Go program of Prometheus has.
func runtimes(t *testing.T) map[string]labelSet {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]labelSet{}
	for _, f := range families {
		all[f.GetName()] = labelled("job", "instance")
		for _, pair := range f.GetMetric()[0].GetLabel() {
			all[f.GetName()][pair.GetName()] = true
		}
	}
	return all
}
