package main

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/version"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// exporter wires the rooms together: a configuration in, checks on time, results remembered and shown.
type exporter struct {
	log       *slog.Logger
	path      string // of the configuration
	shared    *probe.Shared
	store     *state.Store
	metrics   *collector.Collector
	own       *collector.Exporter
	scheduler *schedule.Scheduler

	loading sync.Mutex
	loaded  atomic.Bool
}

func newExporter(log *slog.Logger, path, seed string) *exporter {
	e := &exporter{log: log, path: path, shared: newShared(), store: state.New()}
	e.metrics = collector.New(e.store)
	e.scheduler = schedule.New(schedule.Options{
		Seed:     seed,
		Report:   e.report,
		Skipped:  func(_ probe.Target, cause schedule.Cause) { e.own.Skipped(string(cause)) },
		Panicked: e.panicked,
	})
	var causes []string
	for _, cause := range schedule.Causes() {
		causes = append(causes, string(cause))
	}
	e.own = collector.NewExporter(causes, e.scheduler.InFlight)
	return e
}

func newShared() *probe.Shared {
	shared := probe.NewShared()
	shared.UserAgent = program + "/" + cmp.Or(version.Version, "dev")
	return shared
}

// register hands all metrics to r.
func (e *exporter) register(r prometheus.Registerer) {
	e.own.Register(r)
	r.MustRegister(e.metrics)
}

// load reads the configuration and makes it the present one. On an error nothing changes.
func (e *exporter) load() error {
	e.loading.Lock()
	defer e.loading.Unlock()
	loaded, err := config.Load(e.path, e.shared)
	if err != nil {
		e.own.LoadFailed()
		return err
	}
	for _, warning := range loaded.Warnings {
		e.log.Warn("configuration: "+warning.Message, "file", warning.File, "line", warning.Line)
	}
	checks := loaded.Checks()
	for _, gone := range e.store.Replace(checks) {
		e.metrics.Forget(gone)
	}
	changes := e.scheduler.Replace(checks, schedule.Caps{Total: loaded.MaxConcurrent, PerHost: loaded.MaxConcurrentPerHost})
	e.own.Loaded(checks)
	e.loaded.Store(true)
	e.log.Info("configuration loaded", "file", e.path, "targets", len(checks),
		"added", changes.Added, "changed", changes.Changed, "removed", changes.Removed)
	return nil
}

// report remembers a run, adds it to the histogram and logs a change.
func (e *exporter) report(target probe.Target, result probe.Result) {
	change, known := e.store.Report(target, result)
	if !known {
		return
	}
	e.metrics.Observe(target, result)
	e.own.Ran(result)
	e.logRun(target, result, change)
}

func (e *exporter) logRun(target probe.Target, result probe.Result, change state.Change) {
	level, message := slog.LevelDebug, "run"
	switch {
	case change.Changed() && result.Err != nil:
		level, message = slog.LevelWarn, "target fails"
	case change.Changed() && !change.First:
		level, message = slog.LevelInfo, "target is well again"
	}
	e.log.Log(context.Background(), level, message,
		"institution", target.Institution, "kind", target.Kind, "target", target.Name,
		"success", result.Err == nil, "reason", change.To.Reason, "layer", change.To.Layer,
		"detail", probe.DetailOf(result.Err), "duration", result.Duration, "transaction_id", result.TransactionID)
}

func (e *exporter) panicked(target probe.Target, at []string) {
	e.log.Error("probe panicked; its message is withheld, since it may quote an answer",
		"institution", target.Institution, "kind", target.Kind, "target", target.Name, "at", at)
}
