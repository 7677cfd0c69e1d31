package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// busy is a gateway that counts how many requests it has to answer at once.
type busy struct {
	mu        sync.Mutex
	now, most int
	requests  int
}

func (b *busy) count(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now += n
	b.requests += max(n, 0)
	b.most = max(b.most, b.now)
}

func (b *busy) seen() (most, requests int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.most, b.requests
}

// gateway answers each request after a while, or when the client has gone.
func (b *busy) gateway(t *testing.T, after time.Duration) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.count(1)
		defer b.count(-1)
		select {
		case <-time.After(after):
		case <-r.Context().Done():
		}
		_, _ = w.Write([]byte("[]"))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// asked writes a configuration of n APIs at gateway which nothing but /probe will run, with a negative test of the first.
func asked(t *testing.T, gateway string, n int) (config string, apis []string) {
	t.Helper()
	for i := range n {
		apis = append(apis, fmt.Sprintf("a%03d", i))
	}
	config = configure(t, t.TempDir(), gateway, apis...)
	replaceInFile(t, config, "{interval: 1s, timeout: 1s}", "{interval: 1h, timeout: 15s, max_concurrent_per_host: 8}")
	return config, apis
}

// scraped is what a scrape of /probe was answered.
type scraped struct {
	status int
	body   string
	took   time.Duration
}

// scrapeAll scrapes the APIs of uio at once, as Prometheus would, and returns the answers in their order.
func (s *served) scrapeAll(t *testing.T, timeout time.Duration, apis ...string) []scraped {
	t.Helper()
	answers := make([]scraped, len(apis))
	var all sync.WaitGroup
	for i, api := range apis {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.address+probeOf(api), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", fmt.Sprint(timeout.Seconds()))
		all.Go(func() {
			start := time.Now()
			answers[i].status, answers[i].body = send(t, r)
			answers[i].took = time.Since(start)
		})
	}
	all.Wait()
	return answers
}

func probeOf(api string) string { return "/probe?institution=uio&kind=api&target=" + api }

// tally counts answers by status, and holds each against the timeout.
func tally(t *testing.T, answers []scraped, timeout time.Duration) map[int]int {
	t.Helper()
	counts := map[int]int{}
	for _, a := range answers {
		counts[a.status]++
		if a.took > timeout+5*time.Second { // a hang, on the busiest of machines
			t.Errorf("%d after %v, later than the scrape's timeout of %v", a.status, a.took, timeout)
		}
		if a.status == 503 && !strings.HasPrefix(a.body, "no result: no slot became free in time") {
			t.Errorf("503 says %q", a.body)
		}
	}
	return counts
}

func TestProbeUnderLoad(t *testing.T) {
	for name, c := range map[string]struct {
		answer  time.Duration // of the gateway
		timeout time.Duration // of the scrape
		limit   string        // of the check
		scrapes int
		one     bool // all ask for the same target
		least   int  // answers with a result; all others are 503
		exactly bool
		most    int
		success string
	}{
		"one target":        {300 * time.Millisecond, 20 * time.Second, "15s", 200, true, 200, true, 1, "1"},
		"one hangs":         {time.Hour, 20 * time.Second, "2s", 200, true, 200, true, 1, "0"},
		"one hangs longer":  {time.Hour, 3 * time.Second, "15s", 5, true, 5, true, 1, "0"},
		"many targets":      {20 * time.Millisecond, 20 * time.Second, "15s", 200, false, 20, false, 4, "1"},
		"many targets hang": {time.Hour, 5 * time.Second, "15s", 200, false, 4, true, 4, "0"},
	} {
		t.Run(name, func(t *testing.T) {
			gateway := &busy{}
			config, apis := asked(t, gateway.gateway(t, c.answer), c.scrapes)
			replaceInFile(t, config, "timeout: 15s", "timeout: "+c.limit)
			s := start(t, "--config.file="+config, "--no-schedule")
			if c.one {
				apis = slices.Repeat(apis[:1], c.scrapes)
			}
			answers := s.scrapeAll(t, c.timeout, apis...)
			counts := tally(t, answers, c.timeout)
			if n := counts[200]; n+counts[503] != c.scrapes || n < c.least || c.exactly && n > c.least {
				t.Errorf("answers by status: %v, want %d of 200", counts, c.least)
			}
			for _, a := range answers {
				if a.status == 200 && !strings.Contains(a.body, "\nprobe_success "+c.success+"\n") {
					t.Fatalf("want probe_success %s:\n%s", c.success, a.body)
				}
			}
			most, _ := gateway.seen()
			if most > c.most || most == 0 {
				t.Errorf("the gateway had %d requests at once, want %d", most, c.most)
			}
		})
	}
}

