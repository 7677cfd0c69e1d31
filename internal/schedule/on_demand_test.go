package schedule

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// ask runs target for an external caller.
func ask(ctx context.Context, s *Scheduler, target probe.Target, limit time.Duration) error {
	_, err := s.RunNow(ctx, target, OnDemand{External: true, Limit: limit})
	return err
}

// bench is a scheduler without timers, whose targets run only when asked for.
func bench(caps Caps, checks ...probe.Check) (*Scheduler, *log) {
	l := newLog()
	s := New(l.options())
	s.Replace(checks, caps)
	return s, l
}

// answer is what RunNow said, and after how long.
type answer struct {
	err   error
	after time.Duration
}

// askAll asks for each of names at once, and returns the answers in their order.
func askAll(t *testing.T, s *Scheduler, limit time.Duration, names ...string) []answer {
	t.Helper()
	answers := make([]answer, len(names))
	done := make(chan struct{})
	start := time.Now()
	for i, name := range names {
		go func() {
			err := ask(t.Context(), s, named(name), limit)
			answers[i] = answer{err, time.Since(start)}
			done <- struct{}{}
		}()
	}
	for range names {
		<-done
	}
	return answers
}

func same(name string, n int) (names []string) {
	for range n {
		names = append(names, name)
	}
	return names
}

func TestExternalCallersShareARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := bench(Caps{Total: 1, PerHost: 1}, checkOf("a", "h", time.Minute, 10*time.Second, lasting(time.Second)))
		defer s.Close()
		for _, got := range askAll(t, s, 5*time.Second, same("a", 200)...) {
			if got != (answer{nil, time.Second}) {
				t.Fatalf("answered %v after %v, want the one run of a second", got.err, got.after)
			}
		}
		if l.runs("a") != 1 {
			t.Errorf("%d runs for 200 simultaneous requests", l.runs("a"))
		}
	})
}

func TestExternalCallersShareAFreshResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		negative := checkOf("negative", "h", 15*time.Minute, 10*time.Second, lasting(time.Second))
		negative.Kind = probe.KindAuth
		s, l := bench(roomy(), checkOf("a", "h", 15*time.Minute, 10*time.Second, lasting(time.Second)), negative)
		defer s.Close()
		for _, c := range []struct {
			target probe.Target
			wait   time.Duration
			runs   int
		}{
			{named("a"), 0, 1},
			{named("a"), freshFor - time.Nanosecond, 1},
			{named("a"), time.Nanosecond, 2},
			{negative.Target, 0, 1},
			{negative.Target, 2 * time.Minute, 1},
			{negative.Target, 13*time.Minute - 3*time.Second, 1},
			{negative.Target, 2 * time.Second, 2},
		} {
			time.Sleep(c.wait)
			result, err := s.RunNow(t.Context(), c.target, OnDemand{External: true})
			if err != nil || l.runs(c.target.Name) != c.runs || result.Start != l.results[c.target.Name][c.runs-1].Start {
				t.Errorf("%s after %v more: %v, %d runs, want %d", c.target.Name, c.wait, err, l.runs(c.target.Name), c.runs)
			}
		}
	})
}

// A changed check's result is not that of the one before.
func TestExternalCallAfterAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		check := checkOf("a", "h", time.Minute, 10*time.Second, lasting(time.Second))
		s, l := bench(roomy(), check)
		defer s.Close()
		_ = ask(t.Context(), s, check.Target, 0)
		check.Version = "2"
		s.Replace([]probe.Check{check}, roomy())
		go func() {
			time.Sleep(time.Second / 2)
			check.Version = "3"
			s.Replace([]probe.Check{check}, roomy())
		}()
		err := ask(t.Context(), s, check.Target, 0)
		if !errors.Is(err, ErrChanged) || l.runs("a") != 1 {
			t.Errorf("changed while it ran: %v, %d runs reported", err, l.runs("a"))
		}
		s.Replace(nil, roomy())
		err = ask(t.Context(), s, check.Target, 0)
		if !errors.Is(err, ErrUnknownTarget) {
			t.Errorf("removed: %v", err)
		}
	})
}

func TestExternalCallKeepsItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ limit, want time.Duration }{
			{2 * time.Second, 2 * time.Second}, {time.Minute, 10 * time.Second}, {0, 10 * time.Second},
		} {
			s, l := bench(roomy(), checkOf("a", "h", time.Minute, 10*time.Second, hanging()))
			err := ask(t.Context(), s, named("a"), c.limit)
			s.Close()
			if err != nil {
				t.Errorf("limit %v: %v, want the result of a failed run", c.limit, err)
			}
			if l.runs("a") != 1 || l.results["a"][0].Duration != c.want {
				t.Errorf("limit %v: runs %v, want one of %v", c.limit, l.results["a"], c.want)
			}
		}
	})
}

// A caller that joins a timed run does not shorten it.
func TestExternalCallIsTooShortForATimedRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		s := New(l.options())
		s.Replace([]probe.Check{checkOf("a", "h", time.Minute, 10*time.Second, hanging())}, roomy())
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.Run(ctx)
		for s.InFlight() == 0 {
			time.Sleep(time.Second / 2)
		}
		got := askAll(t, s, 3*time.Second, "a")[0]
		if !errors.Is(got.err, ErrLate) || got.after != 3*time.Second+grace {
			t.Errorf("%v after %v", got.err, got.after)
		}
		time.Sleep(10 * time.Second)
		if l.runs("a") != 1 || l.results["a"][0].Duration != 10*time.Second {
			t.Errorf("the timed run: %v", l.results["a"])
		}
	})
}

