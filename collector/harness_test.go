package collector_test

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// world is a store with its collector, wired as the program wires them.
type world struct {
	store   *state.Store
	metrics *collector.Collector
}

func newWorld(checks ...probe.Check) world {
	store := state.New()
	store.Replace(checks)
	return world{store, collector.New(store)}
}

func (w world) report(target probe.Target, result probe.Result) {
	_, known := w.store.Report(target, result)
	if known {
		w.metrics.Observe(target, result)
	}
}

func check(institution, name string) probe.Check {
	return probe.Check{
		Target: probe.Target{Institution: institution, Kind: probe.KindAPI, Name: name},
		Info: probe.Info{
			InstitutionTitle: "Universitetet i " + institution, Title: "Integra / DFØ " + name,
			Address: "https://gw-" + institution + ".intark.uh-it.no:443", Contact: "integrasjon@example.no",
		},
		Interval: time.Minute, Timeout: 15 * time.Second,
	}
}

var (
	start  = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	expiry = time.Date(2027, 1, 15, 12, 0, 0, 0, time.UTC)
)

// ms returns the phases of a probe, in milliseconds, and their sum.
func ms(durations map[probe.Phase]int) (phases probe.Phases, sum time.Duration) {
	for phase, n := range durations {
		phases[phase] = time.Duration(n) * time.Millisecond
		sum += phases[phase]
	}
	return phases, sum
}

func ran(durations map[probe.Phase]int, seen probe.Observation, err error) probe.Result {
	seen.Phases, seen.Elapsed = ms(durations)
	return probe.Result{Observation: seen, Planned: start, Start: start, Duration: seen.Elapsed, Err: err}
}

func whole() map[probe.Phase]int {
	return map[probe.Phase]int{
		probe.PhaseResolve: 3, probe.PhaseConnect: 8, probe.PhaseTLS: 21, probe.PhaseProcessing: 180, probe.PhaseTransfer: 4,
	}
}

// healthy is a run that observed everything there is.
func healthy() probe.Result {
	return ran(whole(), probe.Observation{
		Answered: true, Status: 200, Size: 4711, TransactionID: "not-a-label",
		Certificate: probe.Certificate{Expiry: expiry, Verified: true},
		RateLimits: []probe.RateLimit{
			{Policy: "rate_limit", Limit: probe.Count{N: 600, OK: true}, Remaining: probe.Count{N: 599, OK: true}},
			{Policy: "quota", Limit: probe.Count{N: 50000, OK: true}, Remaining: probe.Count{N: 0, OK: true}},
		},
	}, nil)
}

func refused() probe.Result {
	return ran(map[probe.Phase]int{probe.PhaseResolve: 3, probe.PhaseConnect: 1},
		probe.Observation{}, probe.Fail(probe.ReasonConnect, "connection refused"))
}

func unverified() probe.Result {
	return ran(map[probe.Phase]int{probe.PhaseResolve: 3, probe.PhaseConnect: 8, probe.PhaseTLS: 21},
		probe.Observation{Certificate: probe.Certificate{Expiry: start.Add(-time.Hour)}},
		probe.Fail(probe.ReasonTLS, "the certificate ended on 2026-11-02"))
}

func limited() probe.Result {
	return ran(whole(), probe.Observation{
		Answered: true, Status: 429, Size: 0,
		Certificate: probe.Certificate{Expiry: expiry, Verified: true},
		RateLimits: []probe.RateLimit{
			{Policy: "rate_limit", Limit: probe.Count{N: 10, OK: true}, Remaining: probe.Count{OK: true}},
			{Policy: "quota", Limit: probe.Count{N: 500, OK: true}},
			{Policy: "spike_arrest", Remaining: probe.Count{N: 7, OK: true}},
		},
	}, probe.Fail(probe.ReasonRateLimited, "HTTP status 429"))
}

// broker is a run of kind rabbitmq that observed everything there is.
func broker() probe.Result {
	return ran(
		map[probe.Phase]int{
			probe.PhaseResolve: 2, probe.PhaseConnect: 7, probe.PhaseTLS: 20, probe.PhaseLogin: 30,
			probe.PhaseOpen: 5, probe.PhaseDeclare: 9, probe.PhaseRoundTrip: 4,
		},
		probe.Observation{
			Certificate: probe.Certificate{Expiry: expiry, Verified: true},
			Broker:      probe.BrokerInfo{Product: "RabbitMQ", Version: "3.12.14", Cluster: "mq-uio"},
			Queues: []probe.QueueSeen{
				{Name: "from_system-production-fs", Ready: 17, Consumers: 1}, {Name: "own"},
			},
			Blocked: probe.Count{OK: true},
		}, nil)
}

// gather has a registry look at what source sends: it refuses what is not valid and what comes twice, and sorts.
func gather(t *testing.T, source collector.Source) []*dto.MetricFamily {
	t.Helper()
	families, err := registered(source).Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func registered(source collector.Source) prometheus.Gatherer {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(replayed{source})
	return registry
}

// replayed is a source as a collector.
type replayed struct{ collector.Source }

func (replayed) Describe(chan<- *prometheus.Desc) {}

func (r replayed) Collect(to chan<- prometheus.Metric) {
	for f := range r.Families() {
		desc := prometheus.NewDesc(f.GetName(), f.GetHelp(), nil, nil)
		for _, m := range f.GetMetric() {
			to <- sent{desc, proto.CloneOf(m)}
		}
	}
}

type sent struct {
	desc   *prometheus.Desc
	metric *dto.Metric
}

func (s sent) Desc() *prometheus.Desc { return s.desc }

func (s sent) Write(to *dto.Metric) error {
	proto.Merge(to, s.metric)
	return nil
}

func text(t *testing.T, families []*dto.MetricFamily) string {
	t.Helper()
	var b bytes.Buffer
	for _, f := range families {
		_, err := expfmt.MetricFamilyToText(&b, f)
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func family(t *testing.T, families []*dto.MetricFamily, name string) *dto.MetricFamily {
	t.Helper()
	for _, f := range families {
		if f.GetName() == name {
			return f
		}
	}
	t.Fatalf("no family %s", name)
	return nil
}

// shape is what docs and dashboards rely on: name to type and label names, of every series.
func shape(families []*dto.MetricFamily) map[string]string {
	shapes := map[string]string{}
	for _, f := range families {
		labels := map[string]bool{}
		for _, m := range f.GetMetric() {
			for _, pair := range m.GetLabel() {
				labels[pair.GetName()] = true
			}
		}
		shapes[f.GetName()] = strings.TrimSpace(strings.ToLower(f.GetType().String()) + " " +
			strings.Join(slices.Sorted(maps.Keys(labels)), " "))
	}
	return shapes
}
