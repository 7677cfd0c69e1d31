package probe

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Fault is a row of docs/faults.md: what goes wrong on purpose, and what a probe must say of it.
type Fault struct {
	Group  string // the chapter; empty: tested, but in no chapter
	Name   string // what is injected, in words
	Pace   Pace
	Reason Reason // empty: the probe must pass nevertheless
	Layer  Layer
	Inject func(*testing.T) Trial
}

// Trial is a fault that is in place: the prober that meets it, and what else
// must be true of what it sees. Differs returns what is not, and is nil where nothing else matters.
type Trial struct {
	Prober  Prober
	Differs func(Observation, error) string
}

// Pace is when a probe must be over, and the time it is given.
type Pace struct {
	Words       string
	Timeout     time.Duration
	Least, Most time.Duration
}

// reachable is a deadline in which a probe comes as far as to its fault on a busy machine, too.
const reachable = 4 * soon

// The paces.
var (
	AtOnce     = Pace{"at once", ample, 0, ample / 2}
	AtDeadline = Pace{"at the deadline", reachable, reachable, reachable + grace}
	AfterThree = Pace{"after 3 s", ample, 2900 * time.Millisecond, ample / 2}
)

// Faults returns the rows that need nothing but this process.
func Faults() []Fault {
	var all []Fault
	for _, chapter := range []struct {
		group string
		rows  []gatewayRow
	}{
		{"Resolver", resolverFaults},
		{"TCP", tcpFaults},
		{"TLS", tlsFaults},
		{"HTTP", httpFaults},
		{"HTTP: the body", bodyFaults},
		{"HTTP/2", http2Faults},
		{"Gateway", gatewayFaults},
		{"Backend", backendFaults},
		{"", slices.Concat(controls, shapeCases)},
	} {
		for _, row := range chapter.rows {
			all = append(all, row.fault(chapter.group))
		}
	}
	return slices.Concat(all, authFaults(), keyFaults(), localFaults())
}

// gatewayRow is one way in which the documented request of institution uio goes.
type gatewayRow struct {
	name   string
	script script
	server func(*lab) *door // instead of script: another server
	edit   func(*plan)
	waits  bool // it lasts as long as it may
	want   sight
	detail string // what the failure must say, if it matters
}

// Where how far a probe comes is a matter of chance.
const (
	anyPhases = "any"
	anySize   = -1
)

func (r gatewayRow) phaseless() gatewayRow {
	r.want.Phases = anyPhases
	return r
}

func (r gatewayRow) fault(group string) Fault {
	pace := AtOnce
	if r.waits {
		pace = AtDeadline
	}
	return Fault{group, r.name, pace, r.want.Reason, r.want.Layer, r.inject}
}

func (r gatewayRow) inject(t *testing.T) Trial {
	l := newLab(t)
	server := r.server
	if server == nil {
		server = tlsGateway(r.script)
	}
	d := server(l)
	p := l.plan(d.port)
	if r.edit != nil {
		r.edit(p)
	}
	return Trial{p.prober(), func(seen Observation, err error) string {
		return r.differs(d, d.accepts.Load(), seen, err)
	}}
}

func (r gatewayRow) differs(d *door, dials int64, seen Observation, err error) string {
	var b strings.Builder
	got := sightOf(seen, err)
	if r.want.Phases == anyPhases {
		got.Phases = anyPhases
	}
	if r.want.Size == anySize {
		got.Size = anySize
	}
	b.WriteString(cmp.Diff(r.want, got))
	if r.detail != "" && DetailOf(err) != r.detail {
		fmt.Fprintf(&b, "detail %q, want %q\n", DetailOf(err), r.detail)
	}
	if seen.Answered != (seen.Status != 0) {
		fmt.Fprintf(&b, "Answered %v with status %d\n", seen.Answered, seen.Status)
	}
	if sent := seen.Phases[PhaseProcessing] > 0; sent != uuid4.MatchString(seen.TransactionID) || !sent && seen.TransactionID != "" {
		fmt.Fprintf(&b, "transaction id %q is not that of a request that was sent\n", seen.TransactionID)
	}
	sent := d.last()
	if sent != nil && sent.Header.Get(transactionHeader) != seen.TransactionID {
		fmt.Fprintf(&b, "observed transaction id %q, sent %q\n", seen.TransactionID, sent.Header.Get(transactionHeader))
	}
	if dials > maxDials {
		fmt.Fprintf(&b, "%d connections for one probe\n", dials)
	}
	return b.String()
}

// Leaks returns in which way one could print a probe's result, or its prober,
// and read a canary; empty: in none.
func Leaks(p Prober, seen Observation, err error) string {
	for _, thing := range []any{seen, &seen, Result{Observation: seen, Err: err}, err, p, Check{Prober: p}, []Prober{p}} {
		text := everyWay(thing)
		if holdsCanary(text) {
			return fmt.Sprintf("%T: %s", thing, text)
		}
	}
	if err != nil && holdsCanary(err.Error()+DetailOf(err)) {
		return err.Error()
	}
	if errors.Unwrap(err) != nil {
		return fmt.Sprintf("the error carries a foreign one: %T", errors.Unwrap(err))
	}
	return ""
}

// Uneven says what is wrong with the phases of a probe that lasted took; empty: nothing.
func Uneven(seen Observation, took time.Duration) string {
	var sum time.Duration
	for p, d := range seen.Phases {
		if d < 0 {
			return fmt.Sprintf("phase %s lasted %v", Phase(p), d)
		}
		sum += d
	}
	if sum != seen.Elapsed || sum > took {
		return fmt.Sprintf("phases sum to %v, elapsed %v, wall %v", sum, seen.Elapsed, took)
	}
	return ""
}
