package state_test

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// checksOf returns n checks, the first of which is that of a.
func checksOf(n int) []probe.Check {
	checks := []probe.Check{check("a")}
	for i := range n - 1 {
		checks = append(checks, check(fmt.Sprint("other", i)))
	}
	return checks
}

// minutes returns when runs began, in minutes of the tests' day.
func minutes(runs []state.Run) []int {
	started := []int{}
	for _, r := range runs {
		started = append(started, int(r.Start.Sub(at(0))/time.Minute))
	}
	return started
}

// down counts from from to to.
func down(from, to int) []int {
	counted := []int{}
	for m := from; m >= to; m-- {
		counted = append(counted, m)
	}
	return counted
}

func remembers(t *testing.T, store *state.Store, what string, wantRuns, wantFailures []int) {
	t.Helper()
	runs, failures := store.History(target("a"))
	if diff := cmp.Diff(wantRuns, minutes(runs)); diff != "" {
		t.Errorf("%s: runs (-want +got):\n%s", what, diff)
	}
	if diff := cmp.Diff(wantFailures, minutes(failures)); diff != "" {
		t.Errorf("%s: failures (-want +got):\n%s", what, diff)
	}
}

func TestHistoryKeepsTheLastRunsAndLongerTheFailures(t *testing.T) {
	store := state.New()
	store.Replace(checksOf(1))
	remembers(t, store, "before the first run", []int{}, []int{})
	for m := range 30 {
		store.Report(target("a"), run(m, dead))
	}
	remembers(t, store, "failing", down(29, 0), down(29, 10))
	for m := 30; m < 250; m++ {
		store.Report(target("a"), run(m, nil))
	}
	remembers(t, store, "well for long", down(249, 150), down(29, 10))
}

func TestHistoryIsBoundedInTotal(t *testing.T) {
	for _, c := range []struct{ targets, runs, failures int }{
		{1, 100, 20}, {1000, 100, 20}, {1001, 99, 19}, {4000, 25, 5}, {20_000, 5, 2}, {50_000, 5, 2},
	} {
		store := state.New()
		store.Replace(checksOf(c.targets))
		for m := range 120 {
			store.Report(target("a"), run(m, dead))
		}
		remembers(t, store, fmt.Sprint(c.targets, " targets"), down(119, 120-c.runs), down(119, 120-c.failures))
	}
}

func TestHistoryOverReloads(t *testing.T) {
	store := state.New()
	store.Replace(checksOf(1))
	for m := range 130 {
		store.Report(target("a"), run(m, dead))
	}
	store.Replace(checksOf(10))
	remembers(t, store, "a few more targets", down(129, 30), down(129, 110))
	store.Replace(checksOf(10_000))
	remembers(t, store, "many more", down(129, 120), down(129, 128))
	store.Report(target("a"), run(130, nil))
	remembers(t, store, "and a run", down(130, 121), down(129, 128))
	store.Replace(checksOf(1))
	for m := 131; m < 135; m++ {
		store.Report(target("a"), run(m, dead))
	}
	remembers(t, store, "few again", down(134, 121), append(down(134, 131), 129, 128))
	store.Replace(nil)
	runs, failures := store.History(target("a"))
	if runs != nil || failures != nil {
		t.Errorf("a target that is gone has %d runs and %d failures", len(runs), len(failures))
	}
	store.Replace(checksOf(1))
	remembers(t, store, "a target that comes back", []int{}, []int{})
}

func TestHistoryHoldsWhatIsShown(t *testing.T) {
	store := state.New()
	store.Replace(checksOf(1))
	failed := run(1, probe.Fail(probe.ReasonBackendTimeout, "HTTP status %d", 504))
	failed.Phases[probe.PhaseProcessing] = 2 * time.Second
	failed.Answered, failed.Status, failed.Size, failed.TransactionID = true, 504, 17, "id"
	store.Report(target("a"), failed)
	want := []state.Run{{
		Start: at(1), Duration: 2 * time.Second, Phases: failed.Phases,
		Reason: probe.ReasonBackendTimeout, Layer: probe.LayerBackend, Detail: "HTTP status 504",
		Answered: true, Status: 504, Size: 17, TransactionID: "id",
	}}
	runs, failures := store.History(target("a"))
	if diff := cmp.Diff([][]state.Run{want, want}, [][]state.Run{runs, failures}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	runs[0].Detail, failures[0].Detail = "changed", "changed"
	remembered, kept := store.History(target("a"))
	if remembered[0].Detail != "HTTP status 504" || kept[0].Detail != "HTTP status 504" {
		t.Error("writing to a history changed the store")
	}
}

// 120,000 of them are the most there can be below 20,000 targets.
func TestARunIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(state.Run{}); size > 200 {
		t.Errorf("a run takes %d bytes", size)
	}
}

func TestTargetIsItsRow(t *testing.T) {
	store := state.New()
	store.Replace(checksOf(2))
	store.Report(target("a"), run(1, dead))
	row, known := store.Target(target("a"))
	if diff := cmp.Diff(store.Snapshot()[0], row, cmp.Comparer(sameError)); diff != "" || !known {
		t.Errorf("known %t; not the row of the snapshot (-want +got):\n%s", known, diff)
	}
	_, known = store.Target(target("gone"))
	if known {
		t.Error("a target that is not there is known")
	}
}
