package schedule

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

// runFor runs checks for a fake while, under caps.
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
			t.Error("nothing was skipped for lack of a slot")
		}
		for i := range 30 {
			if n := len(l.results[fmt.Sprintf("bad-%d", i)]); n < 80 {
				t.Errorf("bad-%d ran only %d times: the queue is not fair", i, n)
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

func TestReplicasDiffer(t *testing.T) {
	var same int
	a, b := New(Options{Seed: "a"}), New(Options{Seed: "b"})
	for i := range 1000 {
		target := named(fmt.Sprint(i))
		if uint64(a.offsetOf(target))%uint64(time.Minute) == uint64(b.offsetOf(target))%uint64(time.Minute) {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d of 1000 targets have the same offset under two seeds", same)
	}
}

// TestSpread holds the offsets of 6,000 targets against an even spread: 100 in
// each second of a minute, and hardly ever half as many again.
func TestSpread(t *testing.T) {
	s := New(Options{})
	var perSecond [60]int
	for i := range 6000 {
		at := time.Duration(uint64(s.offsetOf(named(fmt.Sprintf("api-%d", i)))) % uint64(time.Minute))
		perSecond[at/time.Second]++
	}
	for second, n := range perSecond {
		if n < 50 || n > 150 {
			t.Errorf("second %d has %d targets, want about 100", second, n)
		}
	}
}

func TestOnDemandOnlyTargetsHaveNoTimer(t *testing.T) {
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
		err := ask(t.Context(), s, named("untimed"), 0)
		if err != nil || l.runs("untimed") != 1 {
			t.Errorf("asked: %v, %d runs", err, l.runs("untimed"))
		}
	})
}

// A changed target's run is canceled, and may take a moment to end: the new check waits for it.
func TestChangedTargetNeverRunsTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		s := New(l.options())
		defer s.Close()
		running, most := 0, 0
		slow := proberFunc(func(ctx context.Context) (probe.Observation, error) {
			l.locked(func() { running++; most = max(most, running) })
			wait(ctx, 10*time.Second)
			time.Sleep(100 * time.Millisecond)
			l.locked(func() { running-- })
			return probe.Observation{}, ctx.Err()
		})
		check := checkOf("a", "h", time.Minute, time.Minute, slow)
		for version := range 3 {
			check.Version = fmt.Sprint(version)
			s.Replace([]probe.Check{check}, roomy())
			go func() { _, _ = s.RunNow(t.Context(), check.Target, OnDemand{}) }()
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Minute)
		reported := l.runs("a")
		l.locked(func() {
			if most != 1 || reported != 1 {
				t.Errorf("%d runs at once and %d reported, want 1 and 1", most, reported)
			}
		})
	})
}

// The functions of Options are called one at a time for a target, which the race detector checks too.
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
