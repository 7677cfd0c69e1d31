package main

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// aspect is one thing that a probe reports.
type aspect struct {
	what   string
	said   func(probe.Observation) time.Duration
	waited func(pauses) time.Duration
	delay  func(way) time.Duration // asked for there
}

// aspects are each phase that can be delayed, and the whole.
func (s stream) aspects() (all []aspect) {
	for _, phase := range s.phases() {
		all = append(all, aspect{
			"phase " + phase.String(),
			func(o probe.Observation) time.Duration { return o.Phases[phase] },
			func(p pauses) time.Duration { return p[phase] },
			func(w way) time.Duration {
				if w.phase == phase {
					return w.delay
				}
				return 0
			},
		})
	}
	return append(all, aspect{
		"duration",
		func(o probe.Observation) time.Duration { return o.Elapsed },
		func(p pauses) (sum time.Duration) {
			for _, phase := range s.phases() {
				sum += p[phase]
			}
			return sum
		},
		func(w way) time.Duration { return w.delay },
	})
}

// errorRows tells, for each aspect, how far reports are from the truth.
func (s stream) errorRows(reports []report) (rows []row) {
	for _, a := range s.aspects() {
		rows = append(rows, a.errorRow(reports))
	}
	var unseen []float64
	for _, r := range reports {
		if !r.byHand {
			unseen = append(unseen, (r.wall-r.seen.Elapsed).Seconds()*1e3)
		}
	}
	slices.Sort(unseen)
	return append(rows, row{
		"wall time that the duration leaves out (closing, judging): median, p95",
		fmt.Sprintf("%.2f ms, %.2f ms", percentile(unseen, 0.5), percentile(unseen, 0.95)), "", "",
	})
}

// byHand is what the aspect takes where nothing waits and no exporter is: the median in seconds, and how far
// from it the 95th percentile of those requests themselves is, as a share of the limit.
func (a aspect) byHand(reports []report) (base, share float64) {
	var took, shares []float64
	for _, r := range reports {
		if r.byHand {
			took = append(took, a.said(r.seen).Seconds())
		}
	}
	base = spreadOf(took).median
	for _, value := range took {
		shares = append(shares, shareOfLimit(value, base))
	}
	slices.Sort(shares)
	return base, percentile(shares, 0.95)
}

// shareOfLimit is how far said is from what is expected, in seconds, against what is allowed.
func shareOfLimit(said, expected float64) float64 {
	return math.Abs(said-expected) / (0.001 + 0.02*expected)
}

// errorRow holds what probes say against the truth, delay by delay.
func (a aspect) errorRow(reports []report) row {
	base, jitter := a.byHand(reports)
	shares, undelayed := map[time.Duration][]float64{}, []float64{}
	for _, r := range reports {
		if r.byHand {
			continue
		}
		said, expected, delay := a.said(r.seen).Seconds(), base+a.waited(r.true).Seconds(), a.delay(r.way)
		shares[delay] = append(shares[delay], shareOfLimit(said, expected))
		if delay == 0 {
			undelayed = append(undelayed, said)
		}
	}
	worst, each := 0.0, ""
	for _, delay := range slices.Sorted(maps.Keys(shares)) {
		p95 := percentile(slices.Sorted(slices.Values(shares[delay])), 0.95)
		worst = max(worst, p95)
		each += fmt.Sprintf(", %s %.2f", delay, p95)
	}
	r := atMost("error of the "+a.what+", share of the limit at p95, worst delay", spread{worst, worst, worst}, 1)
	r.Measured = fmt.Sprintf("%.2f (%s; without a delay it takes %.2f ms, by hand %.2f ms with a share of %.2f)",
		worst, strings.TrimPrefix(each, ", "), spreadOf(undelayed).median*1e3, base*1e3, jitter)
	return r
}
