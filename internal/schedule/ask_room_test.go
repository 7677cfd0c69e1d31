package schedule

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// inLine returns how many wait for a place.
func (p *places) inLine() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting)
}

// gauge counts the probes that go on at the same time, by host.
type gauge struct {
	log
	now, most map[string]int
}

// counting returns a prober that takes d and counts for host.
func (g *gauge) counting(host string, d time.Duration) proberFunc {
	return func(ctx context.Context) (probe.Observation, error) {
		g.locked(func() { g.now[host]++; g.most[host] = max(g.most[host], g.now[host]) })
		wait(ctx, d)
		g.locked(func() { g.now[host]-- })
		return probe.Observation{}, ctx.Err()
	}
}

func newGauge() *gauge { return &gauge{now: map[string]int{}, most: map[string]int{}} }

func TestAskTakesHalfOfEachCap(t *testing.T) {
	for name, c := range map[string]struct {
		caps  Caps
		hosts []string // of 100 targets each
		want  int      // probes at once, in all
	}{
		"per host":        {Caps{Total: 64, PerHost: 8}, []string{"one"}, 4},
		"in all":          {Caps{Total: 12, PerHost: 8}, []string{"one", "two", "three"}, 6},
		"at least one":    {Caps{Total: 1, PerHost: 1}, []string{"one", "two"}, 1},
		"rounded down":    {Caps{Total: 64, PerHost: 7}, []string{"one"}, 3},
		"hosts by itself": {Caps{Total: 64, PerHost: 8}, []string{"one", "two"}, 8},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := newGauge()
			var checks []probe.Check
			var names []string
			for _, host := range c.hosts {
				more, named := numbered(host, host, 100, g.counting("all", 10*time.Millisecond))
				checks, names = append(checks, more...), append(names, named...)
			}
			s, l := bench(c.caps, checks...)
			defer s.Close()
			for i, got := range askAll(t, s, time.Minute, names...) {
				if got.err != nil && !errors.Is(got.err, ErrNoRoom) || got.after > 8*time.Second || got.err == nil && l.runs(names[i]) != 1 {
					t.Errorf("%s: %s answered %v after %v", name, names[i], got.err, got.after)
				}
			}
			if g.most["all"] != c.want {
				t.Errorf("%s: %d at once, want %d", name, g.most["all"], c.want)
			}
		})
	}
}

// Who finds no room is told so after a quarter of its time, and counted.
func TestAskIsRefusedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks, names := numbered("a", "h", 10, hanging())
		s, l := bench(Caps{Total: 64, PerHost: 8}, checks...)
		defer s.Close()
		refused := 0
		for _, got := range askAll(t, s, 4*time.Second, names...) {
			if errors.Is(got.err, ErrNoRoom) {
				refused++
				if got.after != time.Second {
					t.Errorf("refused after %v", got.after)
				}
			}
			if got.after > 4*time.Second+grace {
				t.Errorf("answered %v after %v", got.err, got.after)
			}
		}
		if refused != 6 || l.skipped[SkipCapacity] != 6 {
			t.Errorf("%d refused, %v counted, want 6 of 10", refused, l.skipped)
		}
		synctest.Wait()
		if n := s.places.inLine(); n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}

// Requests that hang leave the other half of the places to the timers.
func TestAskKeepsNoTimedRunWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung, names := numbered("hung", "h", 100, hanging())
		timed, _ := numbered("timed", "h", 3, lasting(time.Millisecond))
		l := newLog()
		options := l.options()
		options.OnDemandOnly = func(t probe.Target) bool { return slices.Contains(names, t.Name) }
		s := New(options)
		s.Replace(append(timed, hung...), Caps{Total: 8, PerHost: 8})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
		defer cancel()
		go s.Run(ctx)
		for ctx.Err() == nil {
			askAll(t, s, 10*time.Second, names...)
		}
		synctest.Wait()
		for _, check := range timed {
			runs := l.results[check.Name]
			if len(runs) < 19 {
				t.Errorf("%s ran %d times in twenty minutes", check.Name, len(runs))
			}
			for _, r := range runs {
				if !r.Start.Equal(r.Planned) {
					t.Fatalf("%s was %v late", check.Name, r.Start.Sub(r.Planned))
				}
			}
		}
	})
}

// Who has gone is not counted as refused, and leaves nothing behind.
func TestAskerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks, names := numbered("a", "h", 2, hanging())
		s, l := bench(Caps{Total: 2, PerHost: 2}, checks...)
		defer s.Close()
		go func() { _ = s.Ask(t.Context(), named(names[0]), 0) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		err := s.Ask(ctx, named(names[1]), 0)
		synctest.Wait()
		if err == nil || len(l.skipped) != 0 || s.places.inLine() != 0 {
			t.Errorf("%v, counted %v, %d wait", err, l.skipped, s.places.inLine())
		}
	})
}

// Many who wait for a place for the same target share the run of the first who gets one.
func TestAskSharesARunAlsoWhenItHadToWait(t *testing.T) {
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
func TestAskAfterACanceledRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := []error{context.Canceled, nil}
		p := proberFunc(func(context.Context) (seen probe.Observation, err error) {
			err, runs = runs[0], runs[1:]
			return seen, err
		})
		s, _ := bench(roomy(), checkOf("a", "h", time.Minute, time.Second, p))
		defer s.Close()
		first, second := s.Ask(t.Context(), named("a"), 0), s.Ask(t.Context(), named("a"), 0)
		if !errors.Is(first, ErrChanged) || second != nil {
			t.Errorf("%v, then %v", first, second)
		}
	})
}
