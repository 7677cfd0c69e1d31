// Package collector turns what is remembered into metrics. It is the only
// place that knows their names.
package collector

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// Collector sends one coherent row per target, taken from the last run; what
// that run did not observe is not sent. It implements prometheus.Collector.
type Collector struct {
	store     *state.Store
	durations *prometheus.HistogramVec
}

// Upper bounds of the classic buckets, in seconds.
func durationBuckets() []float64 {
	return []float64{.025, .05, .1, .25, .5, 1, 2, 3, 5, 10, 15, 30}
}

const (
	nativeFactor     = 1.1
	nativeMaxBuckets = 20 // 4 to 5 KB a series; without a limit it is 7 to 17
)

// New returns a collector of what store remembers.
func New(store *state.Store) *Collector {
	return &Collector{
		store: store,
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                           "integra_probe_duration_seconds",
			Help:                           "How long probes took.",
			Buckets:                        durationBuckets(),
			NativeHistogramBucketFactor:    nativeFactor,
			NativeHistogramMaxBucketNumber: nativeMaxBuckets,
		}, identityLabels()),
	}
}

// Observe adds a run to the target's histogram.
func (c *Collector) Observe(target probe.Target, result probe.Result) {
	if target.Kind == probe.KindKey {
		return
	}
	c.durations.WithLabelValues(identity(target)...).Observe(result.Duration.Seconds())
}

// Forget drops the histogram of a target that is gone.
func (c *Collector) Forget(target probe.Target) {
	c.durations.DeleteLabelValues(identity(target)...)
}

// Describe implements prometheus.Collector.
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	c.durations.Describe(descs)
	for _, f := range families {
		descs <- f.desc
	}
	for _, f := range institutionFamilies {
		descs <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	for _, target := range c.store.Snapshot() {
		labels := identity(target.Target)
		for _, f := range families {
			f.each(&target, func(value float64, extra ...string) {
				metrics <- prometheus.MustNewConstMetric(f.desc, f.valueType, value, append(labels, extra...)...)
			})
		}
		if target.Kind != probe.KindKey { // which takes no time
			metrics <- c.durations.WithLabelValues(labels...).(prometheus.Metric)
		}
	}
	c.collectInstitutions(metrics)
}

func identityLabels() []string { return []string{"institution", "kind", "target"} }

// identity returns the values of identityLabels, with no room behind them that appends could share.
func identity(t probe.Target) []string {
	return []string{t.Institution, t.Kind, t.Name}[:3:3]
}
