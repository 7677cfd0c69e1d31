package main

import (
	"context"
	"fmt"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// crowd is what is remembered of many targets, with their metrics.
type crowd struct {
	targets []probe.Target
	store   *state.Store
	metrics *collector.Collector
	runs    int
}

func newCrowd(size int) *crowd {
	f := &crowd{store: state.New()}
	f.metrics = collector.New(f.store)
	checks := make([]probe.Check, size)
	for i := range checks {
		place := fmt.Sprintf("institution%02d", i%40)
		checks[i] = probe.Check{
			Target: probe.Target{Institution: place, Kind: probe.KindAPI, Name: fmt.Sprintf("api-%05d", i)},
			Info: probe.Info{
				InstitutionTitle: "Universitetet i " + place, Title: "Integra / DFØ organisasjoner",
				Address: "https://gw-" + place + ".intark.uh-it.no:443", Contact: "integrasjon@example.no",
			},
			Interval: 30 * time.Second, Timeout: 15 * time.Second,
		}
		f.targets = append(f.targets, checks[i].Target)
	}
	f.store.Replace(checks)
	for _, target := range f.targets {
		f.store.SetKeyInfo(target, state.KeyInfo{Used: true, Ends: []probe.KeyEnd{{Source: probe.SourceConfig, At: time.Now().AddDate(0, 1, 0)}}})
	}
	for range 60 {
		f.runHalf()
	}
	return f
}

// runHalf lets every other target run, and next time the others.
func (f *crowd) runHalf() {
	f.runs++
	for i := f.runs % 2; i < len(f.targets); i += 2 {
		f.run(f.targets[i], 7919*i+104729*f.runs)
	}
}

func (f *crowd) run(target probe.Target, n int) {
	result := ranAt(n, time.Now())
	_, known := f.store.Report(target, result)
	if known {
		f.metrics.Observe(target, result)
	}
}

const contentionText = `Scrapes go on one after the other while runs are remembered as fast as they can be, thousands of times faster than there
are any. Waiting: for all locks of the process together, as Go's runtime counts it (/sync/mutex/wait/total).`

// contention lets scrapes and runs get in each other's way.
func contention(ctx context.Context, size, rounds int) ([]row, error) {
	f := newCrowd(size)
	before, scrapes := locksWaited(), 0
	for range rounds {
		n, err := f.during(ctx, f.runAll)
		if err != nil {
			return nil, err
		}
		scrapes += n
	}
	waited := locksWaited() - before
	return []row{{
		What:     fmt.Sprintf("waiting for locks while %d runs of %d targets are remembered beside %d scrapes", 10*rounds*size, size, scrapes),
		Measured: fmt.Sprintf("%.2f ms in all", waited*1e3),
	}}, nil
}

// runAll lets each target run ten times.
func (f *crowd) runAll() {
	for range 20 {
		f.runHalf()
	}
}

func locksWaited() (seconds float64) {
	sample := []metrics.Sample{{Name: "/sync/mutex/wait/total:seconds"}}
	metrics.Read(sample)
	return sample[0].Value.Float64()
}

// during scrapes until do has returned, and says how many times.
func (f *crowd) during(ctx context.Context, do func()) (scrapes int, err error) {
	var over atomic.Bool
	var scraping sync.WaitGroup
	scraping.Go(func() {
		for err == nil && !over.Load() {
			err = f.scrape(ctx)
			scrapes++
		}
	})
	do()
	over.Store(true)
	scraping.Wait()
	return scrapes, err
}

// ranAt is a run of an API like most.
func ranAt(n int, at time.Time) probe.Result {
	result := probe.Result{Planned: at, Start: at, Limit: 15 * time.Second}
	result.Phases[probe.PhaseResolve] = 1234567
	result.Phases[probe.PhaseConnect] = 2345678
	result.Phases[probe.PhaseTLS] = 23456789
	result.Phases[probe.PhaseProcessing] = time.Duration(50+n%200) * time.Millisecond
	result.Phases[probe.PhaseTransfer] = 987654
	for _, phase := range result.Phases {
		result.Elapsed += phase
	}
	result.Duration = result.Elapsed
	result.Answered, result.Status, result.Size, result.ContentLength = true, 200, 2048, 2048
	result.IPVersion, result.HTTPVersion, result.KeyVerdict = 4, 1.1, probe.KeyAccepted
	result.TransactionID = fmt.Sprintf("%036d", n)
	result.Certificate = probe.Certificate{Expiry: at.AddDate(0, 2, 0), Verified: true}
	left := probe.Count{N: int64(n % 600), OK: true}
	result.RateLimits = []probe.RateLimit{{Policy: "rate_limit", Limit: probe.Count{N: 600, OK: true}, Remaining: left}}
	return result
}