func TestProbeIsRememberedAndCounted(t *testing.T) {
	gateway := &busy{}
	config, _ := asked(t, gateway.gateway(t, 0), 2)
	s := start(t, "--config.file="+config, "--no-schedule")
	runs := of("integra_probe_runs_total", "a000")
	if before := s.metrics(t); before[runs] != 0 || len(before.family("integra_probe_success")) != 0 {
		t.Errorf("before the first scrape: %v runs, success %v", before[runs], before.family("integra_probe_success"))
	}
	body := s.scrapeAll(t, 10*time.Second, "a000")[0].body
	for _, line := range []string{"probe_success 1", "probe_timeout_seconds 9.5", "probe_http_status_code 200", "probe_http_version 1.1", "probe_ip_protocol 4", "integra_probe_success 1"} {
		if !strings.Contains("\n"+body, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, body)
		}
	}
	for _, sign := range []string{"institution=", "kind=", "target=", "a001", "go_", "integra_probe_runs_total"} {
		if strings.Contains(body, sign) {
			t.Errorf("the answer holds %s:\n%s", sign, body)
		}
	}
	again := s.scrapeAll(t, 10*time.Second, "a000")[0].body // younger than a second
	_, requests := gateway.seen()
	if again != body || requests != 1 {
		t.Errorf("%d requests for two scrapes at once:\n%s", requests, cmp.Diff(body, again))
	}
	after := s.metrics(t)
	if after[runs] != 1 || after[of("integra_probe_success", "a000")] != 1 || after[of("integra_probe_duration_seconds_count", "a000")] != 1 {
		t.Errorf("/metrics after one run: %v runs", after[runs])
	}
}

// What the API manager says of a rejected key is in the answer of /probe too.
func TestProbeSaysWhyAKeyIsRejected(t *testing.T) {
	testkit.NoLeaks(t)
	uio := manage(t, demo.Options{}, "", "")
	s := start(t, "--config.file="+uio.config, "--no-schedule")
	testkit.Eventually(t, "a reading of the API manager, which goes on", func() bool { return s.metrics(t)[managerRead] == 1 })
	uio.Revoke("uio", "stillinger")
	testkit.Eventually(t, "the revocation", func() bool {
		_, body := s.request(t, "GET", probeOf("stillinger"))
		return strings.Contains(body, `probe_failure_info{layer="key",reason="key_revoked"} 1`)
	})
	_, debug := s.request(t, "GET", probeOf("stillinger")+"&debug=true")
	if !strings.Contains(debug, "failed: key_revoked, layer key") {
		t.Errorf("debug says otherwise:\n%s", debug)
	}
}

// Credentials have no /probe: they are looked at without being asked for.
func TestNoScheduleLooksAtCredentials(t *testing.T) {
	uio := manage(t, demo.Options{}, "", "{name: maskinporten, expires: 2030-01-15, interval: 1s}")
	s := start(t, "--config.file="+uio.config, "--no-schedule")
	runs := `integra_probe_runs_total{institution="uio",kind="key",target="maskinporten"}`
	testkit.Eventually(t, "two looks", func() bool { return s.metrics(t)[runs] > 1 })
	if n := s.metrics(t)[of("integra_probe_runs_total", "stillinger")]; n != 0 {
		t.Errorf("%v runs that nobody asked for", n)
	}
	status, body := s.request(t, "GET", "/probe?institution=uio&kind=key&target=maskinporten")
	if status != 400 {
		t.Errorf("%d %s", status, body)
	}
	_, found := s.request(t, "GET", "/sd")
	if strings.Count(found, `"targets":["`+s.address+`"]`) != 1 || strings.Contains(found, "maskinporten") {
		t.Errorf("/sd: %s", found)
	}
}
