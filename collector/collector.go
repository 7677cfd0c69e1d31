// Package collector turns what is remembered into metrics. It is the only
// package that knows their names.
package collector

import (
	"iter"
	"sync"

	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// Collector sends one coherent row per target, taken from the last run. What
// that run did not observe is not sent. Safe for concurrent use.
type Collector struct {
	store     *state.Store
	empty     *histogram // of a target that has not run yet
	mu        sync.RWMutex
	durations map[probe.Target]*histogram
}

// New returns a collector of what store remembers.
func New(store *state.Store) *Collector {
	return &Collector{store: store, empty: &histogram{schema: finestSchema}, durations: map[probe.Target]*histogram{}}
}

// Observe adds a run to the target's histogram.
func (c *Collector) Observe(target probe.Target, result probe.Result) {
	if target.Kind == probe.KindKey { // looking at a file takes no time worth a histogram
		return
	}
	h, known := c.histogram(target)
	if !known {
		h = c.create(target)
	}
	h.observe(result.Duration.Seconds())
}

func (c *Collector) create(target probe.Target) *histogram {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, known := c.durations[target]
	if !known {
		h = newHistogram()
		c.durations[target] = h
	}
	return h
}

// Forget drops the histogram of a target that is gone.
func (c *Collector) Forget(target probe.Target) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.durations, target)
}

// Families implements Source.
func (c *Collector) Families() iter.Seq[*dto.MetricFamily] {
	return func(yield func(*dto.MetricFamily) bool) {
		b := newBuilder()
		targets := b.label(c.store.Rows())
		durations := c.durationMetrics(targets) // before any family is encoded, so that they count the runs of the rows
		if len(durations) > 0 && !yield(durationDesc().family(durations)) {
			return
		}
		for family := range b.families(families, targets) {
			if !yield(family) {
				return
			}
		}
		for family := range b.institutions(c.store.Institutions()) {
			if !yield(family) {
				return
			}
		}
	}
}

func durationDesc() *desc {
	return &desc{name: "integra_probe_duration_seconds", help: "How long probes took.", kind: dto.MetricType_HISTOGRAM}
}

func (c *Collector) durationMetrics(targets []labelledTarget) []*dto.Metric {
	var metrics []*dto.Metric
	for _, t := range targets {
		if t.Kind == probe.KindKey {
			continue
		}
		h, _ := c.histogram(t.Target.Target)
		sample := new(histogramSample)
		sample.set(h)
		sample.metric.Label = t.labels
		metrics = append(metrics, &sample.metric)
	}
	return metrics
}

// histogram returns an empty one for a target that has none, so that a scrape creates none for a target that is gone meanwhile.
func (c *Collector) histogram(target probe.Target) (h *histogram, known bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	h, known = c.durations[target]
	if !known {
		h = c.empty
	}
	return h, known
}
