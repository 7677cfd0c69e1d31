package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// size is how big a fleet is, and how long it is looked at.
type size struct {
	hosts, apis            int
	interval, scrapes      time.Duration
	steady, hanging, plain time.Duration
}

func (s size) targets() int { return s.hosts * s.apis }

func sizeOf(quick bool) size {
	if quick {
		return size{10, 10, 2 * time.Second, time.Second, 4 * time.Second, 4 * time.Second, 2 * time.Second}
	}
	return size{100, 100, 30 * time.Second, 15 * time.Second, 2 * time.Minute, 45 * time.Second, 30 * time.Second}
}

// fleet is ten thousand targets in one exporter.
func fleet(ctx context.Context, quick bool) ([]chapter, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary, err := program(ctx, dir)
	if err != nil {
		return nil, err
	}
	what := sizeOf(quick)
	rows, err := cold(ctx, binary, what)
	if err != nil {
		return nil, err
	}
	more, err := plainly(ctx, binary, what)
	if err != nil {
		return nil, err
	}
	rows = append(rows, more...)
	growing, err := growth(ctx, binary, quick)
	if err != nil {
		return nil, err
	}
	weight, err := weigh(binary)
	if err != nil {
		return nil, err
	}
	return []chapter{
		{fmt.Sprintf("%d targets every %v", what.targets(), what.interval), fleetText, append(rows, weight)},
		{"Cost per target", growthText, growing},
	}, nil
}

const fleetText = `One exporter with GOMAXPROCS=2, a key file for each target, one gateway for a hundred of them, all on loopback, a scrape
with native histograms every 15 s. Each probe is a full HTTPS handshake. The gateways run on the same machine and are given one of
its processors, which the exporter may use too: what they take is in the table, and the lag is that of a busy machine.
With one host in ten hanging, the lag is that of all runs but as many of the latest as the hanging hosts had, and what is due
is the number of targets times the time between two scrapes over the interval. A reload has missed a run where a target has fewer runs than
intervals have passed.
max_concurrent is 256 here: ten hosts that hang take eight places each, and the built-in 64 would be full.`

// cold is everything that is asked of a fleet over fresh HTTPS connections.
func cold(ctx context.Context, binary string, what size) (rows []row, err error) {
	g, err := startGateways(ctx, what.hosts, what.apis, true)
	if err != nil {
		return nil, err
	}
	defer g.stop()
	s, err := launchShip(ctx, binary, g, what.interval)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	v := &voyage{size: what, g: g, s: s}
	v.note("start to ready", seconds(s.ready), "≤ 1 s", s.ready <= time.Second)
	for _, leg := range []func(context.Context) error{v.firstPass, v.steadily, v.withHanging, v.reloaded} {
		err = leg(ctx)
		if err != nil {
			return nil, err
		}
	}
	return v.rows, nil
}

// plainly is the lag without the handshakes, which cost both sides most.
func plainly(ctx context.Context, binary string, what size) ([]row, error) {
	g, err := startGateways(ctx, what.hosts, what.apis, false)
	if err != nil {
		return nil, err
	}
	defer g.stop()
	s, err := launchShip(ctx, binary, g, what.interval)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	v := &voyage{size: what, g: g, s: s}
	err = pause(ctx, what.interval)
	if err != nil {
		return nil, err
	}
	w, err := v.watch(ctx, what.plain)
	if err != nil {
		return nil, err
	}
	v.noteLag("over plain HTTP instead: schedule lag p99", w.lags)
	v.note("… processors taken by exporter and gateways", w.processors(), "", true)
	return v.rows, nil
}

// weigh returns the size of the binary.
func weigh(binary string) (row, error) {
	info, err := os.Stat(binary)
	if err != nil {
		return row{}, err
	}
	reached := "yes"
	if info.Size() > 16<<20 {
		reached = "no"
	}
	return row{"stripped binary", mebibytes(info.Size()), "≤ 16 MiB", reached}, nil
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
