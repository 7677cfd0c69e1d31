package exporter

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
)

// stalled is a client that takes an answer's first byte and no more, until its connection is cut.
type stalled struct {
	*httptest.ResponseRecorder
	reached  func()
	deadline chan time.Time
}

func (s stalled) Write([]byte) (int, error) {
	s.reached()
	time.Sleep(time.Until(<-s.deadline))
	return 0, os.ErrDeadlineExceeded
}

func (s stalled) SetWriteDeadline(at time.Time) error {
	select {
	case s.deadline <- at:
	default:
	}
	return nil
}

type succeeding struct{}

func (succeeding) Probe(context.Context) (probe.Observation, error) { return probe.Observation{}, nil }

// Scrapes that nobody reads, more than may be answered at once, hold up neither another scrape nor a probe.
func TestStalledScrapes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(Options{Log: slog.New(slog.DiscardHandler)})
		defer e.scheduler.Close()
		target := probe.Target{Institution: "uio", Kind: probe.KindAPI, Name: "org"}
		checks := []probe.Check{{Target: target, Interval: 1e9, Timeout: 1e9, Prober: succeeding{}}}
		e.store.Replace(checks)
		e.scheduler.Replace(checks, schedule.Caps{Total: 1, PerHost: 1})
		pages := e.Handler(HandlerOptions{TelemetryPath: "/metrics"})
		var reached, all sync.WaitGroup
		for range 16 {
			reached.Add(1)
			client := stalled{httptest.NewRecorder(), sync.OnceFunc(reached.Done), make(chan time.Time, 1)}
			all.Go(func() {
				defer func() { _ = recover() }() // as http.Server does: the handler aborts where it cannot write
				pages.ServeHTTP(client, httptest.NewRequest("GET", "/metrics", nil))
			})
		}
		reached.Wait()
		for _, want := range []string{"1", "2", "3"} {
			_, err := e.scheduler.RunNow(t.Context(), target, schedule.OnDemand{})
			if err != nil {
				t.Fatal(err)
			}
			began, w := time.Now(), httptest.NewRecorder()
			pages.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
			if took := time.Since(began); w.Code != http.StatusOK || took > 2*time.Second ||
				!strings.Contains(w.Body.String(), `integra_probe_runs_total{institution="uio",kind="api",target="org"} `+want+"\n") {
				t.Errorf("%d after %s, want run %s:\n%s", w.Code, took, want, w.Body)
			}
		}
		all.Wait()
	})
}

// slow is a client that takes 40 KiB a second.
type slow struct {
	*httptest.ResponseRecorder
	cut *atomic.Int64
}

func (s slow) Write(p []byte) (int, error) {
	time.Sleep(time.Duration(len(p)) * time.Second / (40 << 10))
	return s.ResponseRecorder.Write(p)
}

func (s slow) SetWriteDeadline(time.Time) error {
	s.cut.Add(1)
	return nil
}

// Clients on slow lines are not cut off while others wait: they read.
func TestSlowReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := New(Options{Log: slog.New(slog.DiscardHandler)})
		defer e.scheduler.Close()
		var checks []probe.Check
		for i := range 400 {
			target := probe.Target{Institution: "uio", Kind: probe.KindAPI, Name: strings.Repeat("n", 100+i)}
			checks = append(checks, probe.Check{Target: target, Interval: time.Hour, Timeout: 1e9, Prober: succeeding{}})
		}
		e.store.Replace(checks)
		pages := e.Handler(HandlerOptions{TelemetryPath: "/metrics"})
		var all sync.WaitGroup
		var cut atomic.Int64
		for range 17 {
			all.Go(func() {
				client := slow{httptest.NewRecorder(), &cut}
				pages.ServeHTTP(client, httptest.NewRequest("GET", "/api/v1/targets", nil))
				if client.Code == http.StatusOK && client.Body.Len() < 100_000 {
					t.Errorf("only %d bytes: one piece would be enough", client.Body.Len())
				}
			})
		}
		all.Wait()
		if cut.Load() > 0 {
			t.Errorf("%d clients cut off", cut.Load())
		}
	})
}
