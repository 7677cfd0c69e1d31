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

// The fake day: 2,000 targets on 200 hosts, one of which hangs.
const (
	dayTargets  = 2000
	dayHosts    = 200
	hangingHost = 7
	answerTime  = 300 * time.Millisecond
	dayTimeout  = 15 * time.Second
)

// day records when each target ran.
type day struct {
	zero   time.Time
	starts map[probe.Target][]time.Duration
	faults []string
}

func (d *day) fault(format string, args ...any) {
	d.faults = append(d.faults, fmt.Sprintf(format, args...))
}

func hostOf(i int) int { return i % dayHosts }

// intervalOf differs within a host, since hosts and intervals have no common divisor.
func intervalOf(i int) time.Duration {
	return []time.Duration{time.Minute, 15 * time.Minute, 10 * time.Minute, 450 * time.Second, time.Hour, 24 * time.Hour, 7 * time.Minute}[i%7]
}

func (d *day) check(i int, version string) probe.Check {
	target := probe.Target{Institution: fmt.Sprintf("institution-%d", hostOf(i)), Kind: probe.KindAPI, Name: fmt.Sprintf("api-%d", i)}
	return probe.Check{
		Target: target, Interval: intervalOf(i), Timeout: dayTimeout, Version: version,
		Host: fmt.Sprintf("host-%d:443", hostOf(i)),
		Prober: proberFunc(func(ctx context.Context) (probe.Observation, error) {
			if hostOf(i) == hangingHost {
				<-ctx.Done()
				return probe.Observation{}, probe.Fail(probe.ReasonGatewayTimeout, "")
			}
			wait(ctx, answerTime)
			return probe.Observation{}, nil
		}),
	}
}

func (d *day) report(target probe.Target, result probe.Result) {
	d.starts[target] = append(d.starts[target], result.Start.Sub(d.zero))
}

// TestDay runs one fake day with a reload at noon that adds, changes and
// removes targets, and holds every single run against the offset.
func TestDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &day{zero: time.Now(), starts: map[probe.Target][]time.Duration{}}
		var mu sync.Mutex
		s := New(Options{
			Report: func(target probe.Target, result probe.Result) {
				mu.Lock()
				defer mu.Unlock()
				d.report(target, result)
			},
			Skipped:  func(probe.Target, SkipCause) {},
			Panicked: func(probe.Target, []string) {},
		})
		caps := Caps{Total: 64, PerHost: 8}
		s.Replace(d.morning(), caps)
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		go func() {
			time.Sleep(12 * time.Hour)
			s.Replace(d.afternoon(), caps)
		}()
		s.Run(ctx)
		for i := range dayTargets {
			d.verify(i, s)
		}
		for _, fault := range d.faults {
			t.Error(fault)
		}
	})
}

// What the reload at noon does: the first targets go, the next change, the last come.
const (
	removed = 50
	changed = 100
	added   = dayTargets - 50
)

func (d *day) morning() (checks []probe.Check) {
	for i := range added {
		checks = append(checks, d.check(i, "1"))
	}
	return checks
}

func (d *day) afternoon() (checks []probe.Check) {
	for i := removed; i < dayTargets; i++ {
		version := "1"
		if i < changed {
			version = "2"
		}
		checks = append(checks, d.check(i, version))
	}
	return checks
}

// verify compares the runs of target i with what its offset demands.
func (d *day) verify(i int, s *Scheduler) {
	if hostOf(i) == hangingHost {
		return // its runs may be late; the others' must not
	}
	target := d.check(i, "").Target
	want := d.expected(i, s.offsetOf(target))
	got := d.starts[target]
	if len(got) != len(want) {
		d.fault("%v: %d runs, want %d", target, len(got), len(want))
		return
	}
	for n := range want {
		if got[n] != want[n] {
			d.fault("%v: run %d at %v, want %v", target, n, got[n], want[n])
			return
		}
	}
}

// expected lists when target i is to run, computed another way than the
// scheduler does: by walking through the seconds in which it may begin.
func (d *day) expected(i int, o offset) (at []time.Duration) {
	const noon, midnight = 12 * time.Hour, 24*time.Hour - answerTime
	from, to := time.Duration(0), midnight
	switch {
	case i < removed:
		to = noon - answerTime
	case i >= added:
		from = noon
	}
	at = walk(o, intervalOf(i), from, to)
	if i >= removed && i < changed {
		// Changed at noon: once more within a minute, then at the same offset.
		at = append(walk(o, intervalOf(i), 0, noon-answerTime), walk(o, intervalOf(i), noon, to)...)
	}
	return at
}

func walk(o offset, interval, from, to time.Duration) (at []time.Duration) {
	step := min(interval, time.Minute)
	first := time.Duration(uint64(o) % uint64(step))
	for first <= from && from > 0 {
		first += step
	}
	if first > to {
		return nil
	}
	at = append(at, first)
	for next := time.Duration(uint64(o) % uint64(interval)); next <= to; next += interval {
		if next > first {
			at = append(at, next)
		}
	}
	return at
}
