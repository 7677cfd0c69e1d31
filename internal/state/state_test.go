package state_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

func target(name string) probe.Target {
	return probe.Target{Institution: "uio", Kind: probe.KindAPI, Name: name}
}

func check(name string) probe.Check {
	return probe.Check{
		Target: target(name), Info: probe.Info{Title: name}, Interval: time.Minute, Timeout: 15 * time.Second,
	}
}

// at is the minute m of the tests' day.
func at(m int) time.Time { return time.Date(2026, 11, 2, 8, m, 0, 0, time.UTC) }

func run(m int, err error) probe.Result {
	return probe.Result{Start: at(m), Duration: 2 * time.Second, Err: err}
}

func only(t *testing.T, store *state.Store) state.Target {
	t.Helper()
	rows := store.Snapshot()
	if len(rows) != 1 {
		t.Fatalf("%d targets, want one", len(rows))
	}
	return rows[0]
}

var (
	dead    = probe.Fail(probe.ReasonBackendTimeout, "")
	refused = probe.Fail(probe.ReasonConnect, "connection refused")
)

func TestReport(t *testing.T) {
	var (
		none    = state.Outcome{}
		timeout = state.Outcome{Reason: probe.ReasonBackendTimeout, Layer: probe.LayerBackend}
		connect = state.Outcome{Reason: probe.ReasonConnect, Layer: probe.LayerNetwork}
		unknown = state.Outcome{Reason: probe.ReasonInternal, Layer: probe.LayerExporter}
	)
	store := state.New()
	store.Replace([]probe.Check{check("a")})
	for _, step := range []struct {
		err         error
		change      state.Change
		changed     bool
		since       int
		lastSuccess int // minute; -1: none
		failures    uint64
	}{
		{dead, state.Change{First: true, To: timeout}, true, 0, -1, 1},
		{dead, state.Change{From: timeout, To: timeout}, false, 0, -1, 2},
		{refused, state.Change{From: timeout, To: connect}, true, 2, -1, 3},
		{nil, state.Change{From: connect, To: none}, true, 3, 3, 3},
		{nil, state.Change{}, false, 3, 4, 3},
		{errors.New("x"), state.Change{From: none, To: unknown}, true, 5, 4, 4},
	} {
		minute := int(runsOf(t, store))
		change, known := store.Report(target("a"), run(minute, step.err))
		if !known || change.Changed() != step.changed {
			t.Errorf("run %d: known %t, changed %t; want true, %t", minute, known, change.Changed(), step.changed)
		}
		if diff := cmp.Diff(step.change, change); diff != "" {
			t.Errorf("run %d: change (-want +got):\n%s", minute, diff)
		}
		want := state.Target{
			Target: target("a"), Info: probe.Info{Title: "a"}, Interval: time.Minute, Timeout: 15 * time.Second,
			Last: run(minute, step.err), Since: at(step.since), Runs: uint64(minute + 1), Failures: step.failures,
		}
		if step.lastSuccess >= 0 {
			want.LastSuccess = at(step.lastSuccess).Add(2 * time.Second)
		}
		got := only(t, store)
		got.Reasons = nil
		if diff := cmp.Diff(want, got, cmp.Comparer(sameError)); diff != "" {
			t.Errorf("run %d: row (-want +got):\n%s", minute, diff)
		}
		if got.LastRun() != at(minute).Add(2*time.Second) {
			t.Errorf("run %d: LastRun %v is not the end of the run", minute, got.LastRun())
		}
	}
}

func runsOf(t *testing.T, store *state.Store) uint64 {
	t.Helper()
	return only(t, store).Runs
}

func sameError(a, b error) bool { return errors.Is(a, b) }

func TestFirstSuccessIsAChange(t *testing.T) {
	store := state.New()
	store.Replace([]probe.Check{check("a")})
	change, _ := store.Report(target("a"), run(1, nil))
	if !change.First || !change.Changed() || only(t, store).Since != at(1) {
		t.Errorf("first success: %+v, since %v", change, only(t, store).Since)
	}
}

