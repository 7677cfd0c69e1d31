package collector

import (
	dto "github.com/prometheus/client_model/go"
)

// histogramSlot is a histogram as it is encoded, and what it points to.
type histogramSlot struct {
	metric      dto.Metric
	histogram   dto.Histogram
	buckets     [len(durationBounds)]dto.Bucket
	list        [len(durationBounds)]*dto.Bucket
	cumulative  [len(durationBounds)]uint64
	count, zero uint64
	sum, narrow float64
	schema      int32
}

// zeroThreshold is where client_golang's zero bucket ends: durations are far above it, or 0.
const zeroThreshold = 0x1p-128

// set makes the slot say what h holds now.
func (s *histogramSlot) set(h *histogram) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.count, s.zero, s.sum, s.schema, s.narrow = 0, h.zero, h.sum, int32(h.schema), zeroThreshold
	for i := range s.buckets {
		s.count += h.classic[i]
		s.cumulative[i] = s.count
		s.buckets[i].CumulativeCount, s.buckets[i].UpperBound = &s.cumulative[i], &durationBounds[i]
		s.list[i] = &s.buckets[i]
	}
	s.count += h.classic[len(s.buckets)]
	to := &s.histogram
	to.SampleCount, to.SampleSum, to.Bucket, to.CreatedTimestamp = &s.count, &s.sum, s.list[:], h.created
	to.Schema, to.ZeroThreshold, to.ZeroCount = &s.schema, &s.narrow, &s.zero
	to.PositiveSpan, to.PositiveDelta = spans(h.native)
	s.metric.Histogram = to
}

// spans returns buckets as the protocol has them: runs of neighbours, and each
// count as the difference from the one before. Gaps of one or two are filled.
func spans(buckets []nativeBucket) (runs []*dto.BucketSpan, deltas []int64) {
	deltas = make([]int64, 0, len(buckets)+4)
	before, next := int64(0), 0
	add := func(count int64) {
		*runs[len(runs)-1].Length++
		deltas = append(deltas, count-before)
		before = count
		next++
	}
	for i, b := range buckets {
		gap := b.key - next
		if i == 0 || gap > 2 {
			runs = append(runs, &dto.BucketSpan{Offset: new(int32(gap)), Length: new(uint32)})
			next = b.key
		}
		for next < b.key {
			add(0)
		}
		add(b.count)
	}
	return runs, deltas
}
