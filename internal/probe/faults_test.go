//go:build system

package probe_test

import (
	"context"
	"flag"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

var update = flag.Bool("update", false, "write docs/faults.md anew from what the probes say")

const faultsPage = "../../docs/faults.md"

// told is what a probe said of a fault.
type told struct {
	ran    bool
	reason probe.Reason
	layer  probe.Layer
	detail string
}

func faults() []probe.Fault {
	return slices.Concat(probe.Faults(), brokerFaults())
}

// Every fault that we can produce, what is said of it, and when. The page for
// people is made of what is said here.
func TestFaults(t *testing.T) {
	amqpBroker(t)
	amqpNothingLeft(t)
	rows := faults()
	all := make([]told, len(rows))
	places := make(chan struct{}, 8) // most of them wait
	var running sync.WaitGroup
	for i, row := range rows {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			t.Run(row.Group+"/"+row.Name, func(t *testing.T) { all[i] = tell(t, row) })
		})
	}
	running.Wait()
	if slices.ContainsFunc(all, func(a told) bool { return !a.ran }) {
		return // only some were asked for
	}
	everyReason(t, all)
	page := render(rows, all)
	if *update {
		err := os.WriteFile(faultsPage, []byte(page), 0o644)
		if err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.ReadFile(faultsPage)
	if err != nil {
		t.Fatal(err)
	}
	diff := cmp.Diff(string(before), page)
	if diff != "" {
		t.Errorf("docs/faults.md says something else (go test -tags system ./internal/probe -run TestFaults -update) (-page +told):\n%s", diff)
	}
}

// tell lets a probe meet a fault.
func tell(t *testing.T, row probe.Fault) told {
	trial := row.Inject(t)
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), row.Pace.Timeout)
	defer cancel()
	seen, err := trial.Prober.Probe(ctx)
	took := time.Since(begin)
	said := told{ran: true, detail: probe.DetailOf(err)}
	said.reason, said.layer = probe.ReasonOf(err)
	if said.reason != row.Reason || said.layer != row.Layer {
		t.Errorf("%v at %s, want %s at %s", err, said.layer, row.Reason, row.Layer)
	}
	if took < row.Pace.Least || took > row.Pace.Most {
		t.Errorf("took %v, want %v to %v", took, row.Pace.Least, row.Pace.Most)
	}
	if trial.Differs != nil {
		if difference := trial.Differs(seen, err); difference != "" {
			t.Error(difference)
		}
	}
	if uneven := probe.Uneven(seen, took); uneven != "" {
		t.Error(uneven)
	}
	if leak := probe.Leaks(trial.Prober, seen, err); leak != "" {
		t.Errorf("a canary is out: %s", leak)
	}
	return said
}