func TestReasonsAreSortedByLayerAndReason(t *testing.T) {
	store := state.New()
	store.Replace([]probe.Check{check("a")})
	for _, reason := range []probe.Reason{
		probe.ReasonConnect, probe.ReasonSlow, probe.ReasonDNS, probe.ReasonExpectation,
		probe.ReasonKeyRejected, probe.ReasonConnect, probe.ReasonTLS,
	} {
		store.Report(target("a"), run(0, probe.Fail(reason, "")))
	}
	store.Report(target("a"), run(0, nil))
	row := func(layer probe.Layer, reason probe.Reason, n uint64) state.ReasonCount {
		return state.ReasonCount{Outcome: state.Outcome{Reason: reason, Layer: layer}, Count: n}
	}
	want := []state.ReasonCount{
		row(probe.LayerBackend, probe.ReasonExpectation, 1),
		row(probe.LayerBackend, probe.ReasonSlow, 1),
		row(probe.LayerGateway, probe.ReasonTLS, 1),
		row(probe.LayerKey, probe.ReasonKeyRejected, 1),
		row(probe.LayerNetwork, probe.ReasonConnect, 2),
		row(probe.LayerNetwork, probe.ReasonDNS, 1),
	}
	for range 20 { // map order
		if diff := cmp.Diff(want, only(t, store).Reasons); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	}
}

func TestSameReasonOfAnotherLayerIsAnotherOutcome(t *testing.T) {
	store := state.New()
	store.Replace([]probe.Check{check("a")})
	store.Report(target("a"), run(0, &probe.Failure{Reason: probe.ReasonTLS, Layer: probe.LayerGateway}))
	change, _ := store.Report(target("a"), run(1, &probe.Failure{Reason: probe.ReasonTLS, Layer: probe.LayerBroker}))
	if !change.Changed() || len(only(t, store).Reasons) != 2 {
		t.Errorf("changed %t, reasons %v", change.Changed(), only(t, store).Reasons)
	}
}

func verdict(m int, v probe.KeyVerdict) probe.Result {
	result := run(m, nil)
	result.KeyVerdict = v
	return result
}

// What proves nothing leaves what was proved.
func TestAcceptedIsKept(t *testing.T) {
	store := state.New()
	store.Replace([]probe.Check{check("a")})
	for m, step := range []struct{ said, want probe.KeyVerdict }{
		{probe.KeyUnproven, probe.KeyUnproven},
		{probe.KeyAccepted, probe.KeyAccepted},
		{probe.KeyUnproven, probe.KeyAccepted},
		{probe.KeyRejected, probe.KeyRejected},
		{probe.KeyUnproven, probe.KeyRejected},
		{probe.KeyAccepted, probe.KeyAccepted},
	} {
		store.Report(target("a"), verdict(m, step.said))
		if got := only(t, store).Key.Accepted; got != step.want {
			t.Errorf("step %d: %d, want %d", m, got, step.want)
		}
	}
	store.Replace([]probe.Check{check("a"), check("b")})
	if got := store.Snapshot()[0].Key.Accepted; got != probe.KeyAccepted {
		t.Errorf("after a reload: %d", got)
	}
}

