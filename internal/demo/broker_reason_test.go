package demo

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// brokerChecks loads the configuration that p writes, as the demo does, and returns its checks of kind rabbitmq.
func brokerChecks(t *testing.T, p *Platform) map[Access]probe.Check {
	t.Helper()
	path, err := p.WriteConfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, probe.NewShared())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) > 0 {
		t.Errorf("warnings: %v", c.Warnings)
	}
	found := map[Access]probe.Check{}
	for _, check := range c.Checks() {
		if check.Kind != probe.KindRabbitMQ {
			continue
		}
		found[Access{check.Institution, check.Name}] = check
		if check.Interval != 10*time.Second || check.Timeout != 5*time.Second || check.Info.Address != p.BrokerURL(check.Institution) {
			t.Errorf("%v: interval %v, timeout %v, %+v", check.Target, check.Interval, check.Timeout, check.Info)
		}
	}
	return found
}

// verdict is what a probe makes of a broker.
type verdict struct {
	Reason  probe.Reason
	Layer   probe.Layer
	Queues  []probe.QueueSeen
	Blocked probe.Count
}

func probeOnce(t *testing.T, check probe.Check, timeout time.Duration) (probe.Observation, verdict) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	seen, err := check.Prober.Probe(ctx)
	reason, layer := probe.ReasonOf(err)
	return seen, verdict{reason, layer, seen.Queues, seen.Blocked}
}

var (
	flows = probe.Count{N: 0, OK: true}
	stuck = probe.Count{N: 1, OK: true}
)

func TestWhatTheProbeMakesOfTheBrokers(t *testing.T) {
	t.Parallel()
	p := start(t, Options{})
	from := func(producer string, ready, consumers int64) probe.QueueSeen {
		return probe.QueueSeen{Name: "from_system-production-" + producer, Ready: ready, Consumers: consumers}
	}
	want := map[Access]verdict{
		{"ntnu", "system-production-dfo-sap"}: {Blocked: flows},
		{"ntnu", "system-production-iga"}: {
			Queues: []probe.QueueSeen{from("dfo-sap", 0, 2), from("fs", 3, 1)}, Blocked: flows,
		},
		{"uib", "system-production-fs"}:      {Reason: probe.ReasonBlocked, Layer: probe.LayerBroker, Blocked: stuck},
		{"uio", "system-production-dfo-sap"}: {Blocked: flows},
		{"uio", "system-production-bas"}: {
			Reason: probe.ReasonQueueMissing, Layer: probe.LayerBroker, Queues: []probe.QueueSeen{from("fs", 0, 1)},
		},
		{"uit", "system-production-fs"}:         {Reason: probe.ReasonLoginRefused, Layer: probe.LayerKey},
		{"oslomet", "system-production-adgang"}: {Queues: []probe.QueueSeen{from("dfo-sap", 1240, 0)}},
		{"himolde", "system-production-fs"}:     {Blocked: flows},
	}
	got := map[Access]verdict{}
	for access, check := range brokerChecks(t, p) {
		seen, v := probeOnce(t, check, check.Timeout)
		got[access] = v
		checkIntroduction(t, access, seen, v)
	}
	diff := cmp.Diff(want, got)
	if diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}

// checkIntroduction compares an observation with what every broker of the demo shows.
func checkIntroduction(t *testing.T, access Access, seen probe.Observation, v verdict) {
	t.Helper()
	want := probe.BrokerInfo{Product: "RabbitMQ", Version: "3.12.14", Cluster: "mq-" + access.Institution}
	if seen.Broker != want || !seen.Certificate.Verified {
		t.Errorf("%v: broker %+v, certificate %+v", access, seen.Broker, seen.Certificate)
	}
	reached := map[probe.Phase]bool{
		probe.PhaseConnect: true, probe.PhaseTLS: true, probe.PhaseLogin: true,
		probe.PhaseOpen: v.Reason != probe.ReasonLoginRefused, probe.PhaseDeclare: v.Reason != probe.ReasonLoginRefused,
		probe.PhaseRoundTrip: v.Blocked.OK,
	}
	for phase, should := range reached {
		if did := seen.Phases[phase] > 0; did != should {
			t.Errorf("%v: phase %s took %v", access, phase, seen.Phases[phase])
		}
	}
}

