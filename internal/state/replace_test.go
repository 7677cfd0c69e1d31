package state_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

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
