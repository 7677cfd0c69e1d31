//go:build system

package probe_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
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

// tell lets a probe meet a fault. On a busy machine what takes as long as it
// may gets more time, twice.
func tell(t *testing.T, row probe.Fault) told {
	trial := row.Inject(t)
	pace := row.Pace
	for attempt := 1; ; attempt++ {
		said, problem := meet(t, row, trial, pace)
		if problem == "" {
			return said
		}
		pace = pace.Longer()
		if attempt == 3 || row.Pace == pace {
			t.Errorf("attempt %d: %s", attempt, problem)
			return said
		}
		t.Logf("attempt %d: %s", attempt, problem)
	}
}

// meet runs the probe once; problem is what is wrong with what it says.
func meet(t *testing.T, row probe.Fault, trial probe.Trial, pace probe.Pace) (said told, problem string) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), pace.Timeout)
	defer cancel()
	seen, err := trial.Prober.Probe(ctx)
	took := time.Since(begin)
	said = told{ran: true, detail: probe.DetailOf(err)}
	said.reason, said.layer = probe.ReasonOf(err)
	var b strings.Builder
	if said.reason != row.Reason || said.layer != row.Layer {
		fmt.Fprintf(&b, "%v at %s, want %s at %s\n", err, said.layer, row.Reason, row.Layer)
	}
	if took < pace.Least || took > pace.Most {
		fmt.Fprintf(&b, "took %v, want %v to %v\n", took, pace.Least, pace.Most)
	}
	if trial.Differs != nil {
		b.WriteString(trial.Differs(seen, err))
	}
	b.WriteString(probe.Uneven(seen, took))
	if leak := probe.Leaks(trial.Prober, seen, err); leak != "" {
		fmt.Fprintf(&b, "a canary is out: %s\n", leak)
	}
	return said, b.String()
}
