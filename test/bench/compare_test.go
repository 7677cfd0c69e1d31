// Package bench measures what the exporter costs: beside bare libraries, beside blackbox_exporter, and with 10,000
// targets. `make bench` runs it; docs/benchmarks.md says what the figures mean.
package bench

import (
	"context"
	"os"
	"runtime"
	"runtime/metrics"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// side is one of the implementations that compare compares.
type side struct {
	name string
	pid  int // of the process whose CPU time counts; zero: this one
	call func(ctx context.Context) error

	// With garbage a turn ends only when a garbage collection has ended, so that its share of the cost is included.
	garbage bool
}

// compare lets the sides take turns, b.N times, of at least that many calls. It reports the median CPU time of a call of
// each side, and the median of its percentages of the first side in the same round: what slows the machine down slows both.
func compare(b *testing.B, calls int, sides ...side) {
	b.Helper()
	costs := make([][]float64, len(sides)) // CPU seconds of a call, by side and round
	for _, s := range sides {
		once(b, s)
	}
	for round := 0; b.Loop(); round++ {
		for i := range sides {
			i = (i + round) % len(sides) // no side is always the first
			costs[i] = append(costs[i], turn(b, sides[i], calls))
		}
	}
	b.ReportMetric(0, "ns/op") // the wall time of a round says nothing
	for i, s := range sides {
		b.ReportMetric(1e9*median(costs[i]), s.name+"-ns")
		if i == 0 {
			continue
		}
		ratios := make([]float64, len(costs[i]))
		for round, cost := range costs[i] {
			ratios[round] = cost / costs[0][round]
		}
		b.ReportMetric(100*median(ratios), s.name+"/"+sides[0].name+"-%")
	}
}

// turn returns the CPU seconds of one call.
func turn(b *testing.B, s side, calls int) float64 {
	b.Helper()
	pid := s.pid
	if pid == 0 {
		pid = os.Getpid()
		runtime.GC() // no side pays for another's garbage
	}
	before, made, collected := cpuTime(b, pid), 0, collections()
	for {
		once(b, s)
		made++
		now := collections()
		if made >= calls && (!s.garbage || now > collected) {
			return (cpuTime(b, pid) - before).Seconds() / float64(made)
		}
		collected = now
	}
}

// once calls as the exporter's schedule does: with a deadline.
func once(b *testing.B, s side) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 15*time.Second)
	defer cancel()
	err := s.call(ctx)
	if err != nil {
		b.Fatalf("%s: %v", s.name, err)
	}
}

// cpuTime returns what a process has used of all processors so far, including its threads that have ended.
func cpuTime(b *testing.B, pid int) time.Duration {
	b.Helper()
	var used unix.Timespec
	clock := int32(^pid<<3 | 2) // as clock_getcpuclockid(3) does
	err := unix.ClockGettime(clock, &used)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Nano())
}

// collections returns the number of garbage collections that the runtime has started by itself and finished.
func collections() uint64 {
	sample := []metrics.Sample{{Name: "/gc/cycles/automatic:gc-cycles"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
