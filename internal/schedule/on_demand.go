package schedule

import (
	"context"
	"errors"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// What RunNow returns for an external caller beside ErrUnknownTarget, as sentences that /probe shows.
var (
	ErrNoSlot  = errors.New("no slot became free in time: on-demand probes may use half of max_concurrent and half of max_concurrent_per_host")
	ErrLate    = errors.New("the current run of this target did not finish in time; it is still running or waiting for a slot")
	ErrChanged = errors.New("the configuration of this target has just changed, or the exporter is stopping")
)

const (
	// freshFor is how long a result may be given out again.
	freshFor = time.Second
	// waitFraction is the part of its time that an external caller waits for a slot: at a timeout of 15 s it
	// leaves the run more than the 10 s after which the gateway gives up a backend, and says so.
	waitFraction = 4
	// grace is how much later than its deadline a probe may end and still be an answer.
	grace = 250 * time.Millisecond
)

// OnDemand says for whom RunNow runs a check. The zero value is for the program itself.
type OnDemand struct {
	External bool          // somebody outside asks: at most half of each cap, and a fresh result will do
	Limit    time.Duration // for how long an external caller waits; zero: a quarter more than the check's timeout
}

// RunNow runs the check of target at once, or joins its run that is going on,
// and returns the result, which has been reported. It returns ErrUnknownTarget
// for a target that has no check.
//
// For the program itself the run waits for a slot as a timed one does, and goes
// on when ctx ends before it.
//
// An external caller may get the last result, where it is fresh. A run begun
// for it has as long as its check says, but at most what is left of the longest
// limit of those who wait for it. A failure that somebody else's limit has cut
// short is no answer to a caller with more time than that run had. RunNow
// returns at most a quarter of a second after the limit.
func (s *Scheduler) RunNow(ctx context.Context, target probe.Target, demand OnDemand) (probe.Result, error) {
	s.mu.Lock()
	e, known := s.entries[target]
	if !known {
		s.mu.Unlock()
		return probe.Result{}, ErrUnknownTarget
	}
	if demand.External {
		s.mu.Unlock()
		return s.runExternal(ctx, e, demand.Limit)
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

// runExternal waits, within limit, for a run of e whose result will do.
func (s *Scheduler) runExternal(ctx context.Context, e *entry, limit time.Duration) (probe.Result, error) {
	if limit <= 0 {
		limit = e.check.Timeout + e.check.Timeout/waitFraction
	}
	deadline := time.Now().Add(limit)
	ctx, cancel := context.WithDeadline(ctx, deadline.Add(grace))
	defer cancel()
	for {
		r, err := s.obtain(ctx, e, deadline)
		if err != nil {
			return probe.Result{}, err
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			return probe.Result{}, ErrLate
		}
		switch {
		case r.err != nil:
			return probe.Result{}, ErrChanged
		case !r.cut || e.timeLeft(deadline) <= r.result.Limit:
			return r.result, nil
		}
	}
}

// obtain returns a run of e whose result will do: one that exists, or one that begins while this waits for a slot.
func (s *Scheduler) obtain(ctx context.Context, e *entry, deadline time.Time) (*run, error) {
	waiting, cancel := context.WithTimeout(ctx, e.timeLeft(deadline)/waitFraction)
	defer cancel()
	r, p := s.join(e, deadline)
	switch {
	case r != nil:
		return r, nil
	case p == nil:
		return nil, ErrChanged
	}
	select {
	case <-p.over:
		if p.run == nil {
			return nil, ErrChanged
		}
		return p.run, nil
	case <-waiting.Done():
	}
	r, refused := s.leave(e, p, ctx.Err() == nil) // the caller is still there
	if refused {
		s.skip(e, SkipCapacity)
	}
	if r != nil {
		return r, nil
	}
	return nil, ErrNoSlot
}

// pending is a run on demand that waits for a slot. All who call for its target meanwhile share it.
type pending struct {
	cancel   context.CancelFunc
	callers  int
	timedOut bool          // one of them has waited for as long as it could
	deadline time.Time     // the latest of theirs
	over     chan struct{} // closed when run is set, or the check has changed
	run      *run
}

// join returns a run whose result will do, or else the pending run, which it begins if there is none.
func (s *Scheduler) join(e *entry, deadline time.Time) (*run, *pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := e.usable()
	if r != nil || e.ctx.Err() != nil {
		return r, nil
	}
	if e.pending == nil {
		e.pending = &pending{over: make(chan struct{})}
		s.enqueue(e, e.pending)
	}
	e.pending.callers++
	if deadline.After(e.pending.deadline) {
		e.pending.deadline = deadline
	}
	return nil, e.pending
}

// usable returns the run that is going on, or the last one while it is fresh, or nil.
// A failure that was cut short is news to nobody else.
func (e *entry) usable() *run {
	if e.run == nil && e.last != nil && !e.last.cut && time.Now().Before(e.last.freshUntil(e.check)) {
		return e.last
	}
	return e.run
}

// freshUntil returns until when the result of r may be given out again. A
// gateway would soon take the negative test for an attack: one an interval is
// enough, less a little for a scrape that comes early.
func (r *run) freshUntil(check probe.Check) time.Time {
	until := r.ended.Add(freshFor)
	if check.Kind != probe.KindAuth {
		return until
	}
	later := r.result.Start.Add(check.Interval - freshFor)
	if later.After(until) {
		return later
	}
	return until
}

// enqueue waits for a slot for p, the pending run of e, and carries it out.
func (s *Scheduler) enqueue(e *entry, p *pending) {
	ctx, cancel := context.WithCancel(e.ctx)
	p.cancel = cancel
	s.runs.Go(func() {
		release, err := s.limiter.acquire(ctx, request{host: e.check.Host, onDemand: true})
		r := s.launch(e, p, err == nil)
		switch {
		case r != nil:
			defer close(r.done)
			e.awaitPredecessor()
			s.perform(e, r, release)
		case err == nil:
			release()
		}
	})
}

// launch makes p the run of e, if it has a slot and any of its callers still waits.
func (s *Scheduler) launch(e *entry, p *pending, acquired bool) *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.pending != p {
		return nil
	}
	if !acquired || e.ctx.Err() != nil {
		e.wake(nil)
		return nil
	}
	r := &run{planned: time.Now(), deadline: p.deadline, done: make(chan struct{})}
	e.run = r
	e.wake(r)
	return r
}

// leave takes one caller away from p, unless it has a run by now. The last one
// ends the wait; the run was refused if any of its callers timed out.
func (s *Scheduler) leave(e *entry, p *pending, timedOut bool) (r *run, refused bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.callers--
	p.timedOut = p.timedOut || timedOut
	if e.pending != p || p.callers > 0 {
		return p.run, false
	}
	e.pending = nil
	p.cancel()
	return nil, p.timedOut
}
