package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

const memoryText = `Resident set of a process that does nothing but cold probes over HTTPS, eight at a time: after the first ones and after
many more. Each number is the median of 21 readings with ten probes between them.`

// load is what the role prober is asked to do.
type load struct {
	URL, CAFile string
	Marks       []int // numbers of probes after which the resident set is told
}

func memory(ctx context.Context, quick bool) ([]chapter, error) {
	marks := []int{1000, 100_000}
	if quick {
		marks = []int{200, 1000}
	}
	g, err := startGateway(ctx)
	if err != nil {
		return nil, err
	}
	defer g.stop()
	p, err := startRole(ctx, "prober", ourProcessor, load{g.URL, g.CAFile, marks})
	if err != nil {
		return nil, err
	}
	defer p.stop()
	var sizes [2]float64
	for i := range sizes {
		err = p.hear(&sizes[i])
		if err != nil {
			return nil, err
		}
	}
	ratio := sizes[1] / sizes[0]
	what := fmt.Sprintf("resident set after %d probes / after %d", marks[1], marks[0])
	r := atMost(what, spread{ratio, ratio, ratio}, 1.1)
	r.Measured = fmt.Sprintf("%.2f (%.1f MB / %.1f MB)", ratio, sizes[1]/1e6, sizes[0]/1e6)
	return []chapter{{"Memory", memoryText, []row{r}}}, nil
}

// serveProber is the role.
func serveProber(ctx context.Context) error {
	var l load
	err := task(&l)
	if err != nil {
		return err
	}
	runtime.GOMAXPROCS(1)
	prober, err := newProber(&gateway{URL: l.URL, CAFile: l.CAFile}, "", probe.TransportOptions{}, probe.NewShared())
	if err != nil {
		return err
	}
	done := 0
	for _, m := range l.Marks {
		err = probeAtOnce(ctx, prober, m-done)
		if err != nil {
			return err
		}
		done = m
		size, err := restingSize(ctx, prober)
		if err != nil {
			return err
		}
		err = tell(size)
		if err != nil {
			return err
		}
	}
	return nil
}

// probeAtOnce does so many probes, eight at a time.
func probeAtOnce(ctx context.Context, prober probe.Prober, number int) error {
	var (
		wg       sync.WaitGroup
		failures = make(chan error, 8)
	)
	for worker := range 8 {
		wg.Go(func() {
			for i := worker; i < number; i += 8 {
				_, err := prober.Probe(ctx)
				if err != nil {
					failures <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(failures)
	return <-failures
}

func restingSize(ctx context.Context, prober probe.Prober) (float64, error) {
	sizes := make([]float64, 21)
	for i := range sizes {
		err := probeAtOnce(ctx, prober, 10)
		if err != nil {
			return 0, err
		}
		size, err := resident(os.Getpid())
		if err != nil {
			return 0, err
		}
		sizes[i] = float64(size)
	}
	slices.Sort(sizes)
	return sizes[len(sizes)/2], nil
}
