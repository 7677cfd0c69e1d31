package collector

import (
	"cmp"
	"iter"
	"slices"

	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/internal/state"
)

// desc is what all series of a metric family have in common.
type desc struct {
	name, help string
	kind       dto.MetricType
	labels     []string // beside those that identify the target
}

// labelledTarget is a target with the labels that identify it.
type labelledTarget struct {
	*state.Target
	labels []*dto.LabelPair
}

// builder makes families one after the other in the same memory: ten thousand
// targets have 70 MB of series, and 15 MB are enough for one family.
type builder struct {
	samples []*sample
	metrics []*dto.Metric // those of samples
	used    int
	pairs   map[label]*dto.LabelPair // each once, however many series have it
}

type label struct{ name, value string }

// sample is a series with one value.
type sample struct {
	metric  dto.Metric
	gauge   dto.Gauge
	counter dto.Counter
	value   float64
	labels  [7]*dto.LabelPair
}

func newBuilder() *builder { return &builder{pairs: map[label]*dto.LabelPair{}} }

// label gives targets the labels institution, kind and target.
func (b *builder) label(targets []*state.Target) []labelledTarget {
	labelled := make([]labelledTarget, len(targets))
	for i, t := range targets {
		labelled[i] = labelledTarget{t, []*dto.LabelPair{
			b.pair("institution", t.Institution), b.pair("kind", t.Kind), newPair("target", t.Name),
		}}
	}
	return labelled
}

// families yields the families of table that have a series; each is valid until the next.
func (b *builder) families(table []family, targets []labelledTarget) iter.Seq[*dto.MetricFamily] {
	return func(yield func(*dto.MetricFamily) bool) {
		for i := range table {
			f := &table[i]
			s := b.begin(&f.desc)
			for _, t := range targets {
				s.identity = t.labels
				f.collect(t.Target, s)
			}
			if b.used > 0 && !yield(f.family(b.metrics[:b.used])) {
				return
			}
		}
	}
}

func (d *desc) family(metrics []*dto.Metric) *dto.MetricFamily {
	return &dto.MetricFamily{Name: &d.name, Help: &d.help, Type: &d.kind, Metric: metrics}
}

// series takes the series of one family.
type series struct {
	*desc
	builder  *builder
	identity []*dto.LabelPair // the labels of the target or institution, sorted by name
	order    []int            // of the labels of a series; nil until the first that has some beside identity
}

// begin starts a family in the memory of the one before.
func (b *builder) begin(d *desc) *series {
	b.used = 0
	return &series{desc: d, builder: b}
}

// send adds a series with identity and a value for each of desc.labels.
func (s *series) send(value float64, labels ...string) {
	to := s.builder.next()
	to.value = value
	to.metric.Gauge, to.metric.Counter = nil, nil
	if s.kind == dto.MetricType_COUNTER {
		to.metric.Counter = &to.counter
	} else {
		to.metric.Gauge = &to.gauge
	}
	to.metric.Label = s.identity
	if len(labels) > 0 {
		to.metric.Label = s.sorted(to.labels[:0], labels)
	}
}

// sorted appends identity and the labels with values to a slice, in the order of their names.
func (s *series) sorted(to []*dto.LabelPair, values []string) []*dto.LabelPair {
	if s.order == nil {
		s.order = s.sort()
	}
	for _, i := range s.order {
		if i < len(s.identity) {
			to = append(to, s.identity[i])
			continue
		}
		i -= len(s.identity)
		to = append(to, s.builder.pair(s.labels[i], values[i]))
	}
	return to
}

func (s *series) sort() []int {
	names := make([]string, 0, len(s.identity)+len(s.labels))
	for _, pair := range s.identity {
		names = append(names, pair.GetName())
	}
	names = append(names, s.labels...)
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(names[a], names[b]) })
	return order
}

// next returns a sample that is not in use.
func (b *builder) next() *sample {
	if b.used == len(b.samples) {
		more := make([]sample, min(max(len(b.samples), 4), 1024)) // beside the existing ones, which do not move
		for i := range more {
			s := &more[i]
			s.gauge.Value, s.counter.Value = &s.value, &s.value
			b.samples, b.metrics = append(b.samples, s), append(b.metrics, &s.metric)
		}
	}
	b.used++
	return b.samples[b.used-1]
}

// pair returns the label as it is encoded.
func (b *builder) pair(name, value string) *dto.LabelPair {
	pair, known := b.pairs[label{name, value}]
	if !known {
		pair = newPair(name, value)
		b.pairs[label{name, value}] = pair
	}
	return pair
}

func newPair(name, value string) *dto.LabelPair {
	to := &struct {
		dto.LabelPair
		name, value string
	}{name: name, value: value}
	to.Name, to.Value = &to.name, &to.value
	return &to.LabelPair
}
