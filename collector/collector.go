// Package collector turns what is remembered into metrics. It is the only
// place that knows their names.
package collector

import (
	"iter"
	"sync"

	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// Collector sends one coherent row per target, taken from the last run; what
// that run did not observe is not sent. Safe for concurrent use.
type Collector struct {
	store     *state.Store
	none      *histogram // of a target that has not run yet, and so has not begun
	mu        sync.RWMutex
	durations map[probe.Target]*histogram
}

// New returns a collector of what store remembers.
func New(store *state.Store) *Collector {
	return &Collector{store: store, none: &histogram{schema: finestSchema}, durations: map[probe.Target]*histogram{}}
}

// Observe adds a run to the target's histogram.
func (c *Collector) Observe(target probe.Target, result probe.Result) {
	if target.Kind == probe.KindKey { // which takes no time
		return
	}
	h, known := c.histogram(target)
	if !known {
		h = c.begin(target)
	}
	h.observe(result.Duration.Seconds())
}

// histogram returns an empty one for a target without: a scrape leaves nothing of a target that is gone meanwhile.
func (c *Collector) histogram(target probe.Target) (h *histogram, known bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	h, known = c.durations[target]
	if !known {
		h = c.none
	}
	return h, known
}

func (c *Collector) begin(target probe.Target) *histogram {
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
		p := newPage()
		subjects := p.subjects(c.store.Rows())
		durations := c.durationMetrics(subjects) // first, so that they count the runs of the rows
		if len(durations) > 0 && !yield(durationHeading().with(durations)) {
			return
		}
		for family := range p.each(families, subjects) {
			if !yield(family) {
				return
			}
		}
		for family := range p.institutions(c.store.Institutions()) {
			if !yield(family) {
				return
			}
		}
	}
}

func durationHeading() *heading {
	return &heading{name: "integra_probe_duration_seconds", help: "How long probes took.", kind: dto.MetricType_HISTOGRAM}
}

func (c *Collector) durationMetrics(subjects []subject) []*dto.Metric {
	var metrics []*dto.Metric
	for _, s := range subjects {
		if s.Kind == probe.KindKey {
			continue
		}
		h, _ := c.histogram(s.Target.Target)
		slot := new(histogramSlot)
		slot.set(h)
		slot.metric.Label = s.labels
		metrics = append(metrics, &slot.metric)
	}
	return metrics
}
