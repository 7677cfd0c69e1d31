package schedule

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// bench is a scheduler without timers, whose targets run only when asked for.
func bench(caps Caps, checks ...probe.Check) (*Scheduler, *log) {
	l := newLog()
	s := New(l.options())
	s.Replace(checks, caps)
	return s, l
}

// answer is what Ask said, and after how long.
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
			err := s.Ask(t.Context(), named(name), limit)
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

func TestAskSharesARun(t *testing.T) {
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

func TestAskGivesAFreshResultAgain(t *testing.T) {
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
			{named("a"), fresh - time.Nanosecond, 1},
			{named("a"), time.Nanosecond, 2},
			{negative.Target, 0, 1},
			{negative.Target, 2 * time.Minute, 1},
			{negative.Target, 13*time.Minute - 3*time.Second, 1},
			{negative.Target, 2 * time.Second, 2},
		} {
			time.Sleep(c.wait)
			err := s.Ask(t.Context(), c.target, 0)
			if err != nil || l.runs(c.target.Name) != c.runs {
				t.Errorf("%s after %v more: %v, %d runs, want %d", c.target.Name, c.wait, err, l.runs(c.target.Name), c.runs)
			}
		}
	})
}

// A changed check's result is not that of the one before.
func TestAskAfterAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		check := checkOf("a", "h", time.Minute, 10*time.Second, lasting(time.Second))
		s, l := bench(roomy(), check)
		defer s.Close()
		_ = s.Ask(t.Context(), check.Target, 0)
		check.Version = "2"
		s.Replace([]probe.Check{check}, roomy())
		go func() {
			time.Sleep(time.Second / 2)
			check.Version = "3"
			s.Replace([]probe.Check{check}, roomy())
		}()
		err := s.Ask(t.Context(), check.Target, 0)
		if !errors.Is(err, ErrChanged) || l.runs("a") != 1 {
			t.Errorf("changed while it ran: %v, %d runs reported", err, l.runs("a"))
		}
		s.Replace(nil, roomy())
		err = s.Ask(t.Context(), check.Target, 0)
		if !errors.Is(err, ErrUnknownTarget) {
			t.Errorf("removed: %v", err)
		}
	})
}

func TestAskKeepsItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ limit, want time.Duration }{
			{2 * time.Second, 2 * time.Second}, {time.Minute, 10 * time.Second}, {0, 10 * time.Second},
		} {
			s, l := bench(roomy(), checkOf("a", "h", time.Minute, 10*time.Second, hanging()))
			err := s.Ask(t.Context(), named("a"), c.limit)
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

// What joins a timed run does not shorten it.
func TestAskIsLateForATimedRun(t *testing.T) {
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

func TestUntimedTargetsRunOnlyWhenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		options := l.options()
		options.OnDemandOnly = func(t probe.Target) bool { return t.Name == "untimed" }
		s := New(options)
		var checks []probe.Check
		for _, name := range []string{"timed", "untimed"} {
			checks = append(checks, checkOf(name, "h", time.Minute, time.Second, lasting(time.Millisecond)))
		}
		s.Replace(checks[:1], roomy())
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.Run(ctx)
		time.Sleep(time.Minute)
		s.Replace(checks, roomy())
		time.Sleep(time.Hour)
		if l.runs("timed") < 60 || l.runs("untimed") != 0 {
			t.Errorf("an hour: timed ran %d times, untimed %d times", l.runs("timed"), l.runs("untimed"))
		}
		err := s.Ask(t.Context(), named("untimed"), 0)
		if err != nil || l.runs("untimed") != 1 {
			t.Errorf("asked: %v, %d runs", err, l.runs("untimed"))
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
