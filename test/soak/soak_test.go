// Package soak lets the exporter work for a long time at a simulated platform
// where faults come and go, scraped every second and reloaded every ten.
// Afterwards nothing has grown, and what the exporter has counted is what the
// gateways and brokers have counted: no run lost, none counted twice.
package soak

import (
	"flag"
	"testing"
	"time"
)

var duration = flag.Duration("for", 20*time.Second, "how long faults come and go")

const (
	scrapeEvery = time.Second
	reloadEvery = 10 * time.Second
	faultEvery  = 2 * time.Second        // the last one goes when the next one comes
	settling    = 4 * time.Second        // for every target to have run
	lookEvery   = 170 * time.Millisecond // in quiet times: seldom in step with the runs
	patience    = time.Minute
)

func TestSoak(t *testing.T) {
	w := newWorld(t)
	var before, after usage
	w.watch(t, settling, scrapeEvery, func(sample) {})
	w.watch(t, settling, lookEvery, func(s sample) { before.note(s) })

	faults, reloads := time.NewTicker(faultEvery), time.NewTicker(reloadEvery)
	defer faults.Stop()
	defer reloads.Stop()
	w.watch(t, *duration, scrapeEvery, func(sample) {
		select {
		case <-faults.C:
			w.nextFault()
		default:
		}
		select {
		case <-reloads.C:
			w.reload(t)
		default:
		}
	})
	w.clear()
	if w.away != nil {
		w.reload(t) // as many targets as before
	}
	w.settled(t)
	for deadline := time.Now().Add(patience); after.seen == 0 || len(after.over(before)) > 0 && time.Now().Before(deadline); {
		w.watch(t, settling, lookEvery, func(s sample) { after.note(s) })
	}
	t.Logf("%d runs (%d failed, %d of them perhaps unheard of), %d scrapes, %d reloads, %d faults; before: %v; after: %v",
		w.last.sum("integra_probe_runs_total"), w.last.sum("integra_probe_failures_total"), w.unheard(),
		w.scrapes, w.reloads, w.faults, before, after)
	for _, grown := range after.over(before) {
		t.Error(grown)
	}
}

// watch scrapes for so long, holds each scrape against what the platform has counted, and tells then.
func (w *world) watch(t *testing.T, long, every time.Duration, then func(sample)) {
	t.Helper()
	end := time.Now().Add(long)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for time.Now().Before(end) {
		<-tick.C
		w.last = w.scrape(t)
		w.scrapes++
		for _, c := range w.counts() {
			for _, wrong := range c.twice(w.last, c.arrived()) {
				t.Fatal(wrong)
			}
		}
		then(w.last)
	}
}

// settled waits until each count agrees. Faults are over: what is still on its way is there in a moment.
func (w *world) settled(t *testing.T) {
	t.Helper()
	open := w.counts()
	deadline := time.Now().Add(patience)
	for len(open) > 0 {
		var left []count
		before := make([]int, len(open))
		for i, c := range open {
			before[i] = c.arrived()
		}
		w.last = w.scrape(t)
		for i, c := range open {
			if !c.complete(w.last, before[i]) {
				left = append(left, c)
			}
		}
		open = left
		if len(open) > 0 && time.Now().After(deadline) {
			for _, c := range open {
				t.Errorf("runs are lost: %s", c.say(w.last, c.arrived()))
			}
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}
