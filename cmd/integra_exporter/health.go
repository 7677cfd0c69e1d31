package main

import (
	"cmp"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/version"

	"github.com/integra-exporter/integra_exporter/internal/web"
)

// health says how the exporter itself fares.
func (e *exporter) health() web.Health {
	return web.Health{
		Version: cmp.Or(version.Version, "dev"), Started: e.started,
		Loaded: timeOf(&e.loaded), Rejected: timeOf(&e.rejected), InFlight: e.scheduler.InFlight(), Skipped: e.own.Skips(),
	}
}

// timeOf returns the zero time for nil.
func timeOf(p *atomic.Pointer[time.Time]) time.Time {
	at := p.Load()
	if at == nil {
		return time.Time{}
	}
	return *at
}
