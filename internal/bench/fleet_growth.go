package main

import (
	"context"
	"fmt"
	"time"
)

const growthText = `Three exporters side by side, with a hundred targets, a thousand and ten thousand, which all probe equally often: the interval
grows with the number. So a probe costs the same unless the number of targets matters. Processor time of the process per probe,
everything included but scrapes; each block of the time gives one ratio.`

// growth compares the cost of a probe in exporters of different size.
func growth(ctx context.Context, binary string, quick bool) ([]row, error) {
	sizes, blocks, block, warm := []int{100, 1000, 10_000}, 8, 10*time.Second, 30*time.Second
	if quick {
		sizes, blocks, block, warm = []int{10, 20, 40}, 3, time.Second, time.Second
	}
	sides := make([]*voyage, len(sizes))
	for i, n := range sizes {
		v, err := growthSide(ctx, binary, n, time.Duration(n/sizes[0])*time.Second)
		if err != nil {
			return nil, err
		}
		defer v.g.stop()
		defer v.s.stop()
		sides[i] = v
	}
	err := pause(ctx, warm)
	if err != nil {
		return nil, err
	}
	costs := make(measured, blocks)
	for b := range costs {
		costs[b], err = costPerProbe(ctx, sides, block)
		if err != nil {
			return nil, err
		}
	}
	rows := []row{{fmt.Sprintf("processor time per probe with %d targets", sizes[0]), costs.micros(0), "", ""}}
	for i := 1; i < len(sizes); i++ {
		rows = append(rows, atMost(fmt.Sprintf("… with %d / with %d", sizes[i], sizes[0]), costs.ratio(i), 1.15))
	}
	return rows, nil
}

func growthSide(ctx context.Context, binary string, targets int, interval time.Duration) (*voyage, error) {
	const hosts = 10
	g, err := startGateways(ctx, hosts, targets/hosts, true)
	if err != nil {
		return nil, err
	}
	s, err := launchShip(ctx, binary, g, interval)
	if err != nil {
		g.stop()
		return nil, err
	}
	return &voyage{g: g, s: s}, nil
}

// costPerProbe is the processor seconds of each side per probe in a block of time.
func costPerProbe(ctx context.Context, sides []*voyage, block time.Duration) ([]float64, error) {
	type state struct {
		used time.Duration
		runs int64
	}
	look := func() (states []state, err error) {
		for _, v := range sides {
			now, err := v.g.arrived()
			if err != nil {
				return nil, err
			}
			used, err := cpuTime(v.s.pid())
			if err != nil {
				return nil, err
			}
			states = append(states, state{used, now.total()})
		}
		return states, nil
	}
	before, err := look()
	if err != nil {
		return nil, err
	}
	err = pause(ctx, block)
	if err != nil {
		return nil, err
	}
	after, err := look()
	costs := make([]float64, len(after))
	for i := range after {
		costs[i] = (after[i].used - before[i].used).Seconds() / float64(after[i].runs-before[i].runs)
	}
	return costs, err
}
