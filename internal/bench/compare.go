package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"
)

// side is one of those that are held against each other.
type side struct {
	name string
	pid  int // whose CPU time counts; zero: this process
	once func(ctx context.Context) error
}

// measured is CPU seconds per call: a row for each round, in it a number for each side.
type measured [][]float64

// compare lets the sides take turns; a turn is that many calls.
func compare(ctx context.Context, sides []side, rounds, calls int) (measured, error) {
	rows := make(measured, rounds)
	for r := range rows {
		rows[r] = make([]float64, len(sides))
		for i := range sides {
			i = (i + r) % len(sides) // nobody is always the first
			cost, err := turn(ctx, sides[i], calls)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", sides[i].name, err)
			}
			rows[r][i] = cost
		}
	}
	return rows, nil
}

func turn(ctx context.Context, s side, calls int) (float64, error) {
	pid := s.pid
	if pid == 0 {
		pid = os.Getpid()
		runtime.GC() // another's garbage is not on this one's bill
	}
	before, err := cpuTime(pid)
	if err != nil {
		return 0, err
	}
	for range calls {
		err = withinTime(ctx, s.once)
		if err != nil {
			return 0, err
		}
	}
	after, err := cpuTime(pid)
	return (after - before).Seconds() / float64(calls), err
}

// probeTimeout is the default of the configuration.
const probeTimeout = 15 * time.Second

// withinTime calls once as the exporter's schedule calls a probe: with a deadline.
func withinTime(ctx context.Context, once func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return once(ctx)
}

// spread is a median and the middle half around it.
type spread struct{ low, median, high float64 }

func spreadOf(values []float64) spread {
	sorted := slices.Sorted(slices.Values(values))
	return spread{percentile(sorted, 0.25), percentile(sorted, 0.5), percentile(sorted, 0.75)}
}

func percentile(sorted []float64, share float64) float64 {
	return sorted[int(share*float64(len(sorted)-1)+0.5)]
}

func (s spread) String() string { return fmt.Sprintf("%.2f (%.2f–%.2f)", s.median, s.low, s.high) }

// ratio holds side i against the first, round by round.
func (m measured) ratio(i int) spread {
	values := make([]float64, len(m))
	for r, row := range m {
		values[r] = row[i] / row[0]
	}
	return spreadOf(values)
}

// micros is what a call of side i took.
func (m measured) micros(i int) string {
	values := make([]float64, len(m))
	for r, row := range m {
		values[r] = row[i] * 1e6
	}
	return fmt.Sprintf("%.0f µs", spreadOf(values).median)
}

// atMost is a row with a goal.
func atMost(what string, s spread, goal float64) row {
	reached := "yes"
	if s.median > goal {
		reached = "no"
	}
	return row{what, s.String(), fmt.Sprintf("≤ %.2f", goal), reached}
}
