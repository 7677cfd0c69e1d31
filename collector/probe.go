package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// Probe sends the last run of one target under the names of blackbox_exporter,
// and the target's own gauges, all without identity labels: these are for
// Prometheus to add. It implements prometheus.Collector.
type Probe struct {
	target state.Target
}

// NewProbe returns the collector of what /probe answers.
func NewProbe(target state.Target) Probe { return Probe{target} }

// Describe implements prometheus.Collector.
func (p Probe) Describe(descs chan<- *prometheus.Desc) {
	for _, table := range [][]family{blackboxFamilies, families} {
		for _, f := range gauges(table) {
			descs <- f.bare
		}
	}
}

// Collect implements prometheus.Collector.
func (p Probe) Collect(metrics chan<- prometheus.Metric) {
	collectBare(metrics, blackboxFamilies, &p.target)
	collectBare(metrics, families, &p.target)
}

func collectBare(metrics chan<- prometheus.Metric, table []family, target *state.Target) {
	for _, f := range gauges(table) {
		f.each(target, func(value float64, extra ...string) {
			metrics <- prometheus.MustNewConstMetric(f.bare, f.valueType, value, extra...)
		})
	}
}

// gauges leaves out what counts over time: that is for /metrics.
func gauges(table []family) (kept []family) {
	for _, f := range table {
		if f.valueType == prometheus.GaugeValue {
			kept = append(kept, f)
		}
	}
	return kept
}

// blackboxFamilies is the table of what has a name of blackbox_exporter's, or
// is missed there; it is sent without identity labels alone.
var blackboxFamilies = []family{
	gauge("probe_success", "Whether the run succeeded: 1 or 0.", ran(success)),
	gauge("probe_failure_info", "Why the run failed; always 1, only if it did.", ran(failure), "reason", "layer"),
	gauge("probe_timeout_seconds", "Time the run might take.",
		ran(func(t *state.Target, s send) { s(t.Last.Limit.Seconds()) })),
	gauge("probe_duration_seconds", "How long the run took.",
		ran(func(t *state.Target, s send) { s(t.Last.Duration.Seconds()) })),
	gauge("probe_dns_lookup_time_seconds", "How long the lookup of the host's name took; 0 where there was none.", lookup),
	gauge("probe_ip_protocol", "4 or 6: of the address that was connected to.", ipVersion),
	gauge("probe_http_duration_seconds", "How long each phase took, as far as the run got.", overHTTP(phases), "phase"),
	gauge("probe_http_status_code", "HTTP status of the answer.",
		answered(func(t *state.Target, s send) { s(float64(t.Last.Status)) })),
	gauge("probe_http_ssl", "Whether the answer came over TLS: 1 or 0.",
		answered(func(t *state.Target, s send) { s(boolean(!t.Last.Certificate.Expiry.IsZero())) })),
	gauge("probe_http_version", "HTTP version of the answer.",
		answered(func(t *state.Target, s send) { s(t.Last.HTTPVersion) })),
	gauge("probe_http_content_length", "Length of the answer as its header says; -1 if it does not.",
		answered(func(t *state.Target, s send) { s(float64(t.Last.ContentLength)) })),
	gauge("probe_http_uncompressed_body_length", "Size of the answer, as far as it was read, after decompression.",
		answered(func(t *state.Target, s send) { s(float64(t.Last.Size)) })),
	gauge("probe_ssl_earliest_cert_expiry",
		"Earliest end among the certificates the server showed, accepted or not, in seconds since 1970.",
		shown(func(t *state.Target, s send) { s(timestamp(t.Last.Certificate.Expiry)) })),
	gauge("probe_rabbitmq_duration_seconds", "How long each phase took, as far as the run got.", overAMQP(phases), "phase"),
}

func overHTTP(each func(*state.Target, send)) func(*state.Target, send) {
	return only(func(t *state.Target) bool { return t.Kind != probe.KindRabbitMQ }, each)
}

func overAMQP(each func(*state.Target, send)) func(*state.Target, send) {
	return only(func(t *state.Target) bool { return t.Kind == probe.KindRabbitMQ }, each)
}

// lookup says nothing where no phase was observed.
func lookup(t *state.Target, s send) {
	if t.Last.Phases != (probe.Phases{}) {
		s(t.Last.Phases[probe.PhaseResolve].Seconds())
	}
}

func ipVersion(t *state.Target, s send) {
	if t.Last.IPVersion != 0 {
		s(float64(t.Last.IPVersion))
	}
}
