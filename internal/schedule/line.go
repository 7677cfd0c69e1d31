package schedule

import (
	"context"
	"time"
)

// line is the wait for a place for a run that is asked for. Whoever asks for
// the same target meanwhile shares it.
type line struct {
	cancel   context.CancelFunc
	askers   int
	refused  bool          // one of them has waited as long as it could
	deadline time.Time     // the latest of theirs
	over     chan struct{} // closed when run is set, or the check has changed
	run      *run
}

// join returns a run whose result will do, or else the line for a new one.
func (s *Scheduler) join(e *entry, deadline time.Time) (*run, *line) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := e.present()
	if r != nil || e.ctx.Err() != nil {
		return r, nil
	}
	if e.line == nil {
		e.line = &line{over: make(chan struct{})}
		s.open(e, e.line)
	}
	e.line.askers++
	if deadline.After(e.line.deadline) {
		e.line.deadline = deadline
	}
	return nil, e.line
}

// open puts l, the line of e, among those who wait for a place.
func (s *Scheduler) open(e *entry, l *line) {
	ctx, cancel := context.WithCancel(e.ctx)
	l.cancel = cancel
	s.runs.Go(func() {
		leave, err := s.places.enter(ctx, seat{host: e.check.Host, asked: true})
		r := s.launch(e, l, err == nil)
		switch {
		case r != nil:
			defer close(r.done)
			e.awaitBefore()
			s.carryOut(e, r, leave)
		case err == nil:
			leave()
		}
	})
}

// launch begins a run of e for those in l, if there is a place and anybody still waits for it there.
func (s *Scheduler) launch(e *entry, l *line, placed bool) *run {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.line != l {
		return nil
	}
	if !placed || e.ctx.Err() != nil {
		e.disperse(nil)
		return nil
	}
	r := &run{planned: time.Now(), deadline: l.deadline, done: make(chan struct{})}
	e.run = r
	e.disperse(r)
	return r
}

// disperse ends the line of e, if there is one, with r for all in it; nil: the check has changed.
func (e *entry) disperse(r *run) {
	if e.line == nil {
		return
	}
	e.line.run = r
	close(e.line.over)
	e.line.cancel()
	e.line = nil
}

// quit takes somebody out of l, unless there is a run by now. The last one ends
// the wait; it was in vain if anybody in it was refused.
func (s *Scheduler) quit(e *entry, l *line, refused bool) (r *run, vain bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l.askers--
	l.refused = l.refused || refused
	if e.line != l || l.askers > 0 {
		return l.run, false
	}
	e.line = nil
	l.cancel()
	return nil, l.refused
}
