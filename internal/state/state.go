// Package state remembers what the last runs of each target said, and counts.
package state

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// Target is what is known of one target at one moment.
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

// Key is what is known of the credential that a target uses.
type Key struct {
	Info     KeyInfo
	Seen     []probe.KeyEnd   // what the last run found in the credential itself
	Accepted probe.KeyVerdict // what the gateway last said of it
}

// KeyInfo is what others say of a target's key.
type KeyInfo struct {
	Used       bool           // the target has a key that somebody issued
	Ends       []probe.KeyEnd // at most one by source
	Superseded probe.Count    // 1: there is a newer key; not observed where the API manager does not know ours
	Identity   uint64         // differs where the key does; zero: it could not be read
	Standing   string         // what the API manager holds of it that is worth a look: one of our own sentences, may be empty
}

// Outcome is a reason with its layer.
type Outcome struct {
	Reason probe.Reason
	Layer  probe.Layer
}

// ReasonCount is how often a target failed for one outcome.
type ReasonCount struct {
	Outcome
	Count uint64
}

// Store remembers every target of the present configuration. Safe for concurrent use.
type Store struct {
	mu           sync.Mutex
	targets      map[probe.Target]*record
	sorted       []*record // those of targets; what it holds never changes, Replace makes a new one
	institutions map[string]Institution
}

type record struct {
	row      atomic.Pointer[Target] // what it points to never changes, so readers need no lock
	runs     ring
	failures ring
}

// New returns a Store without targets.
func New() *Store {
	return &Store{targets: map[probe.Target]*record{}, institutions: map[string]Institution{}}
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
			r = &record{}
			r.row.Store(&Target{})
		}
		r.change(func(row *Target) {
			row.Target, row.Info, row.Interval, row.Timeout = check.Target, check.Info, check.Interval, check.Timeout
		})
		r.runs.resize(runs)
		r.failures.resize(failures)
		s.targets[check.Target] = r
		delete(before, check.Target)
	}
	s.sorted = slices.SortedFunc(maps.Values(s.targets), func(a, b *record) int {
		return a.row.Load().Target.Compare(b.row.Load().Target)
	})
	return slices.Collect(maps.Keys(before))
}

// Change says how a run's outcome compares with the one before.
type Change struct {
	First bool // there was none before
	From  Outcome
	To    Outcome // empty: success
}

// Report remembers a run. The late result of a target that is gone is dropped; known is then false.
func (s *Store) Report(target probe.Target, result probe.Result) (change Change, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, known := s.targets[target]
	if !known {
		return Change{}, false
	}
	before := r.row.Load()
	change.First = before.Runs == 0
	change.From = outcomeOf(before.Last.Err)
	change.To = outcomeOf(result.Err)
	r.add(result, change)
	return change, true
}

// SetKeyInfo remembers what others say of a target's key. A target that is gone is ignored.
func (s *Store) SetKeyInfo(target probe.Target, info KeyInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, known := s.targets[target]
	if known {
		r.change(func(row *Target) { row.Key.know(info) })
	}
}

// Target returns what is known of one target; known is false where it is gone.
func (s *Store) Target(target probe.Target) (row Target, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, known := s.targets[target]
	if !known {
		return Target{}, false
	}
	return *r.row.Load(), true
}

// Rows returns all targets, sorted by institution, kind and name. They are shared and must not be changed.
func (s *Store) Rows() []*Target {
	s.mu.Lock()
	sorted := s.sorted
	s.mu.Unlock()
	rows := make([]*Target, len(sorted))
	for i, r := range sorted {
		rows[i] = r.row.Load()
	}
	return rows
}

// Snapshot returns copies of all targets, sorted by institution, kind and name. What they point to, such as Reasons, is
// shared and must not be changed.
func (s *Store) Snapshot() []Target {
	shared := s.Rows()
	rows := make([]Target, len(shared))
	for i, row := range shared {
		rows[i] = *row
	}
	return rows
}

func (r *record) add(result probe.Result, change Change) {
	run := runOf(&result, change.To)
	r.runs.add(run)
	if result.Err != nil {
		r.failures.add(run)
	}
	r.change(func(row *Target) { row.add(result, change) })
}

// change replaces the row by a changed copy: readers of the former row keep it as it was.
func (r *record) change(by func(*Target)) {
	row := *r.row.Load()
	by(&row)
	r.row.Store(&row)
}

func (t *Target) add(result probe.Result, change Change) {
	t.Last = result
	t.Runs++
	t.Key.observe(result.Observation)
	if change.Changed() {
		t.Since = result.Start
	}
	if result.Err == nil {
		t.LastSuccess = t.LastRun()
		return
	}
	t.Failures++
	t.Reasons = counted(t.Reasons, change.To)
}

// Changed says whether the outcome differs from the one before.
func (c Change) Changed() bool { return c.First || c.From != c.To }

// LastRun returns when the last run ended.
func (t *Target) LastRun() time.Time { return t.Last.Start.Add(t.Last.Duration) }

// know takes what others say of the key. Of another key than before the gateway has said nothing yet.
func (k *Key) know(info KeyInfo) {
	before := k.Info.Identity
	if before != 0 && info.Identity != 0 && info.Identity != before {
		k.Accepted = probe.KeyUnproven
	}
	if info.Identity == 0 {
		info.Identity = before
	}
	k.Info = info
}

func (k *Key) observe(seen probe.Observation) {
	k.Seen = seen.KeyEnds
	if seen.KeyVerdict != probe.KeyUnproven {
		k.Accepted = seen.KeyVerdict
	}
}

// Ends returns when the key ends, by each source that says so.
func (k *Key) Ends() []probe.KeyEnd { return slices.Concat(k.Info.Ends, k.Seen) }

func outcomeOf(err error) Outcome {
	reason, layer := probe.ReasonOf(err)
	return Outcome{Reason: reason, Layer: layer}
}

// counted returns reasons with one more failure of that outcome; reasons itself stays as it is.
func counted(reasons []ReasonCount, outcome Outcome) []ReasonCount {
	at, found := slices.BinarySearchFunc(reasons, outcome, func(r ReasonCount, c Outcome) int { return compareOutcomes(r.Outcome, c) })
	reasons = slices.Clone(reasons)
	if !found {
		reasons = slices.Insert(reasons, at, ReasonCount{Outcome: outcome})
	}
	reasons[at].Count++
	return reasons
}

func compareOutcomes(a, b Outcome) int {
	return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Reason, b.Reason))
}
