package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// BenchmarkScrape compares a scrape, as the handler of /metrics answers it without network and compression, with what
// expfmt needs to encode families that exist already and share no label, as those that a registry gathers.
func BenchmarkScrape(b *testing.B) {
	for _, targets := range []int{100, 1000, 10_000} {
		b.Run(fmt.Sprintf("targets=%d", targets), func(b *testing.B) {
			metrics := collectorOf(targets)
			var families []*dto.MetricFamily
			for family := range metrics.Families() {
				families = append(families, proto.CloneOf(family))
			}
			handler := collector.Handler(prometheus.Gatherers{}, metrics)
			compare(b, 20_000/targets,
				side{name: "encoding", call: func(context.Context) error { return encode(families) }},
				side{name: "scrape", garbage: true, call: func(ctx context.Context) error { return scrape(ctx, handler) }})
		})
	}
}

func encode(families []*dto.MetricFamily) error {
	encoder := expfmt.NewEncoder(io.Discard, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		err := encoder.Encode(family)
		if err != nil {
			return err
		}
	}
	return nil
}

func scrape(ctx context.Context, handler http.Handler) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "/metrics", http.NoBody)
	if err != nil {
		return err
	}
	handler.ServeHTTP(discard{http.Header{}}, request)
	return nil
}

// discard is a response that nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header       { return d.header }
func (discard) WriteHeader(int)             {}
func (discard) Write(p []byte) (int, error) { return len(p), nil }

// collectorOf returns the collector of so many APIs of 40 institutions, each of which has run 30 times.
func collectorOf(targets int) *collector.Collector {
	store := state.New()
	metrics := collector.New(store)
	checks := make([]probe.Check, targets)
	for i := range checks {
		institution := fmt.Sprintf("institution%02d", i%40)
		checks[i] = probe.Check{
			Target: probe.Target{Institution: institution, Kind: probe.KindAPI, Name: fmt.Sprintf("api-%05d", i)},
			Info: probe.Info{
				InstitutionTitle: "Universitetet i " + institution, Title: "Integra / DFØ organisasjoner",
				Address: "https://gw-" + institution + ".intark.uh-it.no:443", Contact: "integrasjon@example.no",
			},
			Interval: 30 * time.Second, Timeout: 15 * time.Second,
		}
	}
	store.Replace(checks)
	for _, check := range checks {
		store.SetKeyInfo(check.Target, state.KeyInfo{Used: true, Ends: []probe.KeyEnd{{Source: probe.SourceConfig, At: time.Now().AddDate(0, 1, 0)}}})
	}
	for run := range 30 {
		for i, check := range checks {
			result := resultOf(7919*i+104729*run, time.Now())
			_, known := store.Report(check.Target, result)
			if known {
				metrics.Observe(check.Target, result)
			}
		}
	}
	return metrics
}

// resultOf returns a successful run of an API; n varies what varies.
func resultOf(n int, at time.Time) probe.Result {
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
