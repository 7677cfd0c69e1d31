package schedule

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

type proberFunc func(context.Context) (probe.Observation, error)

func (f proberFunc) Probe(ctx context.Context) (probe.Observation, error) { return f(ctx) }

// wait lasts d, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// lasting returns a prober that takes d and heeds its context.
func lasting(d time.Duration) proberFunc {
	return func(ctx context.Context) (probe.Observation, error) {
		wait(ctx, d)
		return probe.Observation{}, ctx.Err()
	}
}

// hanging returns a prober that waits for its deadline.
func hanging() proberFunc {
	return func(ctx context.Context) (probe.Observation, error) {
		<-ctx.Done()
		return probe.Observation{}, probe.Fail(probe.ReasonGatewayTimeout, "")
	}
}

func named(name string) probe.Target {
	return probe.Target{Institution: "uio", Kind: probe.KindAPI, Name: name}
}

func checkOf(name, host string, interval, timeout time.Duration, p probe.Prober) probe.Check {
	return probe.Check{Target: named(name), Host: host, Interval: interval, Timeout: timeout, Version: "1", Prober: p}
}

// log records what a scheduler does.
type log struct {
	mu       sync.Mutex
	results  map[string][]probe.Result
	skipped  map[SkipCause]int
	panicked [][]string
}

func newLog() *log {
	return &log{results: map[string][]probe.Result{}, skipped: map[SkipCause]int{}}
}

func (l *log) locked(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// runs returns how often name has run.
func (l *log) runs(name string) (n int) {
	l.locked(func() { n = len(l.results[name]) })
	return n
}

func (l *log) options() Options {
	return Options{
		Report: func(t probe.Target, r probe.Result) {
			l.locked(func() { l.results[t.Name] = append(l.results[t.Name], r) })
		},
		Skipped:  func(_ probe.Target, c SkipCause) { l.locked(func() { l.skipped[c]++ }) },
		Panicked: func(_ probe.Target, at []string) { l.locked(func() { l.panicked = append(l.panicked, at) }) },
	}
}

// runFor runs checks for a fake while, with room enough unless caps say otherwise.
func runFor(t *testing.T, d time.Duration, caps Caps, checks ...probe.Check) *log {
	t.Helper()
	l := newLog()
	s := New(l.options())
	s.Replace(checks, caps)
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	s.Run(ctx)
	return l
}

func roomy() Caps { return Caps{Total: 1000, PerHost: 1000} }

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := runFor(t, 10*time.Minute, roomy(), checkOf("a", "h", time.Minute, 5*time.Second, hanging()))
		for _, r := range l.results["a"] {
			if r.Duration != 5*time.Second {
				t.Errorf("a run lasted %v, want its timeout of 5s", r.Duration)
			}
		}
		if len(l.results["a"]) < 9 {
			t.Errorf("%d runs in ten minutes", len(l.results["a"]))
		}
	})
}

func TestOverlapIsSkippedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running, most := 0, 0
		// Deaf to its deadline, as no prober should be.
		deaf := proberFunc(func(context.Context) (probe.Observation, error) {
			running++
			most = max(most, running)
			time.Sleep(150 * time.Second)
			running--
			return probe.Observation{}, nil
		})
		l := runFor(t, time.Hour, roomy(), checkOf("a", "h", time.Minute, time.Minute, deaf))
		if most != 1 {
			t.Errorf("%d runs of one target at once", most)
		}
		if len(l.results["a"]) != 20 || l.skipped[SkipOverlap] < 38 || l.skipped[SkipOverlap] > 40 || l.skipped[SkipCapacity] != 0 {
			t.Errorf("%d runs, skipped %v; want 20 runs and each second and third minute skipped as overlap",
				len(l.results["a"]), l.skipped)
		}
	})
}

// TestHangingHostStarvesNobody has 30 targets on a host that hangs and one on another.
func TestHangingHostStarvesNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		checks := []probe.Check{checkOf("good", "well:443", 10*time.Second, 5*time.Second, lasting(time.Second))}
		for i := range 30 {
			checks = append(checks, checkOf(fmt.Sprintf("bad-%d", i), "hangs:443", 10*time.Second, 10*time.Second, hanging()))
		}
		l := runFor(t, time.Hour, Caps{Total: 9, PerHost: 8}, checks...)
		if len(l.results["good"]) < 358 {
			t.Errorf("the good target ran %d times in an hour, want every ten seconds", len(l.results["good"]))
		}
		for _, r := range l.results["good"] {
			if !r.Start.Equal(r.Planned) {
				t.Fatalf("the good target was %v late", r.Start.Sub(r.Planned))
			}
		}
		if l.skipped[SkipCapacity] == 0 {
			t.Error("nothing was skipped for lack of room")
		}
		for i := range 30 {
			if n := len(l.results[fmt.Sprintf("bad-%d", i)]); n < 80 {
				t.Errorf("bad-%d ran only %d times: the line is not fair", i, n)
			}
		}
	})
}

func TestPanicIsAResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := proberFunc(func(context.Context) (probe.Observation, error) { panic("canary-of-a-body") })
		l := runFor(t, 10*time.Minute, roomy(),
			checkOf("bad", "h", time.Minute, time.Second, bad), checkOf("good", "h", time.Minute, time.Second, lasting(time.Millisecond)))
		if len(l.results["good"]) != len(l.results["bad"]) || len(l.results["bad"]) == 0 {
			t.Errorf("good ran %d times, bad %d times", len(l.results["good"]), len(l.results["bad"]))
		}
		reason, layer := probe.ReasonOf(l.results["bad"][0].Err)
		if reason != probe.ReasonPanic || layer != probe.LayerExporter {
			t.Errorf("a panic is %s, %s", reason, layer)
		}
		if len(l.panicked) != len(l.results["bad"]) || len(l.panicked[0]) == 0 {
			t.Errorf("%d panics were told", len(l.panicked))
		}
	})
}

func TestCanceledRunIsNotReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		s := New(l.options())
		s.Replace([]probe.Check{
			checkOf("kept", "h", time.Minute, time.Minute, lasting(50*time.Second)),
			checkOf("gone", "h", time.Minute, time.Minute, lasting(50*time.Second)),
		}, roomy())
		ctx, cancel := context.WithCancel(t.Context())
		go s.Run(ctx)
		time.Sleep(time.Minute + time.Nanosecond) // both have begun, neither is done twice
		before := l.runs("gone")
		s.Replace([]probe.Check{checkOf("kept", "h", time.Minute, time.Minute, lasting(50*time.Second))}, roomy())
		time.Sleep(time.Hour)
		if l.runs("gone") != before {
			t.Error("a removed target was reported")
		}
		kept := l.runs("kept")
		if kept < 60 {
			t.Errorf("the kept target ran %d times in an hour", kept)
		}
		cancel()
		synctest.Wait()
		if l.runs("kept") != kept {
			t.Error("a run that the stop canceled was reported")
		}
	})
}

func TestNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		s := New(l.options())
		defer s.Close()
		s.Replace([]probe.Check{checkOf("a", "h", time.Minute, 10*time.Second, lasting(time.Second))}, roomy())
		_, err := s.Now(t.Context(), named("nobody"))
		if !errors.Is(err, ErrUnknownTarget) {
			t.Errorf("an unknown target gives %v", err)
		}
		results := make(chan probe.Result, 5)
		for range 5 {
			go func() {
				r, _ := s.Now(t.Context(), named("a"))
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

func TestNowLeftEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		s := New(l.options())
		defer s.Close()
		s.Replace([]probe.Check{checkOf("a", "h", time.Minute, 10*time.Second, lasting(5*time.Second))}, roomy())
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := s.Now(ctx, named("a"))
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a caller that leaves gets %v", err)
		}
		time.Sleep(10 * time.Second)
		if l.runs("a") != 1 {
			t.Error("the run did not go on without its caller")
		}
	})
}

func TestReplicasDiffer(t *testing.T) {
	var same int
	a, b := New(Options{Seed: "a"}), New(Options{Seed: "b"})
	for i := range 1000 {
		target := named(fmt.Sprint(i))
		if uint64(a.phaseOf(target))%uint64(time.Minute) == uint64(b.phaseOf(target))%uint64(time.Minute) {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d of 1000 targets have the same phase under two seeds", same)
	}
}

// TestSpread holds the phases of 6,000 targets against an even spread: 100 in
// each second of a minute, and hardly ever half as many again.
func TestSpread(t *testing.T) {
	s := New(Options{})
	var perSecond [60]int
	for i := range 6000 {
		offset := time.Duration(uint64(s.phaseOf(named(fmt.Sprintf("api-%d", i)))) % uint64(time.Minute))
		perSecond[offset/time.Second]++
	}
	for second, n := range perSecond {
		if n < 50 || n > 150 {
			t.Errorf("second %d has %d targets, want about 100", second, n)
		}
	}
}
