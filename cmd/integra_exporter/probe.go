package main

import (
	"context"
	"net/http"
	"time"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

// timing says when targets run.
type timing struct {
	seed      string // exporters with different seeds run them at different times
	onRequest bool   // there are no timers, but for what /probe cannot run
}

func (t timing) untimed(target probe.Target) bool { return t.onRequest && target.Kind != probe.KindKey }

func (e *exporter) probing() web.Probing {
	run := func(ctx context.Context, target probe.Target, limit time.Duration) error {
		_, err := e.scheduler.RunNow(ctx, target, schedule.OnDemand{External: true, Limit: limit})
		return err
	}
	return web.Probing{Run: run, Unknown: schedule.ErrUnknownTarget, Metrics: probeMetrics}
}

func probeMetrics(row state.Target) http.Handler {
	return collector.ProbeHandler(collector.NewProbe(row))
}
