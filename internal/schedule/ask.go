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
// begun here has as long as its check says, but at most what is left of the
// longest limit of those who wait for it; zero is no limit. A failure that
// somebody else's limit has cut short will do only for who has no more time
// than that run had. Ask returns at most a quarter of a second after limit.
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
	for {
		r, err := s.obtain(ctx, e, deadline)
		if err != nil {
			return err
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return ErrLate
		}
		switch {
		case r.err != nil:
			return ErrChanged
		case !r.cut || e.within(deadline) <= r.result.Limit:
			return nil
		}
	}
}

// within returns how long a run of e that begins now may take until deadline, to the millisecond.
func (e *entry) within(deadline time.Time) time.Duration {
	return min(e.check.Timeout, time.Until(deadline).Round(time.Millisecond))
}

// obtain returns a run of e whose result will do: one that there is, or one
// that begins while this waits for a place to begin one itself.
func (s *Scheduler) obtain(ctx context.Context, e *entry, deadline time.Time) (*run, error) {
	waiting, cancel := context.WithTimeout(ctx, e.within(deadline)/patience)
	defer cancel()
	r, l := s.join(e, deadline)
	switch {
	case r != nil:
		return r, nil
	case l == nil:
		return nil, ErrChanged
	}
	select {
	case <-l.over:
		if l.run == nil {
			return nil, ErrChanged
		}
		return l.run, nil
	case <-waiting.Done():
	}
	r, vain := s.quit(e, l, ctx.Err() == nil) // whoever asked is still there
	if vain {
		s.skip(e, SkipCapacity)
	}
	if r != nil {
		return r, nil
	}
	return nil, ErrNoRoom
}

// present returns the run that is going on, or the last one while it is fresh, or nil.
// A failure that was cut short is news for nobody else.
func (e *entry) present() *run {
	if e.run == nil && e.last != nil && !e.last.cut && time.Now().Before(e.last.freshUntil(e.check)) {
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
