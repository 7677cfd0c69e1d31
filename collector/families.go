package collector

import (
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// observe sends what a target has of a family: nothing, one series or several.
type observe func(*state.Target, *series)

// family is one metric family of every target.
type family struct {
	heading
	each observe
}

// families is the table of everything that is sent per target, but for the histogram.
var families = []family{
	gauge("integra_target_info", "What the target is; always 1, for joins.", info,
		"institution_title", "title", "address", "contact"),
	gauge("integra_probe_success", "Whether the last run succeeded: 1 or 0.", ran(success)),
	gauge("integra_probe_failure_info", "Why the last run failed; always 1, only while it did.", ran(failure),
		"reason", "layer"),
	gauge("integra_probe_last_duration_seconds", "How long the last run took.",
		ran(func(t *state.Target, s *series) { s.send(t.Last.Duration.Seconds()) })),
	gauge("integra_probe_phase_duration_seconds", "How long each phase of the last run took, as far as it got.", ran(phases),
		"phase"),
	counter("integra_probe_runs_total", "Runs, whatever came of them.",
		func(t *state.Target, s *series) { s.send(float64(t.Runs)) }),
	counter("integra_probe_failures_total", "Runs that failed.",
		func(t *state.Target, s *series) { s.send(float64(t.Failures)) }),
	counter("integra_probe_failure_reasons_total", "Runs that failed, by cause; appears with the first.", reasons,
		"reason", "layer"),
	gauge("integra_probe_last_run_timestamp_seconds", "When the last run ended, in seconds since 1970.",
		ran(func(t *state.Target, s *series) { s.send(timestamp(t.LastRun())) })),
	gauge("integra_probe_last_success_timestamp_seconds", "When the last successful run ended, in seconds since 1970.",
		lastSuccess),
	gauge("integra_probe_interval_seconds", "Time between two runs, as configured.",
		func(t *state.Target, s *series) { s.send(t.Interval.Seconds()) }),
	gauge("integra_probe_timeout_seconds", "Time a run may take, as configured.",
		func(t *state.Target, s *series) { s.send(t.Timeout.Seconds()) }),
	gauge("integra_http_status_code", "HTTP status of the last run's answer.",
		answered(func(t *state.Target, s *series) { s.send(float64(t.Last.Status)) })),
	gauge("integra_http_response_size_bytes", "Size of the last run's answer, as far as it was read, after decompression.",
		answered(func(t *state.Target, s *series) { s.send(float64(t.Last.Size)) })),
	gauge("integra_http_rate_limit_remaining", "Requests left in the gateway's current window.",
		limits(func(l probe.RateLimit) probe.Count { return l.Remaining }), "policy"),
	gauge("integra_http_rate_limit_limit", "Requests allowed per window by the gateway.",
		limits(func(l probe.RateLimit) probe.Count { return l.Limit }), "policy"),
	gauge("integra_tls_certificate_expiry_timestamp_seconds",
		"Earliest end among the certificates the server showed, accepted or not, in seconds since 1970.",
		shown(func(t *state.Target, s *series) { s.send(timestamp(t.Last.Certificate.Expiry)) })),
	gauge("integra_tls_certificate_verified", "Whether the server's certificate was accepted: 1 or 0.",
		shown(func(t *state.Target, s *series) { s.send(boolean(t.Last.Certificate.Verified)) })),
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

func gauge(name, help string, each observe, labels ...string) family {
	return family{heading{name, help, dto.MetricType_GAUGE, labels}, each}
}

func counter(name, help string, each observe, labels ...string) family {
	return family{heading{name, help, dto.MetricType_COUNTER, labels}, each}
}

// ran sends nothing before the first run.
func ran(each observe) observe {
	return only(func(t *state.Target) bool { return t.Runs > 0 }, each)
}

// answered sends nothing without an HTTP status.
func answered(each observe) observe {
	return only(func(t *state.Target) bool { return t.Last.Answered }, each)
}

// shown sends nothing without a certificate.
func shown(each observe) observe {
	return only(func(t *state.Target) bool { return !t.Last.Certificate.Expiry.IsZero() }, each)
}

func only(when func(*state.Target) bool, each observe) observe {
	return func(t *state.Target, s *series) {
		if when(t) {
			each(t, s)
		}
	}
}

func info(t *state.Target, s *series) { s.send(1, t.InstitutionTitle, t.Title, t.Address, t.Contact) }

func success(t *state.Target, s *series) { s.send(boolean(t.Last.Err == nil)) }

func failure(t *state.Target, s *series) {
	reason, layer := probe.ReasonOf(t.Last.Err)
	if reason != "" {
		s.send(1, string(reason), string(layer))
	}
}

func phases(t *state.Target, s *series) {
	for phase, duration := range t.Last.Phases {
		if duration > 0 {
			s.send(duration.Seconds(), probe.Phase(phase).String())
		}
	}
}

func reasons(t *state.Target, s *series) {
	for _, r := range t.Reasons {
		s.send(float64(r.Count), string(r.Reason), string(r.Layer))
	}
}

func lastSuccess(t *state.Target, s *series) {
	if !t.LastSuccess.IsZero() {
		s.send(timestamp(t.LastSuccess))
	}
}

func limits(of func(probe.RateLimit) probe.Count) observe {
	return func(t *state.Target, s *series) {
		for _, limit := range t.Last.RateLimits {
			n := of(limit)
			if n.OK {
				s.send(float64(n.N), limit.Policy)
			}
		}
	}
}

func queues(of func(probe.QueueSeen) int64) observe {
	return func(t *state.Target, s *series) {
		for i, queue := range t.Last.Queues {
			same := func(other probe.QueueSeen) bool { return other.Name == queue.Name }
			if !slices.ContainsFunc(t.Last.Queues[:i], same) { // a configuration may name one twice
				s.send(float64(of(queue)), queue.Name)
			}
		}
	}
}

func blocked(t *state.Target, s *series) {
	if t.Last.Blocked.OK {
		s.send(float64(t.Last.Blocked.N))
	}
}

func server(t *state.Target, s *series) {
	said := t.Last.Broker
	if said != (probe.BrokerInfo{}) {
		s.send(1, said.Product, said.Version, said.Cluster)
	}
}

func timestamp(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
