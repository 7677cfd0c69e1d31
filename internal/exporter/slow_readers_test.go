package exporter

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
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
