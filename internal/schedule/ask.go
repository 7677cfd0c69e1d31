package schedule

import (
	"context"
	"errors"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// What Ask returns beside ErrUnknownTarget, in words for whoever asked.
var (
	ErrNoRoom  = errors.New("no place became free in time: half of max_concurrent and of max_concurrent_per_host is for probes on request")
	ErrLate    = errors.New("the run of this target that is going on, or waits for a place, did not end in time")
	ErrChanged = errors.New("the configuration of this target has just changed, or the exporter stops")
)

const (
	// fresh is how old a result may be that is given out again.
	fresh = time.Second
	// patience is the part of its time that a request waits for a place: at a timeout of 15 s it leaves
	// the run more than the 10 s after which the gateway gives up a backend, and says so.
	patience = 4
	// grace is how much later than its deadline a probe may end and still be an answer.
	grace = 250 * time.Millisecond
)

// Ask returns nil as soon as target has a new result, which has been reported:
// the last one where it is still fresh, that of the run going on, or of a run
// that begins now, in one of the half of the places that are for this. A run
// begun here has as long as its check says, but at most what is left of limit;
// zero is no limit. Ask returns at most a quarter of a second after limit.
func (s *Scheduler) Ask(ctx context.Context, target probe.Target, limit time.Duration) error {
	s.mu.Lock()
	e, known := s.entries[target]
	s.mu.Unlock()
	if !known {
		return ErrUnknownTarget
	}
	if limit <= 0 {
		limit = e.check.Timeout + e.check.Timeout/patience
	}
	deadline := time.Now().Add(limit)
	ctx, cancel := context.WithDeadline(ctx, deadline.Add(grace))
	defer cancel()
	r, err := s.obtain(ctx, e, deadline, min(e.check.Timeout, limit)/patience)
	if err != nil {
		return err
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return ErrLate
	}
	if r.err != nil {
		return ErrChanged
	}
	return nil
}

// obtain returns a run of e whose result will do: one that there is, or else a
// new one until deadline, for whose place it waits that long.
func (s *Scheduler) obtain(ctx context.Context, e *entry, deadline time.Time, wait time.Duration) (*run, error) {
	r := s.present(e)
	if r != nil {
		return r, nil
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	leave, err := s.places.enter(waiting, seat{host: e.check.Host, asked: true})
	if err == nil {
		return s.launch(e, deadline, leave)
	}
	r = s.present(e)
	switch {
	case r != nil:
		return r, nil
	case ctx.Err() == nil: // whoever asked is still there
		s.options.Skipped(e.check.Target, CauseCapacity)
	}
	return nil, ErrNoRoom
}

// launch begins a run of e in the place given back by leave, unless another has come in between.
func (s *Scheduler) launch(e *entry, deadline time.Time, leave func()) (*run, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := e.present()
	if r != nil || e.ctx.Err() != nil {
		leave()
	}
	switch {
	case r != nil:
		return r, nil
	case e.ctx.Err() != nil:
		return nil, ErrChanged
	}
	r = &run{planned: time.Now(), deadline: deadline, done: make(chan struct{})}
	e.run = r
	s.runs.Go(func() {
		defer close(r.done)
		e.awaitBefore()
		s.carryOut(e, r, leave)
	})
	return r, nil
}

func (s *Scheduler) present(e *entry) *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	return e.present()
}

// present returns the run that is going on, or the last one while it is fresh, or nil.
func (e *entry) present() *run {
	if e.run == nil && e.last != nil && time.Now().Before(e.last.freshUntil(e.check)) {
		return e.last
	}
	return e.run
}

// freshUntil returns when the result of r must be had anew. The negative test
// would soon be taken for an attack: one an interval is enough, less a little
// for a scrape that comes early.
func (r *run) freshUntil(check probe.Check) time.Time {
	until := r.ended.Add(fresh)
	if check.Kind != probe.KindAuth {
		return until
	}
	later := r.result.Start.Add(check.Interval - fresh)
	if later.After(until) {
		return later
	}
	return until
}
