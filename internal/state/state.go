// Package state remembers what the last runs of each target said, and counts.
package state

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// Target is what is known of one target at one moment; it is a copy.
type Target struct {
	probe.Target
	probe.Info
	Interval, Timeout time.Duration

	Last        probe.Result // valid if Runs > 0
	LastSuccess time.Time    // when the last successful run ended; zero: none yet
	Since       time.Time    // when the run began that brought the present state; zero: none yet
	Runs        uint64
	Failures    uint64
	Reasons     []ReasonCount // sorted; those that have occurred
	Key         Key
}

// LastRun returns when the last run ended.
func (t *Target) LastRun() time.Time { return t.Last.Start.Add(t.Last.Duration) }

// Cause is a reason with its layer.
type Cause struct {
	Reason probe.Reason
	Layer  probe.Layer
}

// ReasonCount is how often a target failed for one cause.
type ReasonCount struct {
	Cause
	Count uint64
}

// Store remembers every target of the present configuration. Safe for concurrent use.
type Store struct {
	mu      sync.Mutex
	targets map[probe.Target]*record
	places  map[string]Institution
}

type record struct {
	row      Target // without Reasons
	reasons  map[Cause]uint64
	runs     ring
	failures ring
}

// New returns a Store without targets.
func New() *Store {
	return &Store{targets: map[probe.Target]*record{}, places: map[string]Institution{}}
}

// Replace makes checks the whole set of targets. Those that were there keep
// what is remembered of them; nothing is left of the others, which it returns.
func (s *Store) Replace(checks []probe.Check) (gone []probe.Target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.targets
	s.targets = make(map[probe.Target]*record, len(checks))
	runs, failures := runBounds().each(len(checks)), failureBounds().each(len(checks))
	for _, check := range checks {
		r, had := before[check.Target]
		if !had {
			r = &record{reasons: map[Cause]uint64{}}
		}
		r.row.Target, r.row.Info = check.Target, check.Info
		r.row.Interval, r.row.Timeout = check.Interval, check.Timeout
		r.runs.resize(runs)
		r.failures.resize(failures)
		s.targets[check.Target] = r
		delete(before, check.Target)
	}
	return slices.Collect(maps.Keys(before))
}

// Change says how a run's outcome compares with the one before.
type Change struct {
	First bool // there was none before
	From  Cause
	To    Cause // empty: success
}

// Changed says whether success or cause are others than before.
func (c Change) Changed() bool { return c.First || c.From != c.To }

// Report remembers a run. The late result of a target that is gone is dropped; known is then false.
func (s *Store) Report(target probe.Target, result probe.Result) (change Change, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, known := s.targets[target]
	if !known {
		return Change{}, false
	}
	change.First = r.row.Runs == 0
	change.From = causeOf(r.row.Last.Err)
	change.To = causeOf(result.Err)
	r.add(result, change)
	return change, true
}

func (r *record) add(result probe.Result, change Change) {
	r.row.Last = result
	r.row.Runs++
	r.row.Key.observe(result.Observation)
	run := runOf(&result, change.To)
	r.runs.add(run)
	if change.Changed() {
		r.row.Since = result.Start
	}
	if result.Err == nil {
		r.row.LastSuccess = r.row.LastRun()
		return
	}
	r.row.Failures++
	r.failures.add(run)
	r.reasons[change.To]++
}

func causeOf(err error) Cause {
	reason, layer := probe.ReasonOf(err)
	return Cause{Reason: reason, Layer: layer}
}

// Target returns what is known of one target; known is false where it is gone.
func (s *Store) Target(target probe.Target) (row Target, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, known := s.targets[target]
	if !known {
		return Target{}, false
	}
	return r.copy(), true
}

// Snapshot returns all targets, sorted by institution, kind and name.
func (s *Store) Snapshot() []Target {
	rows := s.copy()
	slices.SortFunc(rows, func(a, b Target) int { return Compare(a.Target, b.Target) })
	return rows
}

func (s *Store) copy() []Target {
	s.mu.Lock()
	defer s.mu.Unlock()
	rows := make([]Target, 0, len(s.targets))
	for _, r := range s.targets {
		rows = append(rows, r.copy())
	}
	return rows
}

func (r *record) copy() Target {
	row := r.row
	row.Reasons = sortedReasons(r.reasons)
	return row
}

// Compare orders targets by institution, kind and name.
func Compare(a, b probe.Target) int {
	return cmp.Or(
		cmp.Compare(a.Institution, b.Institution),
		cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Name, b.Name),
	)
}

func sortedReasons(counts map[Cause]uint64) []ReasonCount {
	if len(counts) == 0 {
		return nil
	}
	reasons := make([]ReasonCount, 0, len(counts))
	for _, cause := range slices.SortedFunc(maps.Keys(counts), compareCauses) {
		reasons = append(reasons, ReasonCount{Cause: cause, Count: counts[cause]})
	}
	return reasons
}

func compareCauses(a, b Cause) int {
	return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Reason, b.Reason))
}
