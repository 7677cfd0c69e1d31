package soak

import (
	"fmt"
	"math"
	"net/http"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

type target struct{ institution, kind, name string }

// sample is one scrape.
type sample map[string]*dto.MetricFamily

func (w *world) scrape(t *testing.T) sample {
	t.Helper()
	response, err := http.Get(w.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("a scrape failed: %s, %v", response.Status, err)
	}
	return families
}

// of returns a target's counter, 0 if there is none; reason is empty where the metric has no such label.
func (s sample) of(metric string, of target, reason string) int {
	want := map[string]string{"institution": of.institution, "kind": of.kind, "target": of.name, "reason": reason}
	for _, m := range s[metric].GetMetric() {
		matches := true
		for _, pair := range m.GetLabel() {
			value, asked := want[pair.GetName()]
			matches = matches && (!asked || value == pair.GetValue())
		}
		if matches {
			return int(m.GetCounter().GetValue())
		}
	}
	return 0
}

func (s sample) sum(metric string) (total int) {
	for _, m := range s[metric].GetMetric() {
		total += int(m.GetCounter().GetValue())
	}
	return total
}

// usage is the least that was seen of each in a quiet time: what runs just then comes on top.
type usage struct{ seen, goroutines, descriptors, memory, heap float64 }

func (u *usage) note(s sample) {
	if u.seen == 0 {
		*u = usage{0, math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1)}
	}
	u.seen++
	for metric, least := range map[string]*float64{
		"go_goroutines": &u.goroutines, "process_open_fds": &u.descriptors,
		"process_resident_memory_bytes": &u.memory, "go_memstats_heap_alloc_bytes": &u.heap,
	} {
		*least = min(*least, s[metric].GetMetric()[0].GetGauge().GetValue())
	}
}

func (u usage) String() string {
	return fmt.Sprintf("%.0f goroutines, %.0f descriptors, %.1f MiB resident, %.1f MiB of heap", u.goroutines, u.descriptors, u.memory/(1<<20), u.heap/(1<<20))
}

// growth is what may come on top: histories and the garbage collector's ease, but no leak of a minute.
const growth = 16 << 20

// over says what has grown since before.
func (u usage) over(before usage) (grown []string) {
	for _, row := range []struct {
		what                   string
		before, after, allowed float64
	}{
		{"goroutines", before.goroutines, u.goroutines, 0},
		{"descriptors", before.descriptors, u.descriptors, 0},
		{"bytes resident", before.memory, u.memory, growth},
		{"bytes of heap", before.heap, u.heap, growth},
	} {
		if row.after > row.before+row.allowed {
			grown = append(grown, fmt.Sprintf("%s have grown from %.0f to %.0f", row.what, row.before, row.after))
		}
	}
	return grown
}
