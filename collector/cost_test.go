package collector_test

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// costs are what one target may cost. The race detector allocates two more in a scrape. Each comment
// is the number measured when the limit was set.
var costs = []struct {
	what   string
	number int // of targets
	limit  float64
	of     func(w world, checks []probe.Check) float64
}{
	{"allocations of a scrape", 100, 17, scrapeAllocations},               // 14.2
	{"allocations of a scrape", 1000, 15, scrapeAllocations},              // 12.3
	{"bytes of a scrape", 100, 5000, scrapeBytes},                         // 4547
	{"bytes of a scrape", 1000, 4700, scrapeBytes},                        // 4230
	{"bytes of a compressed answer", 100, 8000, answerBytes},              // 6005; without the pool 18,000
	{"allocations of a run that is remembered", 100, 4.5, runAllocations}, // 4.0
}

func TestCost(t *testing.T) {
	worlds, grownChecks := map[int]world{}, map[int][]probe.Check{}
	for _, number := range []int{100, 1000} {
		worlds[number], grownChecks[number] = grown(number)
	}
	for _, c := range costs {
		w, checks := worlds[c.number], grownChecks[c.number]
		cost := c.of(w, checks) / float64(c.number)
		t.Logf("%s, %d targets: %.2f of %.2f", c.what, c.number, cost, c.limit)
		if cost > c.limit {
			t.Errorf("%s, of each of %d targets: %.2f, and the limit in cost_test.go is %.2f", c.what, c.number, cost, c.limit)
		}
	}
}

// grown is a world of APIs that have run for a while.
func grown(number int) (world, []probe.Check) {
	var checks []probe.Check
	for n := range number {
		checks = append(checks, check(fmt.Sprint("institution", n%40), fmt.Sprint("api", n)))
	}
	w := newWorld(checks...)
	for n, c := range checks {
		w.store.SetKeyInfo(c.Target, learned())
		for run := range 30 {
			result := accepted()
			result.Duration = time.Duration(50+(7919*n+104729*run)%200) * time.Millisecond
			w.report(c.Target, result)
		}
	}
	return w, checks
}

func scrape(w world) {
	for range w.metrics.Families() {
	}
}

func scrapeAllocations(w world, _ []probe.Check) float64 {
	return testing.AllocsPerRun(5, func() { scrape(w) })
}

func scrapeBytes(w world, _ []probe.Check) float64 { return bytesOf(func() { scrape(w) }) }

// bytesOf is the least that do allocates, once what it keeps is there: with the race detector a pool loses some of that.
func bytesOf(do func()) float64 {
	do()
	least := math.Inf(1)
	for range 10 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)
		least = min(least, float64(after.TotalAlloc-before.TotalAlloc))
	}
	return least
}

// answerBytes is a scrape as Prometheus asks for it.
func answerBytes(w world, _ []probe.Check) float64 {
	handler := collector.Handler(prometheus.NewRegistry(), w.metrics)
	r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	return bytesOf(func() { handler.ServeHTTP(nowhere{http.Header{}}, r) })
}

type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}

func runAllocations(w world, checks []probe.Check) float64 {
	result := accepted()
	return testing.AllocsPerRun(5, func() {
		for _, c := range checks {
			w.report(c.Target, result)
		}
	})
}