// What the credential itself said is the last run's; what others said is theirs to change.
func TestKeyEnds(t *testing.T) {
	store := state.New()
	store.Replace([]probe.Check{check("a")})
	own := probe.KeyEnd{Source: probe.SourceJWT, At: at(50)}
	configured := probe.KeyEnd{Source: probe.SourceConfig, At: at(40)}
	learned := state.KeyInfo{Used: true, Ends: []probe.KeyEnd{configured}, Superseded: probe.Count{N: 1, OK: true}}
	ends := func(want ...probe.KeyEnd) {
		t.Helper()
		key := only(t, store).Key
		if diff := cmp.Diff(want, key.Ends()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	result := run(0, nil)
	result.KeyEnds = []probe.KeyEnd{own}
	store.Report(target("a"), result)
	ends(own)
	store.SetKeyInfo(target("a"), learned)
	store.SetKeyInfo(target("gone"), learned)
	ends(configured, own)
	store.Replace([]probe.Check{check("a")})
	store.Report(target("a"), run(1, dead)) // it could not be read
	ends(configured)
	if diff := cmp.Diff(learned, only(t, store).Key.Info); diff != "" {
		t.Errorf("learned (-want +got):\n%s", diff)
	}
	store.SetKeyInfo(target("a"), state.KeyInfo{})
	ends()
}

func TestReplace(t *testing.T) {
	store := state.New()
	gone := store.Replace([]probe.Check{check("a"), check("b"), check("c")})
	if len(gone) != 0 {
		t.Errorf("gone from an empty store: %v", gone)
	}
	for _, name := range []string{"a", "b", "c"} {
		store.Report(target(name), run(1, dead))
	}
	changed := check("a")
	changed.Title, changed.Interval, changed.Timeout = "A", time.Hour, time.Second
	gone = store.Replace([]probe.Check{check("d"), changed})
	slices.SortFunc(gone, probe.Target.Compare)
	if diff := cmp.Diff([]probe.Target{target("b"), target("c")}, gone); diff != "" {
		t.Errorf("gone (-want +got):\n%s", diff)
	}
	rows := store.Snapshot()
	if len(rows) != 2 {
		t.Fatalf("%d targets, want a and d", len(rows))
	}
	a, d := rows[0], rows[1]
	if a.Runs != 1 || a.Failures != 1 || len(a.Reasons) != 1 || a.Since != at(1) {
		t.Errorf("what was remembered of a is lost: %+v", a)
	}
	if a.Title != "A" || a.Interval != time.Hour || a.Timeout != time.Second {
		t.Errorf("a has not the new check's info, interval and timeout: %+v", a)
	}
	if d.Runs != 0 || !d.Since.IsZero() || d.Reasons != nil {
		t.Errorf("d is not new: %+v", d)
	}
}

func TestLateResultOfAGoneTargetIsDropped(t *testing.T) {
	store := state.New()
	store.Replace([]probe.Check{check("a")})
	store.Report(target("a"), run(1, dead))
	store.Replace(nil)
	change, known := store.Report(target("a"), run(2, dead))
	if known || change.Changed() {
		t.Errorf("known %t, change %+v", known, change)
	}
	if rows := store.Snapshot(); len(rows) != 0 {
		t.Errorf("it came back: %+v", rows)
	}
	store.Replace([]probe.Check{check("a")})
	if row := only(t, store); row.Runs != 0 || row.Reasons != nil {
		t.Errorf("a target that comes back begins anew, not with %+v", row)
	}
}

func TestSnapshotIsSortedAndACopy(t *testing.T) {
	want := []probe.Target{
		{Institution: "ntnu", Kind: "api", Name: "z"},
		{Institution: "uio", Kind: "api", Name: "a"},
		{Institution: "uio", Kind: "api", Name: "b"},
		{Institution: "uio", Kind: "key", Name: "a"},
	}
	store := state.New()
	store.Replace([]probe.Check{{Target: want[2]}, {Target: want[3]}, {Target: want[0]}, {Target: want[1]}})
	store.Report(want[0], run(0, dead))
	rows := store.Snapshot()
	var got []probe.Target
	for _, row := range rows {
		got = append(got, row.Target)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	store.Report(want[0], run(1, dead))
	if rows[0].Runs != 1 || rows[0].Reasons[0].Count != 1 {
		t.Errorf("a later run shows in an older snapshot: %+v", rows[0])
	}
	rows[0].Runs = 99
	if n := store.Snapshot()[0].Runs; n != 2 {
		t.Errorf("writing to a snapshot changed the store: %d", n)
	}
}

func TestConcurrentUse(t *testing.T) {
	const workers, runs = 8, 200
	store := state.New()
	kept := check("kept")
	store.Replace([]probe.Check{kept})
	var all sync.WaitGroup
	for i := range workers {
		other := check(fmt.Sprint("other", i))
		all.Go(func() {
			for m := range runs {
				store.Report(kept.Target, run(m, dead))
				store.Report(other.Target, run(m, nil))
				if m%10 == 0 {
					store.Replace([]probe.Check{kept, other})
				}
				for _, row := range store.Snapshot() {
					if row.Failures > row.Runs || len(row.Reasons) > 0 && row.Reasons[0].Count != row.Failures {
						t.Errorf("an incoherent row: %+v", row)
					}
				}
			}
		})
	}
	all.Wait()
	store.Replace([]probe.Check{kept})
	if got := only(t, store); got.Runs != workers*runs || got.Reasons[0].Count != workers*runs {
		t.Errorf("%d runs, %d of one cause; want %d of both", got.Runs, got.Reasons[0].Count, workers*runs)
	}
}
