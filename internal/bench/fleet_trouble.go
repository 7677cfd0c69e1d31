package main

import (
	"context"
	"fmt"
	"time"
)

// withHanging leaves out as many of the latest runs as the hanging hosts had: each of those has waited for a place.
func (v *voyage) withHanging(ctx context.Context) error {
	hanging := v.hosts / 10
	_, err := v.g.hang(hanging)
	if err != nil {
		return err
	}
	err = pause(ctx, v.interval)
	if err != nil {
		return err
	}
	w, err := v.watch(ctx, v.hanging)
	if err != nil {
		return err
	}
	v.noteHanging(hanging, w)
	_, err = v.g.hang(0)
	if err != nil {
		return err
	}
	return pause(ctx, v.interval)
}

func (v *voyage) noteHanging(hanging int, w *watched) {
	all := w.runs(func(string) bool { return true })
	theirs := w.runs(ofFirst(hanging))
	due := func(hosts int) float64 { return float64(hosts*v.apis) * w.between.Seconds() / v.interval.Seconds() }
	othersDue := due(v.hosts - hanging)
	l := w.lags.without(theirs)
	v.noteLag(fmt.Sprintf("with %d of %d hosts hanging (timeout %v): schedule lag p99 of the others", hanging, v.hosts, timeoutFor(v.interval)), l)
	ratio := l.quantile(0.99) / v.calm
	v.note("… of that before", fmt.Sprintf("%.2f", ratio), "≤ 1.25", ratio <= 1.25)
	v.note("… runs of the others: made, due", fmt.Sprintf("%.0f, %.0f", all-theirs, othersDue), "≥ 98 %", all-theirs >= 0.98*othersDue)
	v.note("… runs of those that hang: made, due; skipped of all", fmt.Sprintf("%.0f, %.0f; %.0f", theirs, due(hanging), w.skipped), "", true)
}

// runs is how many there were in institutions that pass.
func (w *watched) runs(passes func(institution string) bool) float64 {
	return w.last.total(runsFamily, "institution", passes) - w.first.total(runsFamily, "institution", passes)
}

const (
	reloadIntervals = 3
	reloadSlack     = 300 * time.Millisecond // for a run that comes late
)

// reloaded counts what arrives in just so many intervals: one run of each target in each, and one too few where one is missed.
func (v *voyage) reloaded(ctx context.Context) error {
	first, err := v.s.scrape(ctx)
	if err != nil {
		return err
	}
	before, err := v.g.arrived()
	if err != nil {
		return err
	}
	begun := time.Now()
	wall, processor, err := v.s.reload(ctx)
	if err != nil {
		return err
	}
	err = pause(ctx, time.Until(begun.Add(reloadIntervals*v.interval+reloadSlack)))
	if err != nil {
		return err
	}
	after, err := v.g.arrived()
	if err != nil {
		return err
	}
	last, err := v.s.scrape(ctx)
	if err != nil {
		return err
	}
	skipped, missed := last.skipped()-first.skipped(), after.fewer(before, reloadIntervals)
	v.note("reload with one target changed: the request to reload takes", seconds(wall), "≤ 1 s", wall <= time.Second)
	v.note("… processor time of the exporter meanwhile, runs included", seconds(processor), "", true)
	v.note(fmt.Sprintf("… targets with fewer than %d runs in the %d intervals + %v from then on", reloadIntervals, reloadIntervals, reloadSlack),
		fmt.Sprint(missed), "0", missed == 0)
	v.note("… runs skipped in that time", fmt.Sprintf("%.0f", skipped), "0", skipped == 0)
	return nil
}

// fewer is how many targets have had fewer than n requests since before.
func (a arrivals) fewer(before arrivals, n int64) (targets int) {
	for h, counts := range a.Counts {
		for i, count := range counts {
			if count-before.Counts[h][i] < n {
				targets++
			}
		}
	}
	return targets
}
