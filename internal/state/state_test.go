package state_test

import (
	"errors"
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

func TestSameReasonOfAnotherLayerIsAnotherCause(t *testing.T) {
	store := state.New()
	store.Replace([]probe.Check{check("a")})
	store.Report(target("a"), run(0, &probe.Failure{Reason: probe.ReasonTLS, Layer: probe.LayerGateway}))
	change, _ := store.Report(target("a"), run(1, &probe.Failure{Reason: probe.ReasonTLS, Layer: probe.LayerBroker}))
	if !change.Changed() || len(only(t, store).Reasons) != 2 {
		t.Errorf("changed %t, reasons %v", change.Changed(), only(t, store).Reasons)
	}
}
