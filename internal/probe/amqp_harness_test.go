package probe_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// What definitions.json of brokertest holds.
const (
	amqpApp      = "system-production-app"
	amqpPassword = "canary-password-app"
	amqpExchange = "outgoing_system-production-app"
	amqpQuorum   = "from_system-production-fs"
	amqpClassic  = "from_system-production-hr"
)

func amqpProber(t *testing.T, access probe.Broker) *probe.AMQP {
	t.Helper()
	prober, err := probe.NewAMQP(access, probe.NewShared())
	if err != nil {
		t.Fatal(err)
	}
	return prober
}

func amqpProbe(t *testing.T, access probe.Broker, timeout time.Duration) (probe.Observation, error) {
	t.Helper()
	return amqpRun(t, amqpProber(t, access), timeout)
}

// amqpRun runs one probe and holds it to what every probe must keep.
func amqpRun(t *testing.T, prober *probe.AMQP, timeout time.Duration) (probe.Observation, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	begin := time.Now()
	seen, err := prober.Probe(ctx)
	took := time.Since(begin)
	if took > timeout+6*time.Second { // a hang, on the busiest of machines
		t.Errorf("the probe took %s with a timeout of %s", took, timeout)
	}
	var sum time.Duration
	for phase, d := range seen.Phases {
		if d < 0 {
			t.Errorf("phase %s: %s", probe.Phase(phase), d)
		}
		sum += d
	}
	if sum != seen.Elapsed || seen.Elapsed > took {
		t.Errorf("phases %s, elapsed %s, took %s", sum, seen.Elapsed, took)
	}
	amqpNoCanary(t, seen, err)
	return seen, err
}

func amqpNoCanary(t *testing.T, seen probe.Observation, err error) {
	t.Helper()
	if foreign := amqpForeign(seen, err); foreign != "" {
		t.Error(foreign)
	}
}

type amqpCause struct {
	Reason probe.Reason
	Layer  probe.Layer
}

func amqpWant(t *testing.T, err error, reason probe.Reason, layer probe.Layer) {
	t.Helper()
	gotReason, gotLayer := probe.ReasonOf(err)
	diff := cmp.Diff(amqpCause{reason, layer}, amqpCause{gotReason, gotLayer})
	if diff != "" {
		t.Errorf("cause (-want +got):\n%s%v", diff, err)
	}
	if err != nil && probe.Explain(gotReason, gotLayer).Meaning == "" {
		t.Errorf("no explanation for %s at %s", gotReason, gotLayer)
	}
}

// amqpPhases lists the phases that were reached.
func amqpPhases(seen probe.Observation) []string {
	var reached []string
	for phase, d := range seen.Phases {
		if d > 0 {
			reached = append(reached, probe.Phase(phase).String())
		}
	}
	return reached
}

// amqpNothingLeft fails unless goroutines and descriptors come back to what they are now.
func amqpNothingLeft(t *testing.T) {
	t.Helper()
	goroutines, descriptors := runtime.NumGoroutine(), amqpDescriptors(t)
	t.Cleanup(func() {
		var g, d int
		for range 100 {
			g, d = runtime.NumGoroutine(), amqpDescriptors(t)
			if g <= goroutines && d <= descriptors {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		stacks := make([]byte, 64<<10)
		t.Errorf("goroutines %d, were %d; descriptors %d, were %d\n%s",
			g, goroutines, d, descriptors, stacks[:runtime.Stack(stacks, true)])
	})
}

func amqpDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// amqpForeign looks for the passwords, and for the text of the broker or the library.
func amqpForeign(seen probe.Observation, err error) string {
	shown, _ := json.Marshal(seen)
	text := fmt.Sprintf("%s %+v %#v %v %+v %#v %s", shown, seen, seen, err, err, err, probe.DetailOf(err))
	for _, word := range []string{"canary", "kanarifugl", "Exception", "NOT_", "REFUSED", "INTERNAL_", "kthxbai", "EOF", "i/o"} {
		if strings.Contains(text, word) {
			return fmt.Sprintf("%q in %s", word, text)
		}
	}
	return ""
}
