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
	leave, err := s.enter(e)
	if err != nil {
		s.finish(e, r, err)
		return
	}
	planned := s.begin(r)
	r.result = s.perform(e, planned)
	leave()
	s.finish(e, r, e.ctx.Err())
}

// enter waits until the run of e may begin.
func (s *Scheduler) enter(e *entry) (leave func(), err error) {
	if e.before != nil {
		<-e.before // canceled, and so over soon: two runs of one target never meet
	}
	return s.places.enter(e.ctx, e.check.Host)
}

func (s *Scheduler) begin(r *run) (planned time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.begun = true
	s.running++
	return r.planned
}

// finish reports the run, unless it was canceled, and makes room for the next one of e.
func (s *Scheduler) finish(e *entry, r *run, canceled error) {
	if canceled == nil && errors.Is(r.result.Err, context.Canceled) {
		canceled = context.Canceled
	}
	r.err = canceled
	if canceled == nil {
		s.options.Report(e.check.Target, r.result)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.run = nil
	if r.begun {
		s.running--
	}
}

// perform probes once, within the check's timeout.
func (s *Scheduler) perform(e *entry, planned time.Time) probe.Result {
	ctx, cancel := context.WithTimeout(e.ctx, e.check.Timeout)
	defer cancel()
	result := probe.Result{Planned: planned, Start: time.Now()}
	result.Observation, result.Err = s.recovered(ctx, e.check)
	result.Duration = result.Elapsed
	if result.Elapsed == 0 {
		result.Duration = time.Since(result.Start)
	}
	return result
}

// recovered turns a panic into a failure. Its message is dropped, since it may
// hold what a probe must not let out; where it happened is passed on.
func (s *Scheduler) recovered(ctx context.Context, check probe.Check) (seen probe.Observation, err error) {
	defer func() {
		if recover() != nil {
			s.options.Panicked(check.Target, callers())
			seen, err = probe.Observation{}, probe.Fail(probe.ReasonPanic, "")
		}
	}()
	return check.Prober.Probe(ctx)
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
