package schedule

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// A failure for want of time is the answer of who gave the time, and of nobody after.
func TestACutRunIsNotGivenOutAgain(t *testing.T) {
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
				err := s.Ask(t.Context(), check.Target, limit)
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

// A failure that somebody's short limit did not bring about is one for all.
func TestAShortFailureIsGivenOutAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := proberFunc(func(context.Context) (probe.Observation, error) {
			return probe.Observation{}, probe.Fail(probe.ReasonConnect, "")
		})
		s, l := bench(roomy(), checkOf("a", "h", time.Minute, 10*time.Second, refused))
		defer s.Close()
		for _, limit := range []time.Duration{2 * time.Second, 0} {
			err := s.Ask(t.Context(), named("a"), limit)
			if err != nil || l.runs("a") != 1 {
				t.Errorf("%v, %d runs", err, l.runs("a"))
			}
		}
	})
}

// Who joins a run that is cut has another, if it has more time left than that had.
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
