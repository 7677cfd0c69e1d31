package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const (
	lagFamily     = "integra_exporter_schedule_lag_seconds"
	skippedFamily = "integra_exporter_runs_skipped_total"
	runsFamily    = "integra_probe_runs_total"

	institutionPrefix = "institution-" // and a number
)

// scraped holds these families of a scrape: to parse all would cost more than the exporter's part of it.
type scraped map[string]*dto.MetricFamily

func (p *program) scrape(b *testing.B) scraped {
	b.Helper()
	answer, err := p.get(b.Context(), "/metrics")
	if err != nil {
		b.Fatal(err)
	}
	defer answer.Close()
	var text bytes.Buffer
	lines := bufio.NewScanner(answer)
	for lines.Scan() {
		line := lines.Bytes()
		if slices.ContainsFunc([]string{lagFamily, skippedFamily, runsFamily}, func(name string) bool {
			return bytes.HasPrefix(line, []byte(name)) || bytes.HasPrefix(line, []byte("# TYPE "+name))
		}) {
			text.Write(line)
			text.WriteByte('\n')
		}
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(&text)
	if err != nil || lines.Err() != nil || len(families) != 3 {
		b.Fatalf("%d families in a scrape: %v, %v", len(families), err, lines.Err())
	}
	return families
}

// ran returns the number of targets that have run.
func (s scraped) ran() (targets float64) {
	for _, metric := range s[runsFamily].GetMetric() {
		if metric.GetCounter().GetValue() > 0 {
			targets++
		}
	}
	return targets
}

// runs returns the number of runs in these institutions.
func (w watched) runs(of func(institution int) bool) float64 {
	return w.last.sum(runsFamily, of) - w.first.sum(runsFamily, of)
}

func (w watched) skipped() float64 {
	return w.last.sum(skippedFamily, anyInstitution) - w.first.sum(skippedFamily, anyInstitution)
}

func anyInstitution(int) bool { return true }

// sum adds up a counter over its series in these institutions; without the label it is institution 0.
func (s scraped) sum(family string, of func(institution int) bool) (sum float64) {
	for _, metric := range s[family].GetMetric() {
		institution := 0
		for _, label := range metric.GetLabel() {
			if label.GetName() == "institution" {
				_, _ = fmt.Sscan(strings.TrimPrefix(label.GetValue(), institutionPrefix), &institution)
			}
		}
		if of(institution) {
			sum += metric.GetCounter().GetValue()
		}
	}
	return sum
}

// lags is how late runs began, by bucket: its upper bound and the number of runs in it alone.
type lags struct{ bounds, counts []float64 }

func (w watched) lags() (l lags) {
	before, after := w.first[lagFamily].GetMetric()[0].GetHistogram(), w.last[lagFamily].GetMetric()[0].GetHistogram()
	below := 0.0
	for i, bucket := range after.GetBucket() {
		upTo := float64(bucket.GetCumulativeCount() - before.GetBucket()[i].GetCumulativeCount())
		l.bounds = append(l.bounds, bucket.GetUpperBound())
		l.counts = append(l.counts, upTo-below)
		below = upTo
	}
	return l
}

// withoutLatest leaves out the n runs that began latest.
func (l lags) withoutLatest(n float64) lags {
	rest := lags{l.bounds, slices.Clone(l.counts)}
	for i := len(rest.counts) - 1; i >= 0 && n > 0; i-- {
		taken := min(n, rest.counts[i])
		rest.counts[i] -= taken
		n -= taken
	}
	return rest
}

// quantile interpolates within a bucket and returns the highest finite bound for what lies above, as Prometheus does.
func (l lags) quantile(q float64) float64 {
	sum, low := 0.0, 0.0
	for _, n := range l.counts {
		sum += n
	}
	rank := q * sum
	for i, n := range l.counts {
		last := i == len(l.counts)-1 // the bucket up to +Inf
		if rank <= n && n > 0 && !last {
			return low + (l.bounds[i]-low)*rank/n
		}
		if !last {
			low = l.bounds[i]
		}
		rank -= n
	}
	return low
}
