package main

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/version"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/gravitee"
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
	keys      *keyring
	watchers  watchers

	loading  sync.Mutex
	learning sync.Mutex   // what is found out last is what is remembered
	swapping sync.RWMutex // a run is remembered in store and metrics as a whole, before or after a reload
	// When the configuration in force was loaded, and when one was rejected since; nil: not at all.
	loaded, rejected atomic.Pointer[time.Time]
	inForce          atomic.Pointer[config.Config] // nil: none
	started          time.Time
}

func newExporter(log *slog.Logger, path string, when timing) *exporter {
	e := &exporter{log: log, path: path, shared: newShared(), store: state.New(), keys: newKeyring(log)}
	e.started = time.Now()
	e.metrics = collector.New(e.store)
	e.scheduler = schedule.New(schedule.Options{
		Seed:         when.seed,
		Report:       e.report,
		Skipped:      e.skipped,
		Panicked:     e.panicked,
		OnDemandOnly: when.untimed,
	})
	var causes []string
	for _, cause := range schedule.SkipCauses() {
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

// load reads the configuration and makes it the present one. On an error nothing changes.
func (e *exporter) load() error {
	e.loading.Lock()
	defer e.loading.Unlock()
	loaded, err := config.Load(e.path, e.shared)
	if err != nil {
		e.own.LoadFailed()
		now := time.Now()
		e.rejected.Store(&now)
		return err
	}
	for _, warning := range loaded.Warnings {
		e.log.Warn("configuration: "+warning.Message, "file", warning.File, "line", warning.Line)
	}
	checks := loaded.Checks()
	e.remember(loaded, checks)
	changes := e.scheduler.Replace(checks, schedule.Caps{Total: loaded.MaxConcurrent, PerHost: loaded.MaxConcurrentPerHost})
	e.own.Loaded(checks)
	e.watch(loaded)
	now := time.Now()
	e.loaded.Store(&now)
	e.inForce.Store(loaded)
	e.rejected.Store(nil)
	e.log.Info("configuration loaded", "file", e.path, "targets", len(checks),
		"added", changes.Added, "changed", changes.Changed, "removed", changes.Removed)
	return nil
}

// remember makes loaded what store and metrics are about. Files are read while runs are still reported.
func (e *exporter) remember(loaded *config.Config, checks []probe.Check) {
	institutions := institutionsOf(loaded)
	e.swap(loaded, checks, institutions)
	for _, api := range loaded.APIs() {
		e.learn(api.Target)
	}
}

func (e *exporter) swap(loaded *config.Config, checks []probe.Check, institutions []state.Institution) {
	e.swapping.Lock()
	defer e.swapping.Unlock()
	for _, gone := range e.store.Replace(checks) {
		e.metrics.Forget(gone)
	}
	e.store.SetInstitutions(institutions)
	e.keys.replace(loaded)
}

// report remembers a run, adds it to the histogram and logs a change.
func (e *exporter) report(target probe.Target, result probe.Result) {
	result.Err = better(result.Err, e.learn(target))
	change, known := e.record(target, result)
	if !known {
		return
	}
	e.own.Ran(result)
	e.logRun(target, result, change)
}

func (e *exporter) record(target probe.Target, result probe.Result) (change state.Change, known bool) {
	e.swapping.RLock()
	defer e.swapping.RUnlock()
	change, known = e.store.Report(target, result)
	if known {
		e.metrics.Observe(target, result)
	}
	return change, known
}

// learn remembers what is known of the key that target uses now, and returns
// what the API manager says of it.
func (e *exporter) learn(target probe.Target) gravitee.Match {
	e.learning.Lock()
	defer e.learning.Unlock()
	learned, match, used := e.keys.about(target)
	if used {
		e.store.SetKeyInfo(target, learned)
	}
	return match
}

func (e *exporter) logRun(target probe.Target, result probe.Result, change state.Change) {
	level, message := slog.LevelDebug, "run"
	switch {
	case change.Changed() && result.Err != nil:
		level, message = slog.LevelWarn, "target fails"
	case change.Changed() && !change.First:
		level, message = slog.LevelInfo, "target is well again"
	}
	attrs := []slog.Attr{
		slog.String("institution", target.Institution), slog.String("kind", target.Kind), slog.String("target", target.Name),
		slog.Bool("success", result.Err == nil), slog.String("reason", string(change.To.Reason)),
		slog.String("layer", string(change.To.Layer)), slog.String("detail", probe.DetailOf(result.Err)),
		slog.Duration("duration", result.Duration), slog.String("transaction_id", result.TransactionID),
	}
	attrs = slices.DeleteFunc(attrs, func(a slog.Attr) bool { return a.Value.String() == "" })
	e.log.LogAttrs(context.Background(), level, message, attrs...)
}

func (e *exporter) skipped(_ probe.Target, cause schedule.SkipCause) {
	e.own.Skipped(string(cause))
}

func (e *exporter) panicked(target probe.Target, at []string) {
	e.log.Error("probe panicked; its message is withheld, since it may quote an answer",
		"institution", target.Institution, "kind", target.Kind, "target", target.Name, "at", at)
}
