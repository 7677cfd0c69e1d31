package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// queued returns how many wait for a slot.
func (l *limiter) queued() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
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

func TestExternalCallsTakeHalfOfEachCap(t *testing.T) {
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
				if got.err != nil && !errors.Is(got.err, ErrNoSlot) || got.after > 8*time.Second || got.err == nil && l.runs(names[i]) != 1 {
					t.Errorf("%s: %s answered %v after %v", name, names[i], got.err, got.after)
				}
			}
			if g.most["all"] != c.want {
				t.Errorf("%s: %d at once, want %d", name, g.most["all"], c.want)
			}
		})
	}
}

// A caller that gets no slot is refused after a quarter of its time, and counted.
func TestExternalCallsAreRefusedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks, names := numbered("a", "h", 10, hanging())
		s, l := bench(Caps{Total: 64, PerHost: 8}, checks...)
		defer s.Close()
		refused := 0
		for _, got := range askAll(t, s, 4*time.Second, names...) {
			if errors.Is(got.err, ErrNoSlot) {
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
		if n := s.limiter.queued(); n != 0 {
			t.Errorf("%d still wait", n)
		}
	})
}

// Requests that hang leave the other half of the slots to the timers.
func TestExternalCallsDelayNoTimedRun(t *testing.T) {
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

// A reload that lowers the caps must not let new runs in beside those that are inside.
func TestLowerCapsHoldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		s := New(l.options())
		var checks []probe.Check
		for i := range 20 {
			checks = append(checks, checkOf(fmt.Sprint(i), "hangs:443", time.Minute, time.Minute, hanging()))
		}
		s.Replace(checks, Caps{Total: 64, PerHost: 8})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.Run(ctx)
		time.Sleep(time.Minute + time.Nanosecond)
		if n := s.InFlight(); n != 8 {
			t.Fatalf("%d in flight, want the cap of 8", n)
		}
		s.Replace(checks, Caps{Total: 64, PerHost: 4})
		for range 180 {
			time.Sleep(time.Second)
			if n := s.InFlight(); n > 8 {
				t.Fatalf("%d in flight after the cap went down from 8 to 4", n)
			}
		}
		if n := s.InFlight(); n != 4 {
			t.Errorf("%d in flight at last, want the cap of 4", n)
		}
	})
}

// A caller that stops waiting leaves no slot taken.
func TestSlotsAreGivenBack(t *testing.T) {
	l := newLimiter()
	l.resize(Caps{Total: 1, PerHost: 1})
	release, err := l.acquire(t.Context(), request{host: "a"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = l.acquire(ctx, request{host: "a", onDemand: true})
	if err == nil {
		t.Error("a slot was granted above the cap")
	}
	release()
	release, err = l.acquire(t.Context(), request{host: "b", onDemand: true})
	if err != nil {
		t.Error(err)
	}
	release()
	if l.all.total+l.onDemand.total+len(l.all.hosts)+len(l.onDemand.hosts)+len(l.waiting) != 0 {
		t.Errorf("left behind: %+v", l)
	}
}
