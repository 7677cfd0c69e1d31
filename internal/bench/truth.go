package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

const truthText = `The gateway waits for 0, 5, 50 or 500 ms in the handshake, before its answer or in the middle of it, and probes are
started at an even rate, whatever becomes of those before. True is how long the gateway waited by its own clock, and what the
phase takes besides: its median over the probes of the same run for which it did not wait there. The error of a probe
is how far what it reports is from that. Each row shows it at the 95th percentile of all probes, as a share of the limit of
1 ms + 2 %: 1 is just good enough. It holds whatever happens to a probe on a busy machine: also that the handshake waits for
a processor on either side. Connecting cannot be delayed on loopback, where the system accepts by itself; resolving is
not part of this, for the name server is the system's (` + "`internal/probe`" + ` has tests for both).`

// report is what one probe said.
type report struct {
	seen probe.Observation
	wall time.Duration
	err  error
	true pauses // by the gateway's clock
}

// stream is an even stream of probes.
type stream struct {
	rate  int // a second
	reuse bool
}

func (s stream) String() string {
	if s.reuse {
		return fmt.Sprintf("%d warm probes a second", s.rate)
	}
	return fmt.Sprintf("%d cold probes a second", s.rate)
}

func truth(ctx context.Context, quick bool) ([]chapter, error) {
	streams, lasting := []stream{{500, false}, {100, false}, {500, true}}, 30*time.Second
	if quick {
		streams, lasting = []stream{{100, false}, {100, true}}, 2*time.Second
	}
	g, err := startGateway(ctx)
	if err != nil {
		return nil, err
	}
	defer g.stop()
	var rows []row
	for _, s := range streams {
		more, err := s.measure(ctx, g, lasting)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return []chapter{{"Truth under load", truthText, rows}}, nil
}

// measure lets the stream flow and holds what it reports against what the gateway did.
func (s stream) measure(ctx context.Context, g *gateway, lasting time.Duration) ([]row, error) {
	probers, err := delayedProbers(g, s.reuse)
	if err != nil {
		return nil, err
	}
	reports := probeEvenly(ctx, probers, s.rate, lasting)
	waits, err := g.waits(ctx)
	if err != nil {
		return nil, err
	}
	all := len(reports)
	reports = slices.DeleteFunc(reports, func(r report) bool { return r.err != nil })
	if len(reports) < all/2 {
		return nil, fmt.Errorf("this machine cannot carry out %s", s)
	}
	for i := range reports {
		reports[i].true = waits[reports[i].seen.TransactionID]
	}
	rows := append(errorRows(reports), atMost("probes that failed", spread{median: float64(all - len(reports))}, 0))
	rows[len(rows)-1].Measured, rows[len(rows)-1].Goal = fmt.Sprintf("%d of %d", all-len(reports), all), "0"
	for i := range rows {
		rows[i].What = s.String() + ": " + rows[i].What
	}
	return rows, nil
}

// delayedProbers returns a prober for each phase and delay; a kept connection has no handshake to wait in.
func delayedProbers(g *gateway, reuse bool) ([]*probe.HTTP, error) {
	shared := probe.NewShared()
	var all []*probe.HTTP
	for _, d := range []string{"0ms", "5ms", "50ms", "500ms"} {
		places := []struct{ query, name string }{{"processing=" + d, ""}, {"transfer=" + d, ""}, {"processing=0ms", d + ".delay"}}
		if reuse {
			places = places[:2]
		}
		for _, place := range places {
			options := probe.TransportOptions{TLS: probe.TLS{ServerName: place.name}, Reuse: reuse}
			prober, err := newProber(g, place.query, options, shared)
			if err != nil {
				return nil, err
			}
			all = append(all, prober)
		}
	}
	return all, nil
}

// probeEvenly starts probes at an even rate and returns what they reported.
func probeEvenly(ctx context.Context, probers []*probe.HTTP, rate int, lasting time.Duration) []report {
	var (
		wg      sync.WaitGroup
		reports = make([]report, int(lasting.Seconds())*rate)
		start   = time.Now()
	)
	for i := range reports {
		time.Sleep(time.Until(start.Add(time.Duration(i) * time.Second / time.Duration(rate))))
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, probeTimeout)
			defer cancel()
			begun := time.Now()
			seen, err := probers[i%len(probers)].Probe(ctx)
			reports[i] = report{seen, time.Since(begun), err, nil}
		})
	}
	wg.Wait()
	return reports
}

// errorRows tells, for each phase and the whole, how far reports are from the truth.
func errorRows(reports []report) []row {
	var rows []row
	phases := []probe.Phase{probe.PhaseTLS, probe.PhaseProcessing, probe.PhaseTransfer}
	for _, phase := range phases {
		if !slices.ContainsFunc(reports, func(r report) bool { return r.true[phase] > 0 }) {
			continue // a kept connection
		}
		rows = append(rows, errorRow("phase "+phase.String(), reports, func(r report) (time.Duration, time.Duration) {
			return r.seen.Phases[phase], r.true[phase]
		}))
	}
	rows = append(rows, errorRow("duration", reports, func(r report) (time.Duration, time.Duration) {
		var all time.Duration
		for _, phase := range phases {
			all += r.true[phase]
		}
		return r.seen.Elapsed, all
	}))
	var unseen []float64
	for _, r := range reports {
		unseen = append(unseen, (r.wall-r.seen.Elapsed).Seconds()*1e3)
	}
	slices.Sort(unseen)
	return append(rows, row{
		"wall time that the duration leaves out (closing, judging): median, p95",
		fmt.Sprintf("%.2f ms, %.2f ms", percentile(unseen, 0.5), percentile(unseen, 0.95)), "", "",
	})
}

// errorRow holds what reports say against how long the gateway waited; both are what look returns.
func errorRow(what string, reports []report, look func(report) (said, waited time.Duration)) row {
	var undelayed, shares, errs []float64
	for _, r := range reports {
		said, waited := look(r)
		if waited == 0 {
			undelayed = append(undelayed, said.Seconds())
		}
	}
	slices.Sort(undelayed)
	base := percentile(undelayed, 0.5)
	for _, r := range reports {
		said, waited := look(r)
		expected := base + waited.Seconds()
		off := math.Abs(said.Seconds() - expected)
		errs = append(errs, off*1e3)
		shares = append(shares, off/(0.001+0.02*expected))
	}
	slices.Sort(shares)
	slices.Sort(errs)
	share := percentile(shares, 0.95)
	r := atMost("error of the "+what+", share of the limit at p95", spread{share, share, share}, 1)
	r.Measured = fmt.Sprintf("%.2f (median error %.2f ms, without a delay it takes %.2f ms)", share, percentile(errs, 0.5), base*1e3)
	return r
}
