package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// send hands over one series of a family.
type send func(value float64, extraLabels ...string)

// family is one metric family of every target.
type family struct {
	desc      *prometheus.Desc // with identity labels
	bare      *prometheus.Desc // without
	valueType prometheus.ValueType
	each      func(*state.Target, send)
}

// families is the table of everything that is sent per target, but for the histogram.
var families = []family{
	gauge("integra_target_info", "What the target is; always 1, for joins.", info,
		"institution_title", "title", "address", "contact"),
	gauge("integra_probe_success", "Whether the last run succeeded: 1 or 0.", ran(success)),
	gauge("integra_probe_failure_info", "Why the last run failed; always 1, only while it did.", ran(failure),
		"reason", "layer"),
	gauge("integra_probe_last_duration_seconds", "How long the last run took.",
		ran(func(t *state.Target, s send) { s(t.Last.Duration.Seconds()) })),
	gauge("integra_probe_phase_duration_seconds", "How long each phase of the last run took, as far as it got.", ran(phases),
		"phase"),
	counter("integra_probe_runs_total", "Runs, whatever came of them.",
		func(t *state.Target, s send) { s(float64(t.Runs)) }),
	counter("integra_probe_failures_total", "Runs that failed.",
		func(t *state.Target, s send) { s(float64(t.Failures)) }),
	counter("integra_probe_failure_reasons_total", "Runs that failed, by cause; appears with the first.", reasons,
		"reason", "layer"),
	gauge("integra_probe_last_run_timestamp_seconds", "When the last run ended, in seconds since 1970.",
		ran(func(t *state.Target, s send) { s(timestamp(t.LastRun())) })),
	gauge("integra_probe_last_success_timestamp_seconds", "When the last successful run ended, in seconds since 1970.",
		lastSuccess),
	gauge("integra_probe_interval_seconds", "Time between two runs, as configured.",
		func(t *state.Target, s send) { s(t.Interval.Seconds()) }),
	gauge("integra_probe_timeout_seconds", "Time a run may take, as configured.",
		func(t *state.Target, s send) { s(t.Timeout.Seconds()) }),
	gauge("integra_http_status_code", "HTTP status of the last run's answer.",
		answered(func(t *state.Target, s send) { s(float64(t.Last.Status)) })),
	gauge("integra_http_response_size_bytes", "Size of the last run's answer, as far as it was read, after decompression.",
		answered(func(t *state.Target, s send) { s(float64(t.Last.Size)) })),
	gauge("integra_http_rate_limit_remaining", "Requests left in the gateway's current window.",
		limits(func(l probe.RateLimit) probe.Count { return l.Remaining }), "policy"),
	gauge("integra_http_rate_limit_limit", "Requests allowed per window by the gateway.",
		limits(func(l probe.RateLimit) probe.Count { return l.Limit }), "policy"),
	gauge("integra_tls_certificate_expiry_timestamp_seconds",
		"Earliest end among the certificates the server showed, accepted or not, in seconds since 1970.",
		shown(func(t *state.Target, s send) { s(timestamp(t.Last.Certificate.Expiry)) })),
	gauge("integra_tls_certificate_verified", "Whether the server's certificate was accepted: 1 or 0.",
		shown(func(t *state.Target, s send) { s(boolean(t.Last.Certificate.Verified)) })),
	gauge("integra_rabbitmq_queue_messages_ready", "Messages in the queue that wait for a consumer.",
		queues(func(q probe.QueueSeen) int64 { return q.Ready }), "queue"),
	gauge("integra_rabbitmq_queue_consumers", "Consumers of the queue.",
		queues(func(q probe.QueueSeen) int64 { return q.Consumers }), "queue"),
	gauge("integra_rabbitmq_blocked", "Whether the broker takes no messages, because a resource alarm is in force: 1 or 0; only with roundtrip.",
		blocked),
	gauge("integra_rabbitmq_server_info", "What the broker says of itself; always 1.", server,
		"product", "version", "cluster"),
	gauge("integra_key_expiry_timestamp_seconds", "When the key ends, by who says so, in seconds since 1970; only where there is a date.",
		keyEnds, "source"),
	gauge("integra_key_expiry_state", "Whether an end of the key is known: 1 for one of dated, never and unknown, 0 for the others.",
		keyState, "state"),
	gauge("integra_key_accepted", "Whether the gateway last took the key: 1 or 0; absent until it said.", keyAccepted),
	gauge("integra_key_superseded", "Whether the API manager holds a newer key for this subscription: 1 or 0.", keySuperseded),
}

