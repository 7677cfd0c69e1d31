// Package schedule runs checks on time: each at its own offset in its interval,
// within its timeout, never twice at once, and under caps that keep one hanging
// host from starving the others.
package schedule

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// SkipCause is why a run was skipped: a closed set, fit for a label.
type SkipCause string

// The causes.
const (
	SkipOverlap  SkipCause = "overlap"  // the previous run of the target was still going on
	SkipCapacity SkipCause = "capacity" // no slot was free before the next run was due
)

// SkipCauses returns the closed set.
func SkipCauses() []SkipCause { return []SkipCause{SkipOverlap, SkipCapacity} }

// ErrUnknownTarget is returned for a target that has no check.
var ErrUnknownTarget = errors.New("unknown target")

// Options holds what a Scheduler reports to. Its functions may be called concurrently,
// but for one target only one at a time; none except OnDemandOnly may be nil.
type Options struct {
	Seed     string                            // replicas with different seeds run at different times
	Report   func(probe.Target, probe.Result)  // every run that was not canceled
	Skipped  func(probe.Target, SkipCause)     // every run that did not begin
	Panicked func(t probe.Target, at []string) // where a prober panicked, without its message

	OnDemandOnly func(probe.Target) bool // targets that have no timer and run only on demand; nil: none
}

// Caps bounds how many probes run at once.
type Caps struct{ Total, PerHost int }

// Scheduler runs checks. Create one with New.
type Scheduler struct {
	options Options
	ctx     context.Context
	cancel  context.CancelFunc
	runs    sync.WaitGroup
	limiter *limiter

	mu      sync.Mutex
	zero    time.Time // offsets count from here; zero until Run
	entries map[probe.Target]*entry
	running int
}

// New returns a Scheduler without checks. Close ends it.
func New(options Options) *Scheduler {
	ctx, cancel := context.WithCancel(context.Background())
	return &Scheduler{
		options: options, ctx: ctx, cancel: cancel, limiter: newLimiter(), entries: map[probe.Target]*entry{},
	}
}

// Run runs the checks on time until ctx ends, then closes the scheduler.
func (s *Scheduler) Run(ctx context.Context) {
	s.mu.Lock()
	s.zero = time.Now()
	for _, e := range s.entries {
		s.startTimer(e)
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
	s.limiter.resize(caps)
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
	e := &entry{check: check, callbackMu: &sync.Mutex{}}
	if old != nil {
		e.callbackMu = old.callbackMu
		e.predecessor = old.predecessor
		if old.run != nil {
			e.predecessor = old.run.done
		}
	}
	e.ctx, e.cancel = context.WithCancel(s.ctx)
	s.entries[check.Target] = e
	if !s.zero.IsZero() {
		s.startTimer(e)
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

// startTimer sets the timer of e for its first run, if it has one.
func (s *Scheduler) startTimer(e *entry) {
	if s.options.OnDemandOnly != nil && s.options.OnDemandOnly(e.check.Target) {
		return
	}
	e.due = s.offsetOf(e.check.Target).first(s.zero, e.check.Interval, time.Now())
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
	e.due = s.offsetOf(e.check.Target).next(s.zero, e.check.Interval, time.Now())
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

// maxFirstWait bounds how long a target with a long interval waits for its
// first run, so that an hourly check is not blind after a restart.
const maxFirstWait = time.Minute

// offset says when in its interval a target runs. It is a hash of the target's
// identity, so that targets spread evenly and none moves when others come and go.
type offset uint64

func (s *Scheduler) offsetOf(t probe.Target) offset {
	hash := fnv.New64a()
	for _, part := range []string{s.options.Seed, t.Institution, t.Kind, t.Name} {
		_, _ = io.WriteString(hash, part)
		_, _ = hash.Write([]byte{0}) // so that ab+c and a+bc differ
	}
	return offset(hash.Sum64())
}

// first returns when a target that is new at now runs first.
func (o offset) first(zero time.Time, interval time.Duration, now time.Time) time.Time {
	return o.next(zero, min(interval, maxFirstWait), now)
}

// next returns the first time after now that lies at o in one of the intervals that began at zero.
func (o offset) next(zero time.Time, interval time.Duration, now time.Time) time.Time {
	begin := zero.Add(time.Duration(uint64(o) % uint64(interval)))
	if now.Before(begin) {
		return begin
	}
	return begin.Add((now.Sub(begin)/interval + 1) * interval)
}
