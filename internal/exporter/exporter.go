// Package exporter is the running exporter: it reads the configuration, runs its checks, and serves what they found.
package exporter

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/version"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

// Exporter joins configuration, schedule, state and metrics.
type Exporter struct {
	log       *slog.Logger
	path      string // of the configuration
	shared    *probe.Shared
	store     *state.Store
	metrics   *collector.Collector
	own       *collector.Exporter
	scheduler *schedule.Scheduler
	keys      *Keys
	loops     reloadLoops
	started   time.Time
	hangups   <-chan os.Signal

	// reload admits one load at a time. It is held while files are read, so a run never takes it.
	reload sync.Mutex
	// swap makes a load atomic to runs: each is recorded in store and metrics as a whole, before it or after it. It is never
	// held over anything slow.
	swap sync.RWMutex

	inForce  atomic.Pointer[loadedConfig]
	rejected atomic.Pointer[time.Time] // when a configuration was rejected since inForce was loaded; nil: none was
}

// loadedConfig is the configuration in force; a nil pointer: none is.
type loadedConfig struct {
	*config.Config
	at time.Time
}

// Options say what an Exporter reads, and when it runs checks.
type Options struct {
	Log        *slog.Logger
	ConfigFile string
	Seed       string // exporters with different seeds run the same targets at different times
	OnDemand   bool   // only /probe runs targets; those of kind key, which it cannot run, keep their timers
	// Hangups are the SIGHUPs, each of which is a reload. They are caught before anything else is done, since one that is
	// not ends the process.
	Hangups <-chan os.Signal
}

// New returns an exporter that has loaded nothing yet.
func New(o Options) *Exporter {
	e := &Exporter{
		log: o.Log, path: o.ConfigFile, shared: NewShared(), store: state.New(), keys: NewKeys(o.Log),
		started: time.Now(), hangups: o.Hangups,
	}
	e.metrics = collector.New(e.store)
	e.scheduler = schedule.New(schedule.Options{
		Seed:         o.Seed,
		Report:       e.report,
		Skipped:      e.skipped,
		Panicked:     e.panicked,
		OnDemandOnly: func(target probe.Target) bool { return o.OnDemand && target.Kind != probe.KindKey },
	})
	var causes []string
	for _, cause := range schedule.SkipCauses() {
		causes = append(causes, string(cause))
	}
	e.own = collector.NewExporter(causes, e.scheduler.InFlight)
	return e
}

// Run runs the checks until ctx ends, and loads the configuration anew at every hangup.
func (e *Exporter) Run(ctx context.Context) {
	go e.reloadOnHangup(ctx)
	e.scheduler.Run(ctx)
	e.loops.close()
}

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
			Run: e.runOnDemand, Unknown: schedule.ErrUnknownTarget,
			Metrics: func(row state.Target) http.Handler { return collector.ProbeHandler(collector.NewProbe(row)) },
		},
		Pprof: o.Pprof,
	}
	if o.Lifecycle {
		options.Reload = e.Reload
	}
	return web.Handler(options)
}

// runOnDemand returns once target has a result for /probe, at most a moment after limit; zero is no limit.
func (e *Exporter) runOnDemand(ctx context.Context, target probe.Target, limit time.Duration) error {
	_, err := e.scheduler.RunNow(ctx, target, schedule.OnDemand{External: true, Limit: limit})
	return err
}

func (e *Exporter) health() web.Health {
	h := web.Health{Version: programVersion(), Started: e.started, InFlight: e.scheduler.InFlight(), Skipped: e.own.Skips()}
	loaded, rejected := e.inForce.Load(), e.rejected.Load()
	if loaded != nil {
		h.Loaded = loaded.at
	}
	if rejected != nil {
		h.Rejected = *rejected
	}
	return h
}

// report records a run, counts it and logs a change.
func (e *Exporter) report(target probe.Target, result probe.Result) {
	result.Err = RefineReason(result.Err, e.keys.Refresh(target, e.store.SetKeyInfo))
	change, known := e.record(target, result)
	if !known {
		return
	}
	e.own.Ran(result)
	e.logRun(target, result, change)
}

func (e *Exporter) record(target probe.Target, result probe.Result) (change state.Change, known bool) {
	e.swap.RLock()
	defer e.swap.RUnlock()
	change, known = e.store.Report(target, result)
	if known {
		e.metrics.Observe(target, result)
	}
	return change, known
}

func (e *Exporter) logRun(target probe.Target, result probe.Result, change state.Change) {
	level, message := slog.LevelDebug, "run"
	switch {
	case change.Changed() && result.Err != nil:
		level, message = slog.LevelWarn, "target fails"
	case change.Changed() && !change.First:
		level, message = slog.LevelInfo, "target recovered"
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

func (e *Exporter) skipped(_ probe.Target, cause schedule.SkipCause) {
	e.own.Skipped(string(cause))
}

func (e *Exporter) panicked(target probe.Target, at []string) {
	e.log.Error("probe panicked; its message is withheld, since it may quote an answer",
		"institution", target.Institution, "kind", target.Kind, "target", target.Name, "at", at)
}

// NewShared returns what all probes share, with the program's User-Agent.
func NewShared() *probe.Shared {
	shared := probe.NewShared()
	shared.UserAgent = "integra_exporter/" + programVersion()
	return shared
}

func programVersion() string { return cmp.Or(version.Version, "dev") }
