//go:build system

package probe_test

import (
	"context"
	"flag"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// amqpOutcome is one probe of one target.
type amqpOutcome struct {
	target     int
	begin, end time.Time
	err        error
}

// amqpGap is when the broker was killed, was gone, was back, and when every target must have seen that.
type amqpGap struct{ kill, gone, back, recovered time.Time }

// Fifty targets are probed every second while the broker is killed and comes back.
func TestAMQPCrash(t *testing.T) {
	const (
		targets  = 50
		interval = time.Second
		timeout  = 5 * time.Second
	)
	broker := amqpBroker(t)
	access := amqpAccess(t)
	access.Exchanges, access.Queues = []string{amqpExchange}, []string{amqpClassic}
	prober := amqpProber(t, access)
	amqpNothingLeft(t)

	ctx, stop := context.WithCancel(t.Context())
	var (
		running  sync.WaitGroup
		mu       sync.Mutex
		outcomes []amqpOutcome
	)
	for target := range targets {
		running.Go(func() {
			ticks := time.NewTicker(interval)
			defer ticks.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case begin := <-ticks.C:
					bounded, cancel := context.WithTimeout(t.Context(), timeout)
					_, err := prober.Probe(bounded)
					cancel()
					mu.Lock()
					outcomes = append(outcomes, amqpOutcome{target, begin, time.Now(), err})
					mu.Unlock()
				}
			}
		})
	}
	time.Sleep(2 * interval)
	gap := amqpGap{kill: time.Now()}
	broker.Kill()
	gap.gone = time.Now()
	err := broker.Boot()
	gap.back = time.Now()
	if err != nil {
		t.Error(err)
	}
	time.Sleep(4 * interval)
	stop()
	running.Wait()
	gap.recovered = gap.back.Add(2 * interval)
	amqpJudgeCrash(t, outcomes, gap, targets)
	amqpNoConnections(t)
}

func amqpJudgeCrash(t *testing.T, outcomes []amqpOutcome, gap amqpGap, targets int) {
	t.Helper()
	reasons := map[probe.Reason]int{}
	good := map[int]bool{}
	for _, o := range outcomes {
		reason, _ := probe.ReasonOf(o.err)
		up := gap.back.Add(-time.Second) // the port may be open for a moment before Boot sees it
		switch {
		case o.err == nil && o.begin.After(gap.gone) && o.end.Before(up):
			t.Errorf("target %d passed %s after the broker was killed", o.target, o.begin.Sub(gap.gone))
		case o.err != nil && o.end.Before(gap.kill):
			t.Errorf("target %d failed before: %v", o.target, o.err)
		case o.err != nil && o.begin.After(gap.recovered):
			t.Errorf("target %d failed %s after the broker was back: %v", o.target, o.begin.Sub(gap.back), o.err)
		case o.err == nil && o.begin.After(up) && o.begin.Before(gap.recovered):
			good[o.target] = true
		}
		reasons[reason]++
	}
	t.Logf("gap of %s, %d runs: %v", gap.back.Sub(gap.gone).Round(time.Millisecond), len(outcomes), reasons)
	if len(good) < targets {
		t.Errorf("only %d of %d targets passed within two intervals", len(good), targets)
	}
	for reason := range reasons {
		switch reason {
		case "", probe.ReasonConnect, probe.ReasonDisconnected, probe.ReasonBrokerTimeout, probe.ReasonTLS:
		default:
			t.Errorf("a broker that is gone was called %s", reason)
		}
	}
	if reasons[probe.ReasonConnect] < targets {
		t.Errorf("only %d runs saw a refused connection", reasons[probe.ReasonConnect])
	}
}

var amqpProbes = flag.Int("amqp.probes", 1000, "probes of the churn test")

// A thousand good probes, four at a time: the broker has no word of complaint,
// no message has reached anybody, and nothing is left on either side.
func TestAMQPChurn(t *testing.T) {
	ch := amqpClient(t)
	watched, err := ch.QueueDeclarePassive("takes-everything", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	access := amqpAccess(t)
	access.Exchanges, access.Queues, access.RoundTrip = []string{amqpExchange}, []string{amqpClassic, amqpQuorum}, true
	begin := time.Now()
	queues := amqpCtl(t, "list_queues", "--vhost="+amqpApp, "name", "messages")

	prober := amqpProber(t, access)
	amqpNothingLeft(t)
	var (
		running sync.WaitGroup
		done    atomic.Int64
	)
	for range 4 {
		running.Go(func() {
			for int(done.Add(1)) <= *amqpProbes {
				ctx, cancel := context.WithTimeout(t.Context(), amqpTimeout)
				_, err := prober.Probe(ctx)
				cancel()
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()

	after := amqpCtl(t, "list_queues", "--vhost="+amqpApp, "name", "messages")
	if after != queues {
		t.Errorf("queues were\n%s and are\n%s", queues, after)
	}
	amqpWatcherGotNothing(t, ch, watched)
	amqpNoConnections(t)
	amqpNoComplaint(t, begin)
}

func amqpWatcherGotNothing(t *testing.T, ch *amqp.Channel, before amqp.Queue) {
	t.Helper()
	after, err := ch.QueueDeclarePassive(before.Name, true, false, false, false, nil)
	if err != nil || after != before {
		t.Errorf("the queue bound to everything was %+v and is %+v, %v", before, after, err)
	}
}

// amqpNoComplaint reads what the broker has logged since begin.
func amqpNoComplaint(t *testing.T, begin time.Time) {
	t.Helper()
	log, err := amqpBroker(t).Log()
	if err != nil {
		t.Fatal(err)
	}
	logins, since := 0, begin.UTC().Format("2006-01-02 15:04:05.000000")
	for line := range strings.Lines(log) {
		if line < since {
			continue
		}
		complaint := strings.Contains(line, "[warning]") || strings.Contains(line, "[error]")
		if complaint && !strings.Contains(line, "alarm") { // the end of another test's
			t.Error(line)
		}
		if strings.Contains(line, "authenticated and granted access") {
			logins++
		}
	}
	if logins < *amqpProbes {
		t.Errorf("%d logins in the broker's log: is this the log?", logins)
	}
}
