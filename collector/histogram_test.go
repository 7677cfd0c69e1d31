package collector_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// Ours is to be client_golang's in all but its size.
func TestHistogramIsThatOfTheLibrary(t *testing.T) {
	draws := map[string]func(r *rand.Rand, n int) time.Duration{
		"nothing":   nil,
		"none":      func(*rand.Rand, int) time.Duration { return 0 },
		"alike":     func(r *rand.Rand, _ int) time.Duration { return 180*time.Millisecond + time.Duration(r.IntN(2e7)) },
		"any":       func(r *rand.Rand, _ int) time.Duration { return time.Duration(r.Int64N(6e10)) },
		"each size": func(r *rand.Rand, _ int) time.Duration { return time.Duration(math.Exp2(r.Float64() * 50)) },
		"rising":    func(_ *rand.Rand, n int) time.Duration { return time.Duration(math.Exp2(float64(n % 60))) },
		"bounds": func(r *rand.Rand, _ int) time.Duration {
			return []time.Duration{25, 50, 100, 250, 500, 1000, 2000, 30000}[r.IntN(8)] * time.Millisecond
		},
	}
	for name, draw := range draws {
		for _, number := range []int{1, 7, 30, 1000} {
			t.Run(fmt.Sprintf("%s %d", name, number), func(t *testing.T) {
				library, w := libraryHistogram(), newWorld(check("uio", "a"))
				random := rand.New(rand.NewPCG(1, uint64(number)))
				for n := range number {
					if draw == nil {
						break
					}
					result := probe.Result{Duration: draw(random, n)}
					w.report(check("uio", "a").Target, result)
					library.Observe(result.Duration.Seconds())
				}
				var want dto.Metric
				err := library.Write(&want)
				if err != nil {
					t.Fatal(err)
				}
				got := family(t, gather(t, w.metrics), "integra_probe_duration_seconds").GetMetric()[0].GetHistogram()
				age := want.GetHistogram().GetCreatedTimestamp().AsTime().Sub(got.GetCreatedTimestamp().AsTime())
				if draw != nil && age.Abs() > time.Minute || draw == nil && got.GetCreatedTimestamp() != nil {
					t.Errorf("created at %v", got.GetCreatedTimestamp()) // by the first run
				}
				if diff := cmp.Diff(want.GetHistogram(), got, protocmp.Transform(), protocmp.IgnoreFields(got, "created_timestamp")); diff != "" {
					t.Errorf("(-library +ours):\n%s", diff)
				}
			})
		}
	}
}

func libraryHistogram() prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{
		Name:                           "a",
		Buckets:                        []float64{.025, .05, .1, .25, .5, 1, 2, 3, 5, 10, 15, 30},
		NativeHistogramBucketFactor:    1.1,
		NativeHistogramMaxBucketNumber: 20,
	})
}
