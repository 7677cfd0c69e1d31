package schedule

import (
	"context"
	"errors"
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
		err := ask(t.Context(), s, named(a), limit)
		got <- answer{err, time.Since(start)}
	}()
	return got
}

// Callers that wait for a slot get the result of a timed run that begins meanwhile.
func TestPendingCallersJoinATimedRun(t *testing.T) {
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

// All callers of one target wait in one request for a slot, and are counted once.
func TestPendingCallersOfOneTargetWaitOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks, names := numbered("a", "h", 2, hanging())
		s, l := bench(Caps{Total: 2, PerHost: 2}, checks...)
		defer s.Close()
		first := askLater(t, s, 0, time.Minute, names[0])
		synctest.Wait()
		done := make(chan []answer)
		go func() { done <- askAll(t, s, 4*time.Second, same(names[1], 50)...) }()
		synctest.Wait()
		if n := s.limiter.queued(); n != 1 {
			t.Errorf("%d requests wait", n)
		}
		for _, got := range <-done {
			if got != (answer{ErrNoSlot, time.Second}) {
				t.Fatalf("%v after %v", got.err, got.after)
			}
		}
		if l.skipped[SkipCapacity] != 1 {
			t.Errorf("counted %v", l.skipped)
		}
		<-first
	})
}

// The request stays queued for the callers that still wait, and the run has the longest time of theirs.
func TestPendingRunOutlivesItsFirstCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks, _ := numbered("other", "h", 1, lasting(1500*time.Millisecond))
		checks = append(checks, checkOf("a", "h", time.Minute, 8*time.Second, hanging()))
		s, l := bench(Caps{Total: 2, PerHost: 2}, checks...)
		defer s.Close()
		other := askLater(t, s, 0, 0, "other0")
		synctest.Wait()
		short, long := askLater(t, s, 0, 4*time.Second, "a"), askLater(t, s, time.Second/2, 20*time.Second, "a")
		if got := <-short; got != (answer{ErrNoSlot, time.Second}) {
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
func TestPendingCallersHearOfAChange(t *testing.T) {
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

// A caller that has gone is not counted as refused, and leaves nothing behind.
func TestPendingCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks, names := numbered("a", "h", 2, hanging())
		s, l := bench(Caps{Total: 2, PerHost: 2}, checks...)
		defer s.Close()
		go func() { _ = ask(t.Context(), s, named(names[0]), 0) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		err := ask(ctx, s, named(names[1]), 0)
		synctest.Wait()
		if err == nil || len(l.skipped) != 0 || s.limiter.queued() != 0 {
			t.Errorf("%v, counted %v, %d wait", err, l.skipped, s.limiter.queued())
		}
	})
}

// Callers that wait for a slot for the same target share the run that begins with it.
func TestPendingCallersShareARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGauge()
		checks, others := numbered("other", "h", 4, g.counting("others", time.Second))
		checks = append(checks, checkOf("a", "h", time.Minute, 8*time.Second, g.counting("a", time.Second)))
		s, l := bench(Caps{Total: 64, PerHost: 8}, checks...)
		defer s.Close()
		go func() { askAll(t, s, time.Minute, others...) }()
		synctest.Wait()
		for _, got := range askAll(t, s, time.Minute, same("a", 200)...) {
			if got != (answer{nil, 2 * time.Second}) {
				t.Fatalf("answered %v after %v", got.err, got.after)
			}
		}
		if l.runs("a") != 1 || g.most["a"] != 1 {
			t.Errorf("%d runs, %d at once", l.runs("a"), g.most["a"])
		}
	})
}

// A run that was canceled is nobody's result.
func TestExternalCallAfterACanceledRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := []error{context.Canceled, nil}
		p := proberFunc(func(context.Context) (seen probe.Observation, err error) {
			err, runs = runs[0], runs[1:]
			return seen, err
		})
		s, _ := bench(roomy(), checkOf("a", "h", time.Minute, time.Second, p))
		defer s.Close()
		first, second := ask(t.Context(), s, named("a"), 0), ask(t.Context(), s, named("a"), 0)
		if !errors.Is(first, ErrChanged) || second != nil {
			t.Errorf("%v, then %v", first, second)
		}
	})
}
