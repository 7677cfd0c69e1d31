package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

const truthText = `The gateway waits for 0, 5, 50 or 500 ms in the handshake, before its answer or in the middle of it, and probes are
started at an even rate, whatever becomes of those before. True is how long the gateway waited by its own clock, and what the
phase takes besides: its median over requests in the same stream for which it does not wait, made by hand with crypto/tls and
a stopwatch between the steps, without the exporter's code and net/http's client. So an error that is always the same shows. The error
of a probe is how far what it reports is from that. Its 95th percentile is taken over the probes of each delay for
itself; a row shows the delay where it is worst, as a share of the limit of 1 ms + 2 %: 1 is just good enough.
It holds whatever happens to a probe on a busy machine: also that the handshake waits for a processor on either side. How
much that is, the same share of the requests by hand tells, last in the brackets.
Connecting cannot be delayed on loopback, where the system accepts by itself; resolving is not part of this, for the name
server is the system's (` + "`internal/probe`" + ` has tests for both).`

// way is where the gateway waits, for how long, and who asks it.
type way struct {
	probe.Prober
	phase  probe.Phase
	delay  time.Duration
	byHand bool
}

// report is what one probe said.
type report struct {
	way
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
	ways, err := s.ways(g)
	if err != nil {
		return nil, err
	}
	reports := probeEvenly(ctx, ways, s.rate, lasting)
	waits, err := g.waits(ctx)
	if err != nil {
		return nil, err
	}
	all := len(reports)
	reports = slices.DeleteFunc(reports, func(r report) bool { return r.err != nil })
	if len(reports) < all/2 || !slices.ContainsFunc(reports, func(r report) bool { return r.byHand }) {
		return nil, fmt.Errorf("this machine cannot carry out %s", s)
	}
	for i := range reports {
		reports[i].true = waits[reports[i].seen.TransactionID]
	}
	rows := append(s.errorRows(reports), atMost("probes that failed", spread{median: float64(all - len(reports))}, 0))
	rows[len(rows)-1].Measured, rows[len(rows)-1].Goal = fmt.Sprintf("%d of %d", all-len(reports), all), "0"
	for i := range rows {
		rows[i].What = s.String() + ": " + rows[i].What
	}
	return rows, nil
}

// ways returns each phase with each delay, none, and two shares by hand; a kept connection has no handshake to wait in.
func (s stream) ways(g *gateway) ([]way, error) {
	shared := probe.NewShared()
	hand, err := newByHand(g, s.reuse)
	if err != nil {
		return nil, err
	}
	all := []way{{Prober: hand, byHand: true}, {Prober: hand, byHand: true}}
	for _, delay := range []time.Duration{0, 5 * time.Millisecond, 50 * time.Millisecond, 500 * time.Millisecond} {
		for _, phase := range s.phases() {
			options, query := probe.TransportOptions{Reuse: s.reuse}, fmt.Sprintf("%s=%s", phase, delay)
			if phase == probe.PhaseTLS {
				options.TLS.ServerName, query = delay.String()+".delay", "processing=0ms"
			}
			prober, err := newProber(g, query, options, shared)
			if err != nil {
				return nil, err
			}
			all = append(all, way{Prober: prober, phase: phase, delay: delay})
		}
	}
	return all, nil
}

// phases are those that the gateway can delay.
func (s stream) phases() []probe.Phase {
	if s.reuse {
		return []probe.Phase{probe.PhaseProcessing, probe.PhaseTransfer}
	}
	return []probe.Phase{probe.PhaseTLS, probe.PhaseProcessing, probe.PhaseTransfer}
}

// probeEvenly starts probes at an even rate and returns what they reported.
func probeEvenly(ctx context.Context, ways []way, rate int, lasting time.Duration) []report {
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
			by := ways[i%len(ways)]
			seen, err := by.Probe(ctx)
			reports[i] = report{by, seen, time.Since(begun), err, nil}
		})
	}
	wg.Wait()
	return reports
}
