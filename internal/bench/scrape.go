package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"runtime"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

const scrapeText = `One scrape of APIs that have run 30 times, about 26 series each, a histogram among them: what ` + "`/metrics`" + ` does, from
the request to the last byte of text, without a network and without compression. Floor: expfmt encodes families that are there
already, copied so that no two series share a label, as those that a registry gathers. CPU time of the whole
process, so with the garbage collection.`

func scrape(ctx context.Context, quick bool) ([]chapter, error) {
	sizes, rounds := []int{100, 1000, 10_000}, 21
	if quick {
		sizes, rounds = []int{100, 1000}, 3
	}
	var (
		sides  []side
		crowds []*crowd
		most   = sizes[len(sizes)-1]
	)
	for _, size := range sizes {
		f := newCrowd(size)
		ready := f.copies()
		crowds = append(crowds, f)
		sides = append(sides,
			side{name: "floor", once: often(most/size, func(context.Context) error { return encode(io.Discard, ready) })},
			side{name: "scrape", once: often(most/size, f.scrape)})
	}
	result, err := compare(ctx, sides, rounds, 1)
	if err != nil {
		return nil, err
	}
	var rows []row
	for i, f := range crowds {
		memory, err := f.memory(ctx)
		if err != nil {
			return nil, err
		}
		ratio := spreadOf(result.quotients(2*i+1, 2*i))
		rows = append(rows, atMost(fmt.Sprintf("%d targets: CPU of a scrape / floor", sizes[i]), ratio, 1.3), memory)
	}
	rows = append(rows, scrapeGrowth(sizes, result))
	waits, err := contention(ctx, most, rounds)
	if err != nil {
		return nil, err
	}
	return []chapter{{"Scrapes", scrapeText, rows}, {"Scrapes while probing", contentionText, waits}}, nil
}

// often does the same so many times, so that every side deals with as many targets.
func often(times int, once func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		for range times {
			err := once(ctx)
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// quotients holds side i against side j, round by round.
func (m measured) quotients(i, j int) []float64 {
	values := make([]float64, len(m))
	for r, row := range m {
		values[r] = row[i] / row[j]
	}
	return values
}

// scrapeGrowth holds what a target costs at each size against a thousand.
func scrapeGrowth(sizes []int, result measured) row {
	text, reached := "", "yes"
	for i, size := range sizes {
		ratio := spreadOf(result.quotients(2*i+1, 3))
		text += fmt.Sprintf("%s at %d; ", ratio, size)
		if math.Abs(ratio.median-1) > 0.15 {
			reached = "no"
		}
	}
	return row{"CPU of a scrape per target / the same at 1000 targets", strings.TrimSuffix(text, "; "), "flat within 15 %", reached}
}

// memory says what a scrape allocates.
func (f *crowd) memory(ctx context.Context) (row, error) {
	bytes, objects, err := f.allocated(ctx)
	number := float64(len(f.targets))
	return row{
		What:     fmt.Sprintf("%d targets: allocated by a scrape, per target", len(f.targets)),
		Measured: fmt.Sprintf("%.0f bytes, %.1f objects", bytes/number, objects/number),
	}, err
}

// scrape asks the handler that answers /metrics.
func (f *crowd) scrape(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/metrics", http.NoBody)
	if err != nil {
		return err
	}
	collector.Handler(prometheus.Gatherers{}, f.metrics).ServeHTTP(nowhere{http.Header{}}, r)
	return nil
}

// nowhere is a response that nobody reads.
type nowhere struct{ header http.Header }

func (w nowhere) Header() http.Header       { return w.header }
func (nowhere) WriteHeader(int)             {}
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// copies returns the families, and nothing in one of them is shared with another.
func (f *crowd) copies() (families []*dto.MetricFamily) {
	for family := range f.metrics.Families() {
		families = append(families, proto.CloneOf(family))
	}
	return families
}

func encode(to io.Writer, families []*dto.MetricFamily) error {
	encoder := expfmt.NewEncoder(to, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		err := encoder.Encode(family)
		if err != nil {
			return err
		}
	}
	return nil
}

// allocated returns what a scrape allocates.
func (f *crowd) allocated(ctx context.Context) (bytes, objects float64, err error) {
	const scrapes = 5
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range scrapes {
		err = f.scrape(ctx)
		if err != nil {
			return 0, 0, err
		}
	}
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / scrapes, float64(after.Mallocs-before.Mallocs) / scrapes, nil
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
