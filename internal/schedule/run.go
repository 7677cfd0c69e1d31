package schedule

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// execute carries out the run that e has, once there is room for it.
func (s *Scheduler) execute(e *entry) {
	r := e.run
	defer close(r.done)
	e.awaitBefore()
	leave, err := s.places.enter(e.ctx, seat{host: e.check.Host})
	if err != nil {
		s.finish(e, r, err)
		return
	}
	s.carryOut(e, r, leave)
}

// awaitBefore waits for the run that this entry's replaced: canceled, and so
// over soon. Two runs of one target never meet.
func (e *entry) awaitBefore() {
	if e.before != nil {
		<-e.before
	}
}

// carryOut probes in a place that is given back by leave.
func (s *Scheduler) carryOut(e *entry, r *run, leave func()) {
	s.begin(r)
	s.perform(e, r)
	leave()
	s.finish(e, r, e.ctx.Err())
}

func (s *Scheduler) begin(r *run) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.begun = true
	s.running++
}

// finish reports the run, unless it was canceled, and makes room for the next one of e.
func (s *Scheduler) finish(e *entry, r *run, canceled error) {
	if canceled == nil && errors.Is(r.result.Err, context.Canceled) {
		canceled = context.Canceled
	}
	r.err, r.ended = canceled, time.Now()
	if canceled == nil {
		e.tell(func() { s.options.Report(e.check.Target, r.result) })
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

// skip counts a run of e that does not begin.
func (s *Scheduler) skip(e *entry, cause SkipCause) {
	e.tell(func() { s.options.Skipped(e.check.Target, cause) })
}

// tell calls one of the options' functions, for one target one at a time.
func (e *entry) tell(call func()) {
	e.telling.Lock()
	defer e.telling.Unlock()
	call()
}

// perform probes once, within the check's timeout and that of who asked.
func (s *Scheduler) perform(e *entry, r *run) {
	result := &r.result
	result.Planned, result.Start, result.Limit = r.planned, time.Now(), e.check.Timeout
	if !r.deadline.IsZero() {
		result.Limit = e.within(r.deadline)
	}
	ctx, cancel := context.WithTimeout(e.ctx, result.Limit)
	defer cancel()
	result.Observation, result.Err = s.recovered(ctx, e)
	// A probe may give up a moment before its time is over, to hear why.
	r.cut = result.Err != nil && result.Limit < e.check.Timeout && time.Since(result.Start) >= result.Limit-grace
	result.Duration = result.Elapsed
	if result.Elapsed == 0 {
		result.Duration = time.Since(result.Start)
	}
}

// recovered turns a panic into a failure. Its message is dropped, since it may
// hold what a probe must not let out; where it happened is passed on.
func (s *Scheduler) recovered(ctx context.Context, e *entry) (seen probe.Observation, err error) {
	defer func() {
		if recover() != nil {
			at := callers()
			e.tell(func() { s.options.Panicked(e.check.Target, at) })
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
