package collector

import (
	"cmp"
	"iter"
	"slices"

	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/internal/state"
)

// heading is what all series of a metric family have in common.
type heading struct {
	name, help string
	kind       dto.MetricType
	labels     []string // beside those of the subject
}

// subject is a target with the labels that identify it.
type subject struct {
	*state.Target
	labels []*dto.LabelPair
}

// page makes families, one after the other in the same memory: ten thousand
// targets have 70 MB of series, and 15 MB are enough for one family.
type page struct {
	slots   []*slot
	metrics []*dto.Metric // those of slots
	used    int
	pairs   map[label]*dto.LabelPair // each once, however many series have it
}

type label struct{ name, value string }

// slot is a series with one value.
type slot struct {
	metric  dto.Metric
	gauge   dto.Gauge
	counter dto.Counter
	value   float64
	labels  [7]*dto.LabelPair
}

func newPage() *page { return &page{pairs: map[label]*dto.LabelPair{}} }

// each yields the families that there is a series of; each is valid until the next.
func (p *page) each(table []family, subjects []subject) iter.Seq[*dto.MetricFamily] {
	return func(yield func(*dto.MetricFamily) bool) {
		for i := range table {
			f := &table[i]
			p.used = 0
			to := &series{heading: &f.heading, page: p}
			for _, s := range subjects {
				to.subject = s.labels
				f.each(s.Target, to)
			}
			if p.used > 0 && !yield(f.with(p.metrics[:p.used])) {
				return
			}
		}
	}
}

func (h *heading) with(metrics []*dto.Metric) *dto.MetricFamily {
	return &dto.MetricFamily{Name: &h.name, Help: &h.help, Type: &h.kind, Metric: metrics}
}

// next returns a slot that is not in use.
func (p *page) next() *slot {
	if p.used == len(p.slots) {
		more := make([]slot, min(max(len(p.slots), 4), 1024)) // beside those there are, which stay where they are
		for i := range more {
			s := &more[i]
			s.gauge.Value, s.counter.Value = &s.value, &s.value
			p.slots, p.metrics = append(p.slots, s), append(p.metrics, &s.metric)
		}
	}
	p.used++
	return p.slots[p.used-1]
}

// pair returns the label as it is encoded.
func (p *page) pair(name, value string) *dto.LabelPair {
	pair, known := p.pairs[label{name, value}]
	if !known {
		pair = newPair(name, value)
		p.pairs[label{name, value}] = pair
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

// subjects returns targets with institution, kind and name as labels.
func (p *page) subjects(targets []*state.Target) []subject {
	subjects := make([]subject, len(targets))
	for i, t := range targets {
		subjects[i] = subject{t, []*dto.LabelPair{
			p.pair("institution", t.Institution), p.pair("kind", t.Kind), newPair("target", t.Name),
		}}
	}
	return subjects
}

// series takes the series of a family.
type series struct {
	*heading
	page    *page
	subject []*dto.LabelPair // sorted by name
	order   []int            // in which the labels of a series stand; nil until the first that has some of its own
}

// send adds a series of the subject, with a value for each of heading.labels.
func (s *series) send(value float64, labels ...string) {
	to := s.page.next()
	to.value = value
	to.metric.Gauge, to.metric.Counter = nil, nil
	if s.kind == dto.MetricType_COUNTER {
		to.metric.Counter = &to.counter
	} else {
		to.metric.Gauge = &to.gauge
	}
	to.metric.Label = s.subject
	if len(labels) > 0 {
		to.metric.Label = s.sorted(to.labels[:0], labels)
	}
}

// sorted appends the subject's labels and those with values, in the order of their names.
func (s *series) sorted(to []*dto.LabelPair, values []string) []*dto.LabelPair {
	if s.order == nil {
		s.order = s.sort()
	}
	for _, i := range s.order {
		if i < len(s.subject) {
			to = append(to, s.subject[i])
			continue
		}
		i -= len(s.subject)
		to = append(to, s.page.pair(s.labels[i], values[i]))
	}
	return to
}

func (s *series) sort() []int {
	names := make([]string, 0, len(s.subject)+len(s.labels))
	for _, pair := range s.subject {
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
