package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/common/promslog"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
)

// deaf takes an answer's first byte and no more, until heard is closed.
type deaf struct {
	*httptest.ResponseRecorder
	begun func()
	heard <-chan struct{}
}

func (d deaf) Write(p []byte) (int, error) {
	d.begun()
	<-d.heard
	return len(p), nil
}

type untroubled struct{}

func (untroubled) Probe(context.Context) (probe.Observation, error) { return probe.Observation{}, nil }

// Scrapes that nobody reads hold up neither another scrape nor a probe.
func TestDeafScrapes(t *testing.T) {
	noLeaks(t)
	e := newExporter(promslog.New(&promslog.Config{Writer: &stream{}}), "", timing{})
	defer e.scheduler.Close()
	target := probe.Target{Institution: "uio", Kind: probe.KindAPI, Name: "org"}
	checks := []probe.Check{{Target: target, Interval: 1e9, Timeout: 1e9, Prober: untroubled{}}}
	e.store.Replace(checks)
	e.scheduler.Replace(checks, schedule.Caps{Total: 1, PerHost: 1})
	metricsPath, off := "/metrics", false
	pages := handler(e, serveFlags{telemetryPath: &metricsPath, lifecycle: &off, pprof: &off})
	heard := make(chan struct{})
	var begun, all sync.WaitGroup
	for range 12 {
		begun.Add(1)
		once := sync.OnceFunc(begun.Done)
		all.Go(func() {
			pages.ServeHTTP(deaf{httptest.NewRecorder(), once, heard}, httptest.NewRequest("GET", "/metrics", nil))
		})
	}
	begun.Wait()
	for _, want := range []string{"1", "2", "3"} {
		_, err := e.scheduler.RunNow(t.Context(), target, schedule.OnDemand{})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), of("integra_probe_runs_total", "org")+" "+want+"\n") {
			t.Errorf("%d, want run %s:\n%s", w.Code, want, w.Body)
		}
	}
	close(heard)
	all.Wait()
}
