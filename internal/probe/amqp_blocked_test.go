//go:build system

package probe_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// A broker short of memory takes no messages: only a round trip sees it, at once.
func TestAMQPBlocked(t *testing.T) {
	plain := amqpAccess(t)
	plain.Exchanges, plain.Queues = []string{amqpExchange}, []string{amqpClassic}
	publishing := plain
	publishing.RoundTrip = true
	looker, publisher := amqpProber(t, plain), amqpProber(t, publishing)
	amqpNothingLeft(t)

	release := func() { amqpCtl(t, "set_vm_memory_high_watermark", "absolute", "2GB") }
	t.Cleanup(release)
	amqpCtl(t, "set_vm_memory_high_watermark", "0.0000001")
	for range 3 {
		begin := time.Now()
		seen, err := amqpRun(t, publisher, amqpTimeout)
		amqpWant(t, err, probe.ReasonBlocked, probe.LayerBroker)
		took := time.Since(begin)
		if took > 3*time.Second || took-seen.Elapsed > 900*time.Millisecond {
			t.Errorf("took %s, %s without the goodbye that cannot be had", took, seen.Elapsed)
		}
		diff := cmp.Diff(probe.Count{N: 1, OK: true}, seen.Blocked)
		if diff != "" {
			t.Errorf("blocked (-want +got):\n%s", diff)
		}
	}
	seen, err := amqpRun(t, looker, amqpTimeout)
	amqpWant(t, err, "", "")
	if seen.Blocked.OK || len(seen.Queues) != 1 {
		t.Errorf("without a round trip: %+v", seen)
	}

	amqpNoConnections(t) // the broker's heartbeats find out which are gone

	release()
	seen, err = amqpRun(t, publisher, amqpTimeout)
	amqpWant(t, err, "", "")
	diff := cmp.Diff(probe.Count{N: 0, OK: true}, seen.Blocked)
	if diff != "" {
		t.Errorf("blocked, after release (-want +got):\n%s", diff)
	}
}

// amqpNoConnections fails if the broker keeps one of the probes' connections.
func amqpNoConnections(t *testing.T) {
	t.Helper()
	var list string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		list = strings.TrimSpace(amqpCtl(t, "list_connections", "user", "state", "client_properties"))
		if !strings.Contains(list, "integra_exporter") {
			return
		}
	}
	t.Errorf("still there: %s", list)
}
