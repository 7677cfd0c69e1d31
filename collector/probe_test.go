package collector_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// probed returns what /probe answers after the results of a target of that kind.
func probed(t *testing.T, kind string, results ...probe.Result) []*dto.MetricFamily {
	t.Helper()
	checked := check("uio", "organisasjoner")
	checked.Kind = kind
	w := newWorld(checked)
	w.store.SetKeyInfo(checked.Target, learned())
	for _, result := range results {
		result.Limit = 9500 * time.Millisecond
		w.report(checked.Target, result)
	}
	row, _ := w.store.Target(checked.Target)
	return gather(t, collector.NewProbe(row))
}

// carried is healthy with what the wire showed.
func carried() probe.Result {
	result := accepted()
	result.IPVersion, result.HTTPVersion, result.ContentLength = 4, 1.1, -1
	return result
}

func TestProbeExposition(t *testing.T) {
	negative := healthy()
	negative.Phases = probe.Phases{}
	for _, c := range []struct {
		name, kind string
		results    []probe.Result
	}{
		{"probe-healthy", probe.KindAPI, []probe.Result{carried()}},
		{"probe-refused", probe.KindAPI, []probe.Result{carried(), refused()}}, // nothing of the run before may stay
		{"probe-unverified", probe.KindAPI, []probe.Result{unverified()}},
		{"probe-auth", probe.KindAuth, []probe.Result{negative}},
		{"probe-broker", probe.KindRabbitMQ, []probe.Result{broker()}},
	} {
		t.Run(c.name, func(t *testing.T) {
			golden(t, c.name, text(t, probed(t, c.kind, c.results...)))
		})
	}
}

// blackboxNames are those of blackbox_exporter's that section 5 of the contract lists, with their labels, and ours beside them.
func blackboxNames() map[string]string {
	return map[string]string{
		"probe_success":                       "gauge",
		"probe_duration_seconds":              "gauge",
		"probe_timeout_seconds":               "gauge",
		"probe_dns_lookup_time_seconds":       "gauge",
		"probe_http_duration_seconds":         "gauge phase",
		"probe_http_status_code":              "gauge",
		"probe_http_ssl":                      "gauge",
		"probe_http_version":                  "gauge",
		"probe_http_content_length":           "gauge",
		"probe_http_uncompressed_body_length": "gauge",
		"probe_ip_protocol":                   "gauge",
		"probe_ssl_earliest_cert_expiry":      "gauge",
		"probe_rabbitmq_duration_seconds":     "gauge phase",
		"probe_failure_info":                  "gauge layer reason",
	}
}

func TestProbeFamiliesAreThoseOfTheContract(t *testing.T) {
	want := blackboxNames()
	for name, shape := range targetFamilies() {
		words := strings.Fields(shape)
		if words[0] == "gauge" {
			want[name] = strings.Join(slices.DeleteFunc(words, func(word string) bool {
				return word == "institution" || word == "kind" || word == "target"
			}), " ")
		}
	}
	got := map[string]string{}
	for _, families := range [][]*dto.MetricFamily{
		probed(t, probe.KindAPI, carried()), probed(t, probe.KindAPI, refused()), probed(t, probe.KindRabbitMQ, broker()),
	} {
		maps.Copy(got, shape(families))
		lint(t, families)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("name: type labels (-contract +sent):\n%s", diff)
	}
}

func TestDocumentedProbeMetrics(t *testing.T) {
	written := map[string]string{}
	for _, cells := range rows(section(t, "What `/probe` answers"), "probe_.*") {
		if len(cells) != 5 || cells[3] == "" || cells[4] == "" {
			t.Errorf("a row needs metric, type, labels, meaning and absent: %q", cells)
			continue
		}
		labels := strings.Fields(strings.ReplaceAll(cells[2], "`", ""))
		slices.Sort(labels)
		written[strings.Trim(cells[0], "`")] = strings.TrimSpace(cells[1] + " " + strings.Join(labels, " "))
	}
	if diff := cmp.Diff(blackboxNames(), written); diff != "" {
		t.Errorf("name: type labels (-sent +documented):\n%s", diff)
	}
}