func gauge(name, help string, each func(*state.Target, send), extraLabels ...string) family {
	return familyOf(name, help, extraLabels, prometheus.GaugeValue, each)
}

func counter(name, help string, each func(*state.Target, send), extraLabels ...string) family {
	return familyOf(name, help, extraLabels, prometheus.CounterValue, each)
}

func familyOf(name, help string, extraLabels []string, valueType prometheus.ValueType, each func(*state.Target, send)) family {
	labels := append(identityLabels(), extraLabels...)
	return family{prometheus.NewDesc(name, help, labels, nil), prometheus.NewDesc(name, help, extraLabels, nil), valueType, each}
}

// ran sends nothing before the first run.
func ran(each func(*state.Target, send)) func(*state.Target, send) {
	return only(func(t *state.Target) bool { return t.Runs > 0 }, each)
}

// answered sends nothing without an HTTP status.
func answered(each func(*state.Target, send)) func(*state.Target, send) {
	return only(func(t *state.Target) bool { return t.Last.Answered }, each)
}

// shown sends nothing without a certificate.
func shown(each func(*state.Target, send)) func(*state.Target, send) {
	return only(func(t *state.Target) bool { return !t.Last.Certificate.Expiry.IsZero() }, each)
}

func only(when func(*state.Target) bool, each func(*state.Target, send)) func(*state.Target, send) {
	return func(t *state.Target, s send) {
		if when(t) {
			each(t, s)
		}
	}
}

func info(t *state.Target, s send) { s(1, t.InstitutionTitle, t.Title, t.Address, t.Contact) }

func success(t *state.Target, s send) { s(boolean(t.Last.Err == nil)) }

func failure(t *state.Target, s send) {
	reason, layer := probe.ReasonOf(t.Last.Err)
	if reason != "" {
		s(1, string(reason), string(layer))
	}
}

func phases(t *state.Target, s send) {
	for phase, duration := range t.Last.Phases {
		if duration > 0 {
			s(duration.Seconds(), probe.Phase(phase).String())
		}
	}
}

func reasons(t *state.Target, s send) {
	for _, r := range t.Reasons {
		s(float64(r.Count), string(r.Reason), string(r.Layer))
	}
}

func lastSuccess(t *state.Target, s send) {
	if !t.LastSuccess.IsZero() {
		s(timestamp(t.LastSuccess))
	}
}

func limits(of func(probe.RateLimit) probe.Count) func(*state.Target, send) {
	return func(t *state.Target, s send) {
		for _, limit := range t.Last.RateLimits {
			n := of(limit)
			if n.OK {
				s(float64(n.N), limit.Policy)
			}
		}
	}
}

func queues(of func(probe.QueueSeen) int64) func(*state.Target, send) {
	return func(t *state.Target, s send) {
		for _, queue := range t.Last.Queues {
			s(float64(of(queue)), queue.Name)
		}
	}
}

func blocked(t *state.Target, s send) {
	if t.Last.Blocked.OK {
		s(float64(t.Last.Blocked.N))
	}
}

func server(t *state.Target, s send) {
	said := t.Last.Broker
	if said != (probe.BrokerInfo{}) {
		s(1, said.Product, said.Version, said.Cluster)
	}
}

func timestamp(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
