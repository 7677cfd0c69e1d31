package schedule

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// askLater asks for a after d, in the background; the answer's time counts from then.
func askLater(t *testing.T, s *Scheduler, d, limit time.Duration, a string) <-chan answer {
	t.Helper()
	got := make(chan answer, 1)
	go func() {
		time.Sleep(d)
		start := time.Now()
		err := s.Ask(t.Context(), named(a), limit)
		got <- answer{err, time.Since(start)}
	}()
	return got
}

// Who waits for a place takes the result of the timer's run that begins meanwhile.
func TestWhoWaitsJoinsATimedRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks, others := numbered("other", "h", 1, lasting(30*time.Second))
		checks[0].Timeout = 40 * time.Second
		l := newLog()
		options := l.options()
		options.OnDemandOnly = func(t probe.Target) bool { return t.Name == others[0] }
		s := New(options)
		timed := checkOf("a", "h", time.Minute, 40*time.Second, lasting(time.Second))
		s.Replace(append(checks, timed), Caps{Total: 2, PerHost: 2})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.Run(ctx)
		for l.runs("a") == 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(54 * time.Second) // the next run is due in less than five
		other := askLater(t, s, 0, 0, others[0])
		synctest.Wait()
		waited := askLater(t, s, 0, 0, "a")
		got := <-waited
		if got.err != nil || got.after > 6*time.Second || l.runs("a") != 2 || l.skipped[SkipCapacity] != 0 {
			t.Errorf("%v after %v, %d runs, skipped %v", got.err, got.after, l.runs("a"), l.skipped)
		}
		<-other
	})
}

// However many ask for one target, they stand in line once, and are counted once.
func TestWhoWaitsForOneTargetWaitsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks, names := numbered("a", "h", 2, hanging())
		s, l := bench(Caps{Total: 2, PerHost: 2}, checks...)
		defer s.Close()
		first := askLater(t, s, 0, time.Minute, names[0])
		synctest.Wait()
		done := make(chan []answer)
		go func() { done <- askAll(t, s, 4*time.Second, same(names[1], 50)...) }()
		synctest.Wait()
		if n := s.places.inLine(); n != 1 {
			t.Errorf("%d stand in line", n)
		}
		for _, got := range <-done {
			if got != (answer{ErrNoRoom, time.Second}) {
				t.Fatalf("%v after %v", got.err, got.after)
			}
		}
		if l.skipped[SkipCapacity] != 1 {
			t.Errorf("counted %v", l.skipped)
		}
		<-first
	})
}

// The place is kept for who still waits, and the run has the time of who has most.
func TestTheLineOutlivesWhoOpenedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks, _ := numbered("other", "h", 1, lasting(1500*time.Millisecond))
		checks = append(checks, checkOf("a", "h", time.Minute, 8*time.Second, hanging()))
		s, l := bench(Caps{Total: 2, PerHost: 2}, checks...)
		defer s.Close()
		other := askLater(t, s, 0, 0, "other0")
		synctest.Wait()
		short, long := askLater(t, s, 0, 4*time.Second, "a"), askLater(t, s, time.Second/2, 20*time.Second, "a")
		if got := <-short; got != (answer{ErrNoRoom, time.Second}) {
			t.Errorf("the first: %v after %v", got.err, got.after)
		}
		if got := <-long; got != (answer{nil, 9 * time.Second}) {
			t.Errorf("the second: %v after %v", got.err, got.after)
		}
		if len(l.skipped) != 0 || l.results["a"][0].Limit != 8*time.Second {
			t.Errorf("counted %v, runs %v", l.skipped, l.results["a"])
		}
		<-other
	})
}

// A change of the check ends the wait.
func TestWhoWaitsHearsOfAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks, names := numbered("a", "h", 2, hanging())
		s, l := bench(Caps{Total: 2, PerHost: 2}, checks...)
		defer s.Close()
		first := askLater(t, s, 0, 0, names[0])
		synctest.Wait()
		second := askLater(t, s, 0, 0, names[1])
		time.Sleep(time.Second)
		s.Replace(checks[:1], Caps{Total: 2, PerHost: 2})
		if got := <-second; !errors.Is(got.err, ErrChanged) || got.after != time.Second || len(l.skipped) != 0 {
			t.Errorf("%v after %v, counted %v", got.err, got.after, l.skipped)
		}
		<-first
	})
}

// What is told of one target is told one after the other, which the race detector sees too.
func TestOptionsAreCalledOneAtATime(t *testing.T) {
	now, calls := 0, sync.WaitGroup{}
	call := func() {
		now++
		time.Sleep(time.Millisecond)
		if now != 1 {
			t.Errorf("%d at once", now)
		}
		now--
	}
	s := New(Options{Report: func(probe.Target, probe.Result) { call() }, Skipped: func(probe.Target, SkipCause) { call() }})
	check := checkOf("a", "h", time.Minute, time.Second, hanging())
	s.Replace([]probe.Check{check}, roomy())
	e := s.entries[check.Target]
	for range 5 {
		calls.Go(func() { s.skip(e, SkipOverlap) })
		calls.Go(func() { s.finish(e, &run{}, nil) })
	}
	calls.Wait()
	s.Close()
}