// numbered returns n checks of one host, and their names.
func numbered(prefix, host string, n int, p probe.Prober) (checks []probe.Check, names []string) {
	for i := range n {
		name := fmt.Sprint(prefix, i)
		checks = append(checks, checkOf(name, host, time.Minute, 8*time.Second, p))
		names = append(names, name)
	}
	return checks, names
}

// A failure for lack of time answers the caller that set the time, and no later one.
func TestACutRunIsNotSharedLater(t *testing.T) {
	for _, c := range []struct {
		name  string
		takes time.Duration
		kind  string
		runs  int // after three requests, of which the first gives two seconds
	}{
		{"cut", 3 * time.Second, probe.KindAPI, 2},
		{"cut, negative", 3 * time.Second, probe.KindAuth, 2},
		{"in time", time.Second, probe.KindAPI, 1},
		{"in time, negative", time.Second, probe.KindAuth, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			check := checkOf("a", "h", 15*time.Minute, 10*time.Second, lasting(c.takes))
			check.Kind = c.kind
			s, l := bench(roomy(), check)
			defer s.Close()
			for _, limit := range []time.Duration{2 * time.Second, 20 * time.Second, 20 * time.Second} {
				err := ask(t.Context(), s, check.Target, limit)
				if err != nil {
					t.Errorf("%s: %v", c.name, err)
				}
			}
			last := l.results["a"][l.runs("a")-1]
			if l.runs("a") != c.runs || last.Err != nil {
				t.Errorf("%s: %d runs, want %d; the last: %v", c.name, l.runs("a"), c.runs, last.Err)
			}
		})
	}
}

// A failure that no short limit has caused answers every caller.
func TestAShortFailureIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := proberFunc(func(context.Context) (probe.Observation, error) {
			return probe.Observation{}, probe.Fail(probe.ReasonConnect, "")
		})
		s, l := bench(roomy(), checkOf("a", "h", time.Minute, 10*time.Second, refused))
		defer s.Close()
		for _, limit := range []time.Duration{2 * time.Second, 0} {
			err := ask(t.Context(), s, named("a"), limit)
			if err != nil || l.runs("a") != 1 {
				t.Errorf("%v, %d runs", err, l.runs("a"))
			}
		}
	})
}

// A caller that joins a run that is cut gets another one, if it has more time left than that run had.
func TestACutRunIsFollowedByALongerOne(t *testing.T) {
	for _, c := range []struct {
		limit, after time.Duration
		runs         int
	}{
		{12 * time.Second, 2500 * time.Millisecond, 2},
		{3 * time.Second, 1500 * time.Millisecond, 1}, // half a second more would prove nothing
	} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			slowAtFirst := proberFunc(func(ctx context.Context) (probe.Observation, error) {
				calls++
				wait(ctx, time.Second)
				if calls == 1 {
					wait(ctx, time.Minute)
				}
				return probe.Observation{}, ctx.Err()
			})
			s, l := bench(roomy(), checkOf("a", "h", time.Minute, 10*time.Second, slowAtFirst))
			defer s.Close()
			short, joined := askLater(t, s, 0, 2*time.Second, "a"), askLater(t, s, time.Second/2, c.limit, "a")
			if got := <-short; got != (answer{nil, 2 * time.Second}) {
				t.Errorf("the first: %v after %v", got.err, got.after)
			}
			if got := <-joined; got != (answer{nil, c.after}) || l.runs("a") != c.runs {
				t.Errorf("limit %v: %v after %v, %d runs", c.limit, got.err, got.after, l.runs("a"))
			}
			for i, want := range []time.Duration{2 * time.Second, 10 * time.Second}[:c.runs] {
				if got := l.results["a"][i].Limit; got != want {
					t.Errorf("run %d had %v, want %v", i, got, want)
				}
			}
		})
	}
}

func TestInternalCallersShareARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		s := New(l.options())
		defer s.Close()
		s.Replace([]probe.Check{checkOf("a", "h", time.Minute, 10*time.Second, lasting(time.Second))}, roomy())
		_, err := s.RunNow(t.Context(), named("nobody"), OnDemand{})
		if !errors.Is(err, ErrUnknownTarget) {
			t.Errorf("an unknown target gives %v", err)
		}
		results := make(chan probe.Result, 5)
		for range 5 {
			go func() {
				r, _ := s.RunNow(t.Context(), named("a"), OnDemand{})
				results <- r
			}()
		}
		first := <-results
		for range 4 {
			if diff := cmp.Diff(first.Start, (<-results).Start); diff != "" {
				t.Errorf("simultaneous callers got different runs: %s", diff)
			}
		}
		if l.runs("a") != 1 {
			t.Errorf("five callers made %d runs, want 1, reported once", l.runs("a"))
		}
	})
}

func TestRunGoesOnWithoutItsInternalCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		s := New(l.options())
		defer s.Close()
		s.Replace([]probe.Check{checkOf("a", "h", time.Minute, 10*time.Second, lasting(5*time.Second))}, roomy())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.RunNow(ctx, named("a"), OnDemand{})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller that leaves gets %v", err)
		}
		time.Sleep(10 * time.Second)
		if l.runs("a") != 1 {
			t.Error("the run did not go on without its caller")
		}
	})
}
