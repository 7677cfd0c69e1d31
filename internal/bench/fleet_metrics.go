package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// scraped holds the few families of a scrape that are looked at here.
type scraped map[string]*dto.MetricFamily

const (
	lagFamily     = "integra_exporter_schedule_lag_seconds"
	skippedFamily = "integra_exporter_runs_skipped_total"
	runsFamily    = "integra_probe_runs_total"
)

// scrape asks as a Prometheus does that keeps native histograms. Decoding all
// would cost more than the exporter's part of it: only what is wanted is decoded.
func (s *ship) scrape(ctx context.Context) (scraped, error) {
	format := expfmt.NewFormat(expfmt.TypeProtoDelim)
	resp, err := s.get(ctx, http.MethodGet, "/metrics", string(format))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	found, err := decode(bufio.NewReaderSize(resp.Body, 1<<20), format)
	if err != nil {
		return nil, fmt.Errorf("a scrape was cut off: %w", err)
	}
	return found, nil
}

func decode(in *bufio.Reader, format expfmt.Format) (scraped, error) {
	found := scraped{}
	for {
		message, err := delimited(in)
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if !wanted(message) {
			continue
		}
		family := &dto.MetricFamily{}
		err = expfmt.NewDecoder(bytes.NewReader(message), format).Decode(family)
		if err != nil {
			return nil, err
		}
		found[family.GetName()] = family
	}
}

// delimited returns one message with its length before it.
func delimited(in *bufio.Reader) ([]byte, error) {
	size, err := binary.ReadUvarint(in)
	if err != nil {
		return nil, err
	}
	message := binary.AppendUvarint(nil, size)
	prefix := len(message)
	message = slices.Grow(message, int(size))[:prefix+int(size)]
	_, err = io.ReadFull(in, message[prefix:])
	return message, err
}

// wanted looks for the family's name, which comes first.
func wanted(message []byte) bool {
	head := message[:min(len(message), 64)]
	return slices.ContainsFunc([]string{lagFamily, skippedFamily, runsFamily}, func(name string) bool {
		return bytes.Contains(head, []byte(name))
	})
}

// total adds up a counter over the series of which a label's value passes.
func (s scraped) total(family, label string, passes func(string) bool) (sum float64) {
	for _, m := range s[family].GetMetric() {
		for _, pair := range m.GetLabel() {
			if pair.GetName() == label && passes(pair.GetValue()) {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func (s scraped) skipped() float64 {
	return s.total(skippedFamily, "cause", func(string) bool { return true })
}

// lags is how late runs began between two scrapes: by bucket, not cumulative.
type lags struct {
	bounds []float64
	counts []float64
}

func lagsBetween(before, after scraped) lags {
	old, now := before.lag(), after.lag()
	var l lags
	last := 0.0
	for i, b := range now.GetBucket() {
		upTo := float64(b.GetCumulativeCount() - old.GetBucket()[i].GetCumulativeCount())
		l.bounds = append(l.bounds, b.GetUpperBound())
		l.counts = append(l.counts, upTo-last)
		last = upTo
	}
	l.bounds = append(l.bounds, latest) // what is above the last bound has no bucket in protobuf
	l.counts = append(l.counts, float64(now.GetSampleCount()-old.GetSampleCount())-last)
	return l
}

// latest stands for the end of the last bucket, which has none.
const latest = 60

func (s scraped) lag() *dto.Histogram { return s[lagFamily].GetMetric()[0].GetHistogram() }

// without leaves out the n runs that began latest.
func (l lags) without(n float64) lags {
	rest := lags{l.bounds, slices.Clone(l.counts)}
	for i := len(rest.counts) - 1; i >= 0 && n > 0; i-- {
		taken := min(n, rest.counts[i])
		rest.counts[i] -= taken
		n -= taken
	}
	return rest
}

// quantile is as Prometheus computes it, within a bucket in proportion.
func (l lags) quantile(q float64) float64 {
	sum, low := 0.0, 0.0
	for _, n := range l.counts {
		sum += n
	}
	rank := q * sum
	for i, n := range l.counts {
		if rank <= n && n > 0 {
			return low + (l.bounds[i]-low)*rank/n
		}
		rank -= n
		low = l.bounds[i]
	}
	return low
}

// ofFirst passes the institutions of the first n hosts.
func ofFirst(n int) func(institution string) bool {
	return func(institution string) bool {
		_, number, _ := strings.Cut(institution, "-")
		i, err := strconv.Atoi(number)
		return err == nil && i < n
	}
}
