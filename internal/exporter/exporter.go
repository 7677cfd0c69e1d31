// Package exporter is the running exporter: it reads the configuration, runs its checks, and serves what they found.
package exporter

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/common/version"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
	"github.com/integra-exporter/integra_exporter/internal/state"
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
	skips     map[schedule.SkipCause]*atomic.Uint64

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
}

// New returns an exporter that has loaded nothing yet.
func New(o Options) *Exporter {
	e := &Exporter{
		log: o.Log, path: o.ConfigFile, shared: NewShared(), store: state.New(), keys: NewKeys(o.Log),
		started: time.Now(), skips: map[schedule.SkipCause]*atomic.Uint64{},
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
		e.skips[cause] = new(atomic.Uint64)
	}
	e.own = collector.NewExporter(causes, e.scheduler.InFlight)
	return e
}

// Run runs the checks until ctx ends, and loads the configuration anew on SIGHUP.
func (e *Exporter) Run(ctx context.Context) {
	go e.reloadOnHangup(ctx)
	e.scheduler.Run(ctx)
	e.loops.close()
}

// NewShared returns what all probes share, with the program's User-Agent.
func NewShared() *probe.Shared {
	shared := probe.NewShared()
	shared.UserAgent = "integra_exporter/" + programVersion()
	return shared
}

func programVersion() string { return cmp.Or(version.Version, "dev") }
