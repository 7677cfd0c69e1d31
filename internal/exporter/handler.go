package exporter

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

// HandlerOptions are what the flags say of the endpoints.
type HandlerOptions struct {
	TelemetryPath string
	Lifecycle     bool // POST /-/reload is allowed
	Pprof         bool
}

// Handler returns the handler of all endpoints. It may be called once.
func (e *Exporter) Handler(o HandlerOptions) http.Handler {
	registry := prometheus.NewRegistry()
	e.own.Register(registry)
	options := web.Options{
		TelemetryPath: o.TelemetryPath,
		Metrics:       collector.Handler(registry, e.metrics),
		Targets:       e.store.Snapshot,
		Target:        e.store.Target,
		History:       e.store.History,
		Institutions:  e.store.Institutions,
		Configured:    func(target probe.Target) view.Configuration { return describe(e.inForce.Load().Config, target) },
		Health:        e.health,
		Ready:         func() bool { return e.inForce.Load() != nil },
		Probing: web.Probing{
			Run: e.scheduler.Ask, Unknown: schedule.ErrUnknownTarget,
			Metrics: func(row state.Target) http.Handler { return collector.ProbeHandler(collector.NewProbe(row)) },
		},
		Pprof: o.Pprof,
	}
	if o.Lifecycle {
		options.Reload = e.Reload
	}
	return web.Handler(options)
}

func (e *Exporter) health() web.Health {
	h := web.Health{Version: programVersion(), Started: e.started, InFlight: e.scheduler.InFlight(), Skipped: map[string]uint64{}}
	for cause, n := range e.skips {
		h.Skipped[string(cause)] = n.Load()
	}
	loaded, rejected := e.inForce.Load(), e.rejected.Load()
	if loaded != nil {
		h.Loaded = loaded.at
	}
	if rejected != nil {
		h.Rejected = *rejected
	}
	return h
}
