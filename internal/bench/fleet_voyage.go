package main

import (
	"context"
	"fmt"
	"time"
)

// voyage is one exporter under way, and what was found so far.
type voyage struct {
	size
	g    *gateways
	s    *ship
	calm float64 // the lag at p99 while nothing hung
	rows []row
}

// note adds a row; an empty goal has not been missed.
func (v *voyage) note(what, measured, goal string, ok bool) {
	reached := map[bool]string{true: "yes", false: "no"}[ok]
	if goal == "" {
		reached = ""
	}
	v.rows = append(v.rows, row{what, measured, goal, reached})
}

func (v *voyage) noteLag(what string, l lags) {
	p99 := l.quantile(0.99)
	v.note(what, fmt.Sprintf("%.1f ms (p50 %.1f ms)", 1000*p99, 1000*l.quantile(0.5)), "≤ 25 ms", p99 <= 0.025)
}

// firstPass looks, one interval after the start, which targets have run.
func (v *voyage) firstPass(ctx context.Context) error {
	err := pause(ctx, time.Until(v.s.begun.Add(v.s.ready+v.interval+v.interval/100)))
	if err != nil {
		return err
	}
	now, err := v.g.arrived()
	if err != nil {
		return err
	}
	ran := 0
	for _, counts := range now.Counts {
		for _, n := range counts {
			if n > 0 {
				ran++
			}
		}
	}
	v.note("targets that have run within one interval of being ready", fmt.Sprint(ran), fmt.Sprint(v.targets()), ran == v.targets())
	return nil
}

// watched is what was seen in a while.
type watched struct {
	lags                lags
	skipped             float64
	largest             int64         // resident set
	between             time.Duration // the first scrape and the last
	exporter, platforms float64
	first, last         scraped
}

func (w *watched) processors() string {
	return fmt.Sprintf("%.2f and %.2f", w.exporter, w.platforms)
}

// watch scrapes on and on, for so long.
func (v *voyage) watch(ctx context.Context, long time.Duration) (w *watched, err error) {
	w = &watched{}
	w.first, err = v.s.scrape(ctx)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	before, err := v.used()
	for err == nil && time.Since(begun) < long {
		err = pause(ctx, v.scrapes)
		if err != nil {
			break
		}
		w.last, err = v.s.scrape(ctx)
		if err != nil {
			break
		}
		w.between = time.Since(begun)
		var size int64
		size, err = resident(v.s.pid())
		w.largest = max(w.largest, size)
	}
	if err != nil {
		return nil, err
	}
	after, err := v.used()
	passed := time.Since(begun).Seconds()
	w.exporter, w.platforms = (after[0]-before[0]).Seconds()/passed, (after[1]-before[1]).Seconds()/passed
	w.lags = lagsBetween(w.first, w.last)
	w.skipped = w.last.skipped() - w.first.skipped()
	return w, err
}

// used is the processor time of exporter and gateways so far.
func (v *voyage) used() (both [2]time.Duration, err error) {
	both[0], err = cpuTime(v.s.pid())
	if err == nil {
		both[1], err = cpuTime(v.g.process.cmd.Process.Pid)
	}
	return both, err
}

func (v *voyage) steadily(ctx context.Context) error {
	w, err := v.watch(ctx, v.steady)
	if err != nil {
		return err
	}
	v.calm = w.lags.quantile(0.99)
	v.noteLag("schedule lag p99", w.lags)
	v.note("… runs skipped", fmt.Sprintf("%.0f", w.skipped), "0", w.skipped == 0)
	v.note("… processors taken by exporter and gateways", w.processors(), "", true)
	v.note("… resident set, the most in "+v.steady.String(), mebibytes(w.largest), "≤ 300 MiB", w.largest <= 300<<20)
	return nil
}
