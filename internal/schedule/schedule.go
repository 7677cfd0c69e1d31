// Package schedule runs checks on time: each at its own phase, within its
// timeout, never twice at once, and under caps that keep one hanging host from
// starving the others.
package schedule

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// SkipCause is why a run was skipped: a closed set, fit for a label.
type SkipCause string

// The causes.
const (
	SkipOverlap  SkipCause = "overlap"  // the target's run before was still going on
	SkipCapacity SkipCause = "capacity" // no room under a cap until the next run was due
)

// SkipCauses returns the closed set.
func SkipCauses() []SkipCause { return []SkipCause{SkipOverlap, SkipCapacity} }

// ErrUnknownTarget is returned for a target that has no check.
var ErrUnknownTarget = errors.New("unknown target")

// Options says what becomes of the runs. The functions may be called
// concurrently, for one target one at a time; none but OnDemandOnly may be nil.
type Options struct {
	Seed     string                            // replicas with different seeds run at different phases
	Report   func(probe.Target, probe.Result)  // every run that was not canceled
	Skipped  func(probe.Target, SkipCause)     // every run that did not begin
	Panicked func(t probe.Target, at []string) // where a prober panicked, without its message

	OnDemandOnly func(probe.Target) bool // which targets run only when somebody asks; nil: none
}

// Caps bounds how many probes run at once.
type Caps struct{ Total, PerHost int }

// Scheduler runs checks. Create one with New.
type Scheduler struct {
	options Options
	ctx     context.Context
	cancel  context.CancelFunc
	runs    sync.WaitGroup
	places  *places

	mu      sync.Mutex
	zero    time.Time // phases count from here; zero until Run
	entries map[probe.Target]*entry
	running int
}

// entry is a check with its place in time.
type entry struct {
	check  probe.Check
	ctx    context.Context // ends when the check is removed or changed
	cancel context.CancelFunc
	due    time.Time
	timer  *time.Timer
	run    *run            // nil: none waits or is going on
	last   *run            // the last one that was reported; nil: none
	line   *line           // those who wait for a place to begin one; nil: nobody
	before <-chan struct{} // closed when the last run of what this entry replaced is over; nil: none

	telling *sync.Mutex // held while a function of Options is called for the target
}

// run is one execution of a check, from when it was due.
type run struct {
	planned  time.Time
	deadline time.Time // of who asked for it; zero: none
	begun    bool      // false while it waits for room
	done     chan struct{}
	result   probe.Result
	cut      bool // it failed, and who asked for it had given it less time than its check
	err      error
	ended    time.Time
}

// New returns a Scheduler without checks. Close ends it.
func New(options Options) *Scheduler {
	ctx, cancel := context.WithCancel(context.Background())
	return &Scheduler{
		options: options, ctx: ctx, cancel: cancel, places: newPlaces(), entries: map[probe.Target]*entry{},
	}
}

// Run runs the checks on time until ctx ends, then closes the scheduler.
func (s *Scheduler) Run(ctx context.Context) {
	s.mu.Lock()
	s.zero = time.Now()
	for _, e := range s.entries {
		s.start(e)
	}
	s.mu.Unlock()
	<-ctx.Done()
	s.Close()
}

// Close cancels what is going on, which is not reported, and waits for it.
func (s *Scheduler) Close() {
	s.mu.Lock()
	for target, e := range s.entries {
		e.end()
		delete(s.entries, target)
	}
	s.cancel()
	s.mu.Unlock()
	s.runs.Wait()
}

// Replace makes checks the whole set. A check with the same Version as before
// goes on as if nothing had happened; of the others, runs are canceled and not
// reported. It returns how many were added, changed and removed.
func (s *Scheduler) Replace(checks []probe.Check, caps Caps) Changes {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.places.resize(caps)
	var changes Changes
	wanted := make(map[probe.Target]bool, len(checks))
	for _, check := range checks {
		wanted[check.Target] = true
		old, had := s.entries[check.Target]
		switch {
		case had && old.check.Version == check.Version:
			continue
		case had:
			old.end()
			changes.Changed++
		default:
			changes.Added++
		}
		s.add(check, old)
	}
	for target, e := range s.entries {
		if !wanted[target] {
			e.end()
			delete(s.entries, target)
			changes.Removed++
		}
	}
	return changes
}

// Changes counts what a Replace did.
type Changes struct{ Added, Changed, Removed int }

// add takes check in; old is the target's entry until now, nil if there is none.
func (s *Scheduler) add(check probe.Check, old *entry) {
	e := &entry{check: check, telling: &sync.Mutex{}}
	if old != nil {
		e.telling = old.telling
		e.before = old.before
		if old.run != nil {
			e.before = old.run.done
		}
	}
	e.ctx, e.cancel = context.WithCancel(s.ctx)
	s.entries[check.Target] = e
	if !s.zero.IsZero() {
		s.start(e)
	}
}

func (e *entry) end() {
	e.cancel()
	if e.timer != nil {
		e.timer.Stop()
	}
}

// InFlight returns how many probes are going on.
func (s *Scheduler) InFlight() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

// start sets the timer of e for its first run, if it has one.
func (s *Scheduler) start(e *entry) {
	if s.options.OnDemandOnly != nil && s.options.OnDemandOnly(e.check.Target) {
		return
	}
	e.due = s.phaseOf(e.check.Target).first(s.zero, e.check.Interval, time.Now())
	e.timer = time.AfterFunc(time.Until(e.due), func() { s.tick(e) })
}

// tick begins the run that is due, or skips it, and sets the timer for the next.
func (s *Scheduler) tick(e *entry) {
	s.mu.Lock()
	if e.ctx.Err() != nil {
		s.mu.Unlock()
		return
	}
	planned := e.due
	e.due = s.phaseOf(e.check.Target).next(s.zero, e.check.Interval, time.Now())
	e.timer.Reset(time.Until(e.due))
	begin, skipped := e.plan(planned)
	s.runs.Add(1)
	defer s.runs.Done()
	s.mu.Unlock()
	if begin {
		s.execute(e)
		return
	}
	s.skip(e, skipped)
}

// plan says whether a run due at planned begins, and if not, why not. A run
// that still waits for room keeps its place in line, for the newer date.
func (e *entry) plan(planned time.Time) (begin bool, skipped SkipCause) {
	switch {
	case e.run == nil:
		e.run = &run{planned: planned, done: make(chan struct{})}
		e.disperse(e.run)
		return true, ""
	case e.run.begun:
		return false, SkipOverlap
	}
	e.run.planned = planned
	return false, SkipCapacity
}

// Now runs the check of target at once, or joins its run that is going on,
// and returns the result. The run goes on when ctx ends before it.
func (s *Scheduler) Now(ctx context.Context, target probe.Target) (probe.Result, error) {
	s.mu.Lock()
	e, known := s.entries[target]
	if !known {
		s.mu.Unlock()
		return probe.Result{}, ErrUnknownTarget
	}
	if e.run == nil {
		_, _ = e.plan(time.Now())
		s.runs.Go(func() { s.execute(e) })
	}
	joined := e.run
	s.mu.Unlock()
	select {
	case <-joined.done:
		return joined.result, joined.err
	case <-ctx.Done():
		return probe.Result{}, ctx.Err()
	}
}
