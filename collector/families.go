package collector

import (
	"iter"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// collect sends what a target has of a family: nothing, one series or several.
type collect func(*state.Target, *series)

// family is one metric family of every target.
type family struct {
	desc
	collect collect
}

// families is the table of everything that is sent per target, except the histogram.
var families = []family{
	gauge("integra_target_info", "What the target is; always 1, for joins.", info,
		"institution_title", "title", "address", "contact"),
	gauge("integra_probe_success", "Whether the last run succeeded: 1 or 0.", ran(success)),
	gauge("integra_probe_failure_info", "Why the last run failed; always 1, absent after a success.", ran(failure),
		"reason", "layer"),
	gauge("integra_probe_last_duration_seconds", "How long the last run took.",
		ran(func(t *state.Target, s *series) { s.send(t.Last.Duration.Seconds()) })),
	gauge("integra_probe_phase_duration_seconds", "How long each phase of the last run took, as far as it got.", ran(phases),
		"phase"),
	counter("integra_probe_runs_total", "Runs, successful or not.",
		func(t *state.Target, s *series) { s.send(float64(t.Runs)) }),
	counter("integra_probe_failures_total", "Runs that failed.",
		func(t *state.Target, s *series) { s.send(float64(t.Failures)) }),
	counter("integra_probe_failure_reasons_total", "Runs that failed, by reason; absent before the first failure.", reasons,
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
		"Earliest expiry among the certificates that the server presented, trusted or not, in seconds since 1970.",
		withCertificate(func(t *state.Target, s *series) { s.send(timestamp(t.Last.Certificate.Expiry)) })),
	gauge("integra_tls_certificate_verified", "Whether the server's certificate was trusted: 1 or 0.",
		withCertificate(func(t *state.Target, s *series) { s.send(boolean(t.Last.Certificate.Verified)) })),
	gauge("integra_rabbitmq_queue_messages_ready", "Messages in the queue that wait for a consumer.",
		queues(func(q probe.QueueSeen) int64 { return q.Ready }), "queue"),
	gauge("integra_rabbitmq_queue_consumers", "Consumers of the queue.",
		queues(func(q probe.QueueSeen) int64 { return q.Consumers }), "queue"),
	gauge("integra_rabbitmq_blocked", "Whether the broker blocks publishers because of a resource alarm: 1 or 0; only with roundtrip.",
		blocked),
	gauge("integra_rabbitmq_server_info", "Product, version and cluster name as the broker reports them; always 1.", server,
		"product", "version", "cluster"),
	gauge("integra_key_expiry_timestamp_seconds", "When the key expires, by source of the date, in seconds since 1970; absent without a date.",
		keyEnds, "source"),
	gauge("integra_key_expiry_state", "Whether the key's expiry is known: 1 for one of dated, never and unknown, 0 for the others.",
		keyState, "state"),
	gauge("integra_key_accepted", "Whether the gateway last accepted the key: 1, or rejected it: 0; absent before it has done either.", keyAccepted),
	gauge("integra_key_superseded", "Whether the API manager holds a newer key for this subscription: 1 or 0.", keySuperseded),
}

func gauge(name, help string, collect collect, labels ...string) family {
	return family{desc{name, help, dto.MetricType_GAUGE, labels}, collect}
}

func counter(name, help string, collect collect, labels ...string) family {
	return family{desc{name, help, dto.MetricType_COUNTER, labels}, collect}
}

// ran sends nothing before the first run.
func ran(collect collect) collect {
	return only(func(t *state.Target) bool { return t.Runs > 0 }, collect)
}

// answered sends nothing without an HTTP status.
func answered(collect collect) collect {
	return only(func(t *state.Target) bool { return t.Last.Answered }, collect)
}

// withCertificate sends nothing without a certificate.
func withCertificate(collect collect) collect {
	return only(func(t *state.Target) bool { return !t.Last.Certificate.Expiry.IsZero() }, collect)
}

func only(when func(*state.Target) bool, collect collect) collect {
	return func(t *state.Target, s *series) {
		if when(t) {
			collect(t, s)
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

func limits(of func(probe.RateLimit) probe.Count) collect {
	return func(t *state.Target, s *series) {
		for _, limit := range t.Last.RateLimits {
			n := of(limit)
			if n.OK {
				s.send(float64(n.N), limit.Policy)
			}
		}
	}
}

func queues(of func(probe.QueueSeen) int64) collect {
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

func keyEnds(t *state.Target, s *series) {
	for _, end := range t.Key.Ends() {
		if !end.At.IsZero() {
			s.send(timestamp(end.At), string(end.Source))
		}
	}
}

// keyState says nothing of a target without a key, nor of one that nobody has looked at.
func keyState(t *state.Target, s *series) {
	ends := t.Key.Ends()
	if t.Kind == probe.KindAPI { // a client certificate beside a key says nothing of the key
		ends = slices.DeleteFunc(ends, func(e probe.KeyEnd) bool { return e.Source == probe.SourceCertificate })
	}
	watched := t.Kind == probe.KindKey && t.Runs > 0
	if !t.Key.Info.Used && !watched && len(ends) == 0 {
		return
	}
	present := "unknown"
	switch {
	case slices.ContainsFunc(ends, func(e probe.KeyEnd) bool { return !e.At.IsZero() }):
		present = "dated"
	case len(ends) > 0:
		present = "never"
	}
	for _, name := range []string{"dated", "never", "unknown"} {
		s.send(boolean(name == present), name)
	}
}

func keyAccepted(t *state.Target, s *series) {
	if t.Key.Accepted != probe.KeyUnproven {
		s.send(boolean(t.Key.Accepted == probe.KeyAccepted))
	}
}

func keySuperseded(t *state.Target, s *series) {
	if t.Key.Info.Superseded.OK {
		s.send(float64(t.Key.Info.Superseded.N))
	}
}

// institutionFamily is a metric family with one series per institution.
type institutionFamily struct {
	desc
	of func(state.Institution) (value float64, ok bool)
}

var institutionFamilies = []institutionFamily{
	{
		perInstitution("integra_gravitee_success", "Whether the last reading of the API manager succeeded: 1 or 0."),
		func(i state.Institution) (float64, bool) { return boolean(i.Manager.OK), i.Manager.Tried },
	},
	{
		perInstitution("integra_gravitee_last_success_timestamp_seconds", "When the API manager was last read, in seconds since 1970."),
		func(i state.Institution) (float64, bool) {
			return timestamp(i.Manager.LastSuccess), !i.Manager.LastSuccess.IsZero()
		},
	},
	{
		perInstitution("integra_tls_ca_expiry_timestamp_seconds", "Earliest expiry among the certificates in the configured ca_file, in seconds since 1970."),
		func(i state.Institution) (float64, bool) { return timestamp(i.CAEnd), !i.CAEnd.IsZero() },
	},
}

func perInstitution(name, help string) desc {
	return desc{name: name, help: help, kind: dto.MetricType_GAUGE}
}

// institutions yields their families as families does those of targets.
func (b *builder) institutions(institutions []state.Institution) iter.Seq[*dto.MetricFamily] {
	return func(yield func(*dto.MetricFamily) bool) {
		for i := range institutionFamilies {
			f := &institutionFamilies[i]
			s := b.begin(&f.desc)
			for _, institution := range institutions {
				value, ok := f.of(institution)
				if ok {
					s.identity = []*dto.LabelPair{b.pair("institution", institution.Name)}
					s.send(value)
				}
			}
			if b.used > 0 && !yield(f.family(b.metrics[:b.used])) {
				return
			}
		}
	}
}

func timestamp(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
