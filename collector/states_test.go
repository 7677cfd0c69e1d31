package collector_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// anyWorld is one of very many.
func anyWorld(random *rand.Rand) world {
	kinds := []string{probe.KindAPI, probe.KindAuth, probe.KindRabbitMQ, probe.KindKey}
	var checks []probe.Check
	for n := range random.IntN(12) {
		c := check(fmt.Sprint("inst", n%3), fmt.Sprint("n", n))
		c.Kind, c.Contact, c.Title = kinds[random.IntN(len(kinds))], fmt.Sprint(random.IntN(2)), "line\nbreak \"quote\" Æ"
		checks = append(checks, c)
	}
	w := newWorld(checks...)
	results := []probe.Result{healthy(), refused(), limited(), unverified(), broker(), accepted(), ended()}
	for range random.IntN(60) * min(len(checks), 1) {
		c := checks[random.IntN(len(checks))]
		w.report(c.Target, results[random.IntN(len(results))])
		if random.IntN(4) == 0 {
			w.store.SetKeyInfo(c.Target, []state.KeyInfo{{}, {Used: true}, learned()}[random.IntN(3)])
		}
	}
	if random.IntN(2) == 0 {
		manageAll(w)
	}
	return w
}

// What nobody checks at run time any more holds of every state: a registry takes
// it, names, labels and all, and has nothing to put in order within a series.
func TestARegistryWouldTakeAnyState(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	for n := range 100 {
		w := anyWorld(random)
		var got []string
		for f := range w.metrics.Families() {
			onlyItsKind(t, f)
			got = append(got, sortedLines(text(t, []*dto.MetricFamily{f}))...)
		}
		slices.Sort(got)
		if diff := cmp.Diff(sortedLines(text(t, gather(t, w.metrics))), got); diff != "" {
			t.Fatalf("state %d (-a registry's +ours):\n%s", n, diff)
		}
	}
}

// onlyItsKind wants of each series one value, and not another that a slot had in another family.
func onlyItsKind(t *testing.T, f *dto.MetricFamily) {
	t.Helper()
	for _, m := range f.GetMetric() {
		has := map[dto.MetricType]bool{
			dto.MetricType_GAUGE: m.Gauge != nil, dto.MetricType_COUNTER: m.Counter != nil, dto.MetricType_HISTOGRAM: m.Histogram != nil,
		}
		for kind, there := range has {
			if there != (kind == f.GetType()) {
				t.Fatalf("%s is of type %s, and has a %s: %v", f.GetName(), f.GetType(), kind, there)
			}
		}
	}
}

// A configuration may name a queue twice, in queues and by subscribes_to.
func TestAQueueThatIsNamedTwice(t *testing.T) {
	twice := broker()
	twice.Queues = append(twice.Queues, twice.Queues...)
	w := newWorld(check("uio", "a"))
	w.report(check("uio", "a").Target, twice)
	if n := len(family(t, gather(t, w.metrics), "integra_rabbitmq_queue_consumers").GetMetric()); n != 2 {
		t.Errorf("%d series of 2 queues", n)
	}
}
