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
)

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