func TestWhatTheProbeMakesOfEveryBrokerFault(t *testing.T) {
	t.Parallel()
	p := start(t, quick())
	checks := brokerChecks(t, p)
	producer, consumer := Access{"ntnu", "system-production-dfo-sap"}, Access{"ntnu", "system-production-iga"}
	type cause struct {
		Producer, Consumer verdict
	}
	both := func(v verdict) cause { return cause{v, v} }
	good := verdict{Blocked: flows}
	lacks := func(r probe.Reason) verdict { return verdict{Reason: r, Layer: probe.LayerBroker} }
	want := map[BrokerFault]cause{
		BrokerHealthy:         both(good),
		BrokerRefused:         both(verdict{Reason: probe.ReasonConnect, Layer: probe.LayerNetwork}),
		BrokerSilent:          both(lacks(probe.ReasonBrokerTimeout)),
		BrokerLoginRefused:    both(verdict{Reason: probe.ReasonLoginRefused, Layer: probe.LayerKey}),
		BrokerVhostMissing:    both(lacks(probe.ReasonVhostMissing)),
		BrokerVhostRefused:    both(verdict{Reason: probe.ReasonVhostRefused, Layer: probe.LayerKey}),
		BrokerExchangeMissing: {lacks(probe.ReasonExchangeMissing), good},
		BrokerQueueMissing:    {good, lacks(probe.ReasonQueueMissing)},
		BrokerBlocked:         both(verdict{Reason: probe.ReasonBlocked, Layer: probe.LayerBroker, Blocked: stuck}),
	}
	got := map[BrokerFault]cause{}
	for _, f := range BrokerFaults() {
		timeout := 5 * time.Second
		if f == BrokerSilent {
			timeout = 300 * time.Millisecond
		}
		p.SetBroker("ntnu", "", f)
		_, a := probeOnce(t, checks[producer], timeout)
		_, b := probeOnce(t, checks[consumer], timeout)
		a.Queues, b.Queues = nil, nil // TestWhatTheProbeMakesOfTheBrokers
		got[f] = cause{a, b}
		p.SetBroker("ntnu", "", BrokerHealthy)
	}
	diff := cmp.Diff(want, got)
	if diff != "" {
		t.Errorf("causes (-want +got):\n%s", diff)
	}
}

// A fault of one application concerns no other; one of the whole broker wins, and does not change it.
func TestBrokerFaultsOfOneAndAll(t *testing.T) {
	p := start(t, quick())
	checks := brokerChecks(t, p)
	reasons := func() (found [3]probe.Reason) {
		for i, access := range []Access{
			{"ntnu", "system-production-dfo-sap"}, {"ntnu", "system-production-iga"}, {"himolde", "system-production-fs"},
		} {
			_, v := probeOnce(t, checks[access], 5*time.Second)
			found[i] = v.Reason
		}
		return found
	}
	for _, step := range []struct {
		application string
		fault       BrokerFault
		want        [3]probe.Reason
	}{
		{"system-production-iga", BrokerVhostMissing, [3]probe.Reason{"", probe.ReasonVhostMissing, ""}},
		{"", BrokerVhostRefused, [3]probe.Reason{probe.ReasonVhostRefused, probe.ReasonVhostRefused, ""}},
		{"", BrokerHealthy, [3]probe.Reason{"", probe.ReasonVhostMissing, ""}},
		{"system-production-iga", BrokerHealthy, [3]probe.Reason{}},
	} {
		p.SetBroker("ntnu", step.application, step.fault)
		if got := reasons(); got != step.want {
			t.Errorf("%q is %v: %v, want %v", step.application, step.fault, got, step.want)
		}
	}
}
