package bench

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var (
	hosts    = flag.Int("hosts", 100, "gateways of BenchmarkTenThousandTargets; with one in ten hanging, at least ten")
	apis     = flag.Int("apis", 100, "APIs of each of them")
	interval = flag.Duration("interval", 30*time.Second, "how often each is probed")
	duration = flag.Duration("for", 2*time.Minute, "how long each half of BenchmarkTenThousandTargets lasts")
)

// BenchmarkTenThousandTargets lets one exporter on two processors probe 10,000 targets every 30 s, each over a new HTTPS
// connection and with a key file of its own, and scrapes it every 15 s: first while all hosts answer, then while one in
// ten hangs. The gateways are in this process, on the same machine.
func BenchmarkTenThousandTargets(b *testing.B) {
	binary := build(b)
	for b.Loop() {
		e := newExperiment(b, binary)
		e.p.await(b, "/-/ready")
		b.ReportMetric(float64(time.Since(e.p.started)), "ready-ns")
		time.Sleep(*interval + *interval/100)
		b.ReportMetric(float64(*hosts**apis)-e.p.scrape(b).ran(), "without-a-run-after-one-interval")

		calm := e.watch(b)
		b.ReportMetric(1e9*calm.lags().quantile(0.5), "lag-p50-ns")
		b.ReportMetric(1e9*calm.lags().quantile(0.99), "lag-p99-ns")
		b.ReportMetric(calm.skipped(), "skipped")
		b.ReportMetric(float64(calm.resident), "resident-bytes")
		b.ReportMetric(float64(calm.processor)/calm.runs(anyInstitution), "probe-ns")

		hanging := *hosts / 10
		e.hanging.Store(int64(hanging))
		time.Sleep(*interval)
		e.reportHanging(b, e.watch(b), hanging)
	}
	b.ReportMetric(0, "ns/op")
}

// reportHanging tells how the others fared. Each run of a host that hangs waits for a slot of that host: so as many of
// the latest runs as these hosts had are left out of the lag.
func (e *experiment) reportHanging(b *testing.B, w watched, hanging int) {
	b.Helper()
	theirs := w.runs(func(institution int) bool { return institution < hanging })
	others := w.lags().withoutLatest(theirs)
	due := float64((*hosts-hanging)**apis) * w.duration.Seconds() / interval.Seconds()
	b.ReportMetric(1e9*others.quantile(0.99), "hanging-lag-p99-ns")
	b.ReportMetric(100*(w.runs(anyInstitution)-theirs)/due, "hanging-others-run-%")
	b.ReportMetric(w.skipped(), "hanging-skipped")
}

// experiment is an exporter and the gateways that it probes.
type experiment struct {
	p       *program
	hanging atomic.Int64 // the first so many gateways never answer
}

func newExperiment(b *testing.B, binary string) *experiment {
	b.Helper()
	e, dir := &experiment{}, b.TempDir()
	certificate, err := newCertificate(filepath.Join(dir, "ca.pem"))
	if err != nil {
		b.Fatal(err)
	}
	urls := make([]string, *hosts)
	for host := range urls {
		server := newGateway(certificate, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if int64(host) < e.hanging.Load() {
				<-r.Context().Done()
				return
			}
			answer(w, r)
		}))
		b.Cleanup(server.Close)
		urls[host] = server.URL
	}
	e.p = start(b, binary, dir, configuration(b, dir, urls), 2)
	return e
}

// configuration allows more runs at once than the built-in 64, which ten hosts that hang would fill with eight each; and
// its timeout is shorter than the built-in one, so that hosts that hang take as many slots as they can.
func configuration(b *testing.B, dir string, urls []string) string {
	b.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "defaults:\n  interval: %s\n  timeout: %s\n  max_concurrent: 256\n  tls: {ca_file: ca.pem}\napis:\n",
		*interval, min(*interval, 10*time.Second))
	for api := range *apis {
		fmt.Fprintf(&text, "  api-%d: {request: {path: /%d/}, unauthenticated: false}\n", api, api)
	}
	text.WriteString("institutions:\n")
	for host, url := range urls {
		fmt.Fprintf(&text, "  %s%d:\n    gateway: %s\n    apis:\n", institutionPrefix, host, url)
		for api := range *apis {
			key := fmt.Sprintf("key-%d-%d", host, api)
			fmt.Fprintf(&text, "      api-%d: {key_file: %s}\n", api, key)
			err := os.WriteFile(filepath.Join(dir, key), []byte(exampleKey+"\n"), 0o600)
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	return text.String()
}

// watched is what happened between two scrapes.
type watched struct {
	first, last scraped
	duration    time.Duration
	resident    int64         // bytes of memory, the most that was seen
	processor   time.Duration // CPU time of the exporter
}

// watch scrapes every 15 s, or twice an interval.
func (e *experiment) watch(b *testing.B) (w watched) {
	b.Helper()
	w.first = e.p.scrape(b)
	started, used := time.Now(), cpuTime(b, e.p.pid)
	for w.duration < *duration {
		time.Sleep(*interval / 2)
		w.last = e.p.scrape(b)
		w.duration = time.Since(started)
		w.resident = max(w.resident, resident(b, e.p.pid))
	}
	w.processor = cpuTime(b, e.p.pid) - used
	return w
}

// resident returns the bytes of memory that a process has.
func resident(b *testing.B, pid int) int64 {
	b.Helper()
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		b.Fatal(err)
	}
	var size, pages int64
	_, err = fmt.Sscan(string(statm), &size, &pages)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
