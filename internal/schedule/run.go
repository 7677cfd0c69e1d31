package schedule

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// entry is a check with its timer and its runs.
type entry struct {
	check  probe.Check
	ctx    context.Context // ends when the check is removed or changed
	cancel context.CancelFunc
	due    time.Time
	timer  *time.Timer

	run         *run            // waiting for a slot or going on; nil: none
	last        *run            // the last one that was reported; nil: none
	pending     *pending        // a run on demand that waits for a slot; nil: none
	predecessor <-chan struct{} // closed when the last run of the entry that this one replaced is over; nil: none

	callbackMu *sync.Mutex // held while a function of Options is called for the target
}

// run is one execution of a check, from when it was due.
type run struct {
	planned  time.Time
	deadline time.Time // of the callers who requested it; zero: none
	begun    bool      // false while it waits for a slot
	done     chan struct{}
	result   probe.Result
	cut      bool // it failed, and its callers had given it less time than its check has
	err      error
	ended    time.Time
}

// plan decides whether a run due at planned begins, and if not, why not. A run
// that still waits for a slot stays in the queue, with the newer date.
func (e *entry) plan(planned time.Time) (begin bool, skipped SkipCause) {
	switch {
	case e.run == nil:
		e.run = &run{planned: planned, done: make(chan struct{})}
		e.wake(e.run)
		return true, ""
	case e.run.begun:
		return false, SkipOverlap
	}
	e.run.planned = planned
	return false, SkipCapacity
}

// wake gives r to the callers of the pending run of e, if there is one; nil: the check has changed.
func (e *entry) wake(r *run) {
	if e.pending == nil {
		return
	}
	e.pending.run = r
	close(e.pending.over)
	e.pending.cancel()
	e.pending = nil
}

// skip counts a run of e that does not begin.
func (s *Scheduler) skip(e *entry, cause SkipCause) {
	e.callbackMu.Lock()
	defer e.callbackMu.Unlock()
	s.options.Skipped(e.check.Target, cause)
}

// execute waits for a slot and carries out the run that e has.
func (s *Scheduler) execute(e *entry) {
	r := e.run
	defer close(r.done)
	e.awaitPredecessor()
	release, err := s.limiter.acquire(e.ctx, request{host: e.check.Host})
	if err != nil {
		s.finish(e, r, err)
		return
	}
	s.perform(e, r, release)
}

// awaitPredecessor waits for the run of the entry that this one replaced. It
// was canceled and so ends soon: two runs of one target never overlap.
func (e *entry) awaitPredecessor() {
	if e.predecessor != nil {
		<-e.predecessor
	}
}

// perform probes once, within the check's timeout and the callers' deadline,
// then releases the slot and reports the result.
func (s *Scheduler) perform(e *entry, r *run, release func()) {
	s.mu.Lock()
	r.begun = true
	s.running++
	s.mu.Unlock()
	result := &r.result
	result.Planned, result.Start, result.Limit = r.planned, time.Now(), e.check.Timeout
	if !r.deadline.IsZero() {
		result.Limit = e.timeLeft(r.deadline)
	}
	ctx, cancel := context.WithTimeout(e.ctx, result.Limit)
	result.Observation, result.Err = s.probe(ctx, e)
	cancel()
	// A probe may give up a moment before its time is over, to learn why.
	r.cut = result.Err != nil && result.Limit < e.check.Timeout && time.Since(result.Start) >= result.Limit-grace
	result.Duration = result.Elapsed
	if result.Elapsed == 0 {
		result.Duration = time.Since(result.Start)
	}
	release()
	s.finish(e, r, e.ctx.Err())
}

// timeLeft returns how long a run of e that begins now may take until deadline, to the millisecond.
func (e *entry) timeLeft(deadline time.Time) time.Duration {
	return min(e.check.Timeout, time.Until(deadline).Round(time.Millisecond))
}

// probe turns a panic of the prober into a failure. The message is dropped, since it may
// hold what a probe must not let out; the stack is passed on.
func (s *Scheduler) probe(ctx context.Context, e *entry) (seen probe.Observation, err error) {
	defer func() {
		if recover() != nil {
			at := callers()
			e.callbackMu.Lock()
			defer e.callbackMu.Unlock()
			s.options.Panicked(e.check.Target, at)
			seen, err = probe.Observation{}, probe.Fail(probe.ReasonPanic, "")
		}
	}()
	return e.check.Prober.Probe(ctx)
}

const maxFrames = 32

// callers returns the stack of a panic as function and file:line, without arguments.
func callers() []string {
	var counters [maxFrames]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(3, counters[:])])
	var at []string
	for {
		frame, more := frames.Next()
		at = append(at, fmt.Sprintf("%s %s:%d", frame.Function, frame.File, frame.Line))
		if !more {
			return at
		}
	}
}

// finish reports the run, unless it was canceled, and lets the next one of e begin.
func (s *Scheduler) finish(e *entry, r *run, canceled error) {
	if canceled == nil && errors.Is(r.result.Err, context.Canceled) {
		canceled = context.Canceled
	}
	r.err, r.ended = canceled, time.Now()
	if canceled == nil {
		e.callbackMu.Lock()
		s.options.Report(e.check.Target, r.result)
		e.callbackMu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.run = nil
	if canceled == nil {
		e.last = r
	}
	if r.begun {
		s.running--
	}
}
