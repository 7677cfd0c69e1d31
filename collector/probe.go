package collector

import (
	"iter"
	"slices"

	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// Probe sends the last run of one target under the names of blackbox_exporter,
// and the target's own gauges, all without identity labels: these are for
// Prometheus to add. It implements Source.
type Probe struct {
	target state.Target
}

// NewProbe returns what /probe answers.
func NewProbe(target state.Target) Probe { return Probe{target} }

// Families implements Source.
func (p Probe) Families() iter.Seq[*dto.MetricFamily] {
	return newBuilder().families(gauges(slices.Concat(blackboxFamilies, families)), []labelledTarget{{&p.target, nil}})
}

// gauges leaves out what counts over time: that is for /metrics.
func gauges(table []family) []family {
	return slices.DeleteFunc(table, func(f family) bool { return f.kind != dto.MetricType_GAUGE })
}

// blackboxFamilies is the table of what has a name of blackbox_exporter's, or would have one there.
// It is sent by /probe only.
var blackboxFamilies = []family{
	gauge("probe_success", "Whether the run succeeded: 1 or 0.", ran(success)),
	gauge("probe_failure_info", "Why the run failed; always 1, absent after a success.", ran(failure), "reason", "layer"),
	gauge("probe_timeout_seconds", "Time limit of the run.",
		ran(func(t *state.Target, s *series) { s.send(t.Last.Limit.Seconds()) })),
	gauge("probe_duration_seconds", "How long the run took.",
		ran(func(t *state.Target, s *series) { s.send(t.Last.Duration.Seconds()) })),
	gauge("probe_dns_lookup_time_seconds", "How long the lookup of the host's name took; 0 where there was none.", lookup),
	gauge("probe_ip_protocol", "IP version of the address that was connected to: 4 or 6.", ipVersion),
	gauge("probe_http_duration_seconds", "How long each phase took, as far as the run got.", overHTTP(phases), "phase"),
	gauge("probe_http_status_code", "HTTP status of the answer.",
		answered(func(t *state.Target, s *series) { s.send(float64(t.Last.Status)) })),
	gauge("probe_http_ssl", "Whether the answer came over TLS: 1 or 0.",
		answered(func(t *state.Target, s *series) { s.send(boolean(!t.Last.Certificate.Expiry.IsZero())) })),
	gauge("probe_http_version", "HTTP version of the answer.",
		answered(func(t *state.Target, s *series) { s.send(t.Last.HTTPVersion) })),
	gauge("probe_http_content_length", "Length of the answer according to its header; -1 if the header is missing.",
		answered(func(t *state.Target, s *series) { s.send(float64(t.Last.ContentLength)) })),
	gauge("probe_http_uncompressed_body_length", "Size of the answer, as far as it was read, after decompression.",
		answered(func(t *state.Target, s *series) { s.send(float64(t.Last.Size)) })),
	gauge("probe_ssl_earliest_cert_expiry",
		"Earliest expiry among the certificates that the server presented, trusted or not, in seconds since 1970.",
		withCertificate(func(t *state.Target, s *series) { s.send(timestamp(t.Last.Certificate.Expiry)) })),
	gauge("probe_rabbitmq_duration_seconds", "How long each phase took, as far as the run got.", overAMQP(phases), "phase"),
}

func overHTTP(collect collect) collect {
	return only(func(t *state.Target) bool { return t.Kind != probe.KindRabbitMQ }, collect)
}

func overAMQP(collect collect) collect {
	return only(func(t *state.Target) bool { return t.Kind == probe.KindRabbitMQ }, collect)
}

// lookup says nothing where no phase was observed.
func lookup(t *state.Target, s *series) {
	if t.Last.Phases != (probe.Phases{}) {
		s.send(t.Last.Phases[probe.PhaseResolve].Seconds())
	}
}

func ipVersion(t *state.Target, s *series) {
	if t.Last.IPVersion != 0 {
		s.send(float64(t.Last.IPVersion))
	}
}
