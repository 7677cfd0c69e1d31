// Package check runs every check of a configuration once, or again and again, and shows what came of them.
package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/exporter"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// Options are what the flags of check say.
type Options struct {
	ConfigFile                   string
	Institutions, Kinds, Targets []string      // only targets with one of these; empty: all
	JSON                         bool          // instead of text
	Watch                        time.Duration // from the start of a pass to the start of the next; zero: one pass only
	ShowRequest                  string        // curl or powershell: print requests instead of sending them; empty: send them
	Log                          *slog.Logger
	Out                          io.Writer
	Terminal                     bool // Out is one
}

var (
	// ErrFailed is the error of Run when a check failed, which has been shown.
	ErrFailed      = errors.New("checks failed")
	errInterrupted = errors.New("interrupted")
)

// Run runs the checks and shows the results. Its error is ErrFailed if a check of the last full pass failed.
func Run(ctx context.Context, o Options) error {
	loaded, err := config.Load(o.ConfigFile, exporter.NewShared())
	if err != nil {
		return err
	}
	for _, warning := range loaded.Warnings {
		o.Log.Debug("configuration: "+warning.Message, "file", warning.File, "line", warning.Line)
	}
	checks, err := o.filter(loaded.Checks())
	if err != nil {
		return err
	}
	if o.ShowRequest != "" {
		return showRequests(o.Out, loaded, checks, o.ShowRequest)
	}
	r := newRunner(checks, schedule.Caps{Total: loaded.MaxConcurrent, PerHost: loaded.MaxConcurrentPerHost})
	defer r.scheduler.Close()
	r.useKeys(loaded, o.Log)
	if o.Watch > 0 {
		return r.watch(ctx, o.Watch, newWatchOutput(o))
	}
	return r.once(ctx, newOutput(o, len(checks)))
}

// filter returns the checks that the flags select. It is an error if there is
// none, or if a name matches no target at all.
func (o Options) filter(all []probe.Check) ([]probe.Check, error) {
	if len(all) == 0 {
		return nil, errors.New("nothing to check: no institution is configured in " + o.ConfigFile + ", or none has a target")
	}
	for _, filter := range o.filters() {
		for _, value := range filter.values {
			matches := slices.ContainsFunc(all, func(c probe.Check) bool { return filter.of(c.Target) == value })
			if !matches && filter.flag != "--kind" { // whose values are a closed set, so it is no typing error
				return nil, fmt.Errorf("nothing to check: %s=%s matches no target in %s%s", filter.flag, value, o.ConfigFile, filter.suggest(value, all))
			}
		}
	}
	selected := slices.DeleteFunc(all, func(c probe.Check) bool { return !o.selects(c.Target) })
	if len(selected) == 0 {
		return nil, errors.New("nothing to check: no target in " + o.ConfigFile + " matches --institution, --kind and --target together")
	}
	return selected, nil
}

func (o Options) selects(t probe.Target) bool {
	for _, filter := range o.filters() {
		if len(filter.values) > 0 && !slices.Contains(filter.values, filter.of(t)) {
			return false
		}
	}
	return true
}

func (o Options) filters() []flagFilter {
	return []flagFilter{
		{"--institution", o.Institutions, func(t probe.Target) string { return t.Institution }},
		{"--kind", o.Kinds, func(t probe.Target) string { return t.Kind }},
		{"--target", o.Targets, func(t probe.Target) string { return t.Name }},
	}
}

// flagFilter is what a flag selects, and where a target has it.
type flagFilter struct {
	flag   string
	values []string
	of     func(probe.Target) string
}

// suggest names the existing value that may have been meant.
func (f flagFilter) suggest(value string, all []probe.Check) string {
	names := map[string]bool{}
	for _, c := range all {
		names[f.of(c.Target)] = true
	}
	meant := config.Nearest(value, slices.Sorted(maps.Keys(names)))
	if meant == "" {
		return ""
	}
	return "; did you mean " + meant + "?"
}

// runner runs checks and remembers what came of them.
type runner struct {
	checks    []probe.Check
	scheduler *schedule.Scheduler
	store     *state.Store
	keys      *exporter.Keys
	managers  map[string]*manager // by institution
	log       *slog.Logger
}

// manager is an API manager that is read when a key is rejected.
type manager struct {
	config.Gravitee
	tried time.Time
}

func newRunner(checks []probe.Check, caps schedule.Caps) *runner {
	r := &runner{checks: checks, store: state.New(), managers: map[string]*manager{}}
	r.scheduler = schedule.New(schedule.Options{
		Report:   func(probe.Target, probe.Result) {},
		Skipped:  func(probe.Target, schedule.SkipCause) {},
		Panicked: func(probe.Target, []string) {},
	})
	r.scheduler.Replace(checks, caps)
	r.store.Replace(checks)
	return r
}

// useKeys remembers what the configuration says of the keys, and where to ask about a rejected one.
func (r *runner) useKeys(loaded *config.Config, log *slog.Logger) {
	r.log, r.keys = log, exporter.NewKeys(log)
	r.keys.Replace(loaded)
	for _, check := range r.checks {
		r.keys.Refresh(check.Target, r.store.SetKeyInfo)
	}
	for _, g := range loaded.Gravitee {
		r.managers[g.Institution] = &manager{Gravitee: g}
	}
}

const (
	managerTimeout  = 30 * time.Second // of one reading: somebody waits for it
	managerInterval = time.Minute      // between two readings of one API manager
)

// refine asks the API manager, if there is one, why the gateway rejects a key.
func (r *runner) refine(ctx context.Context, target probe.Target, err error) error {
	m := r.managers[target.Institution]
	reason, _ := probe.ReasonOf(err)
	if m == nil || reason != probe.ReasonKeyRejected && reason != probe.ReasonKeyExpired {
		return err
	}
	if m.tried.IsZero() || time.Since(m.tried) >= managerInterval {
		r.readManager(ctx, m)
		m.tried = time.Now()
	}
	return exporter.RefineReason(err, r.keys.Refresh(target, r.store.SetKeyInfo))
}

func (r *runner) readManager(ctx context.Context, m *manager) {
	ctx, cancel := context.WithTimeout(ctx, managerTimeout)
	defer cancel()
	err := r.keys.ReadManager(ctx, m.Gravitee, exporter.NewShared().UserAgent)
	if err != nil && !errors.Is(err, context.Canceled) {
		r.log.Warn("API manager cannot be read", "institution", m.Institution, "reason", err)
	}
}

// once runs every check and shows the results.
func (r *runner) once(ctx context.Context, out output) error {
	rows, complete := r.pass(ctx, out.runEnded)
	err := out.passEnded(rows)
	switch {
	case err != nil:
		return fmt.Errorf("cannot write the results: %w", err)
	case !complete:
		return errInterrupted
	}
	return verdictOf(rows)
}

// watch runs every check again and again until ctx ends, and returns the verdict on the last full pass. Passes begin that
// far apart, but never while the one before still goes on.
func (r *runner) watch(ctx context.Context, every time.Duration, out output) error {
	last := errInterrupted
	for {
		next := time.After(every)
		rows, complete := r.pass(ctx, out.runEnded)
		if !complete {
			return last
		}
		err := out.passEnded(rows)
		if err != nil {
			return fmt.Errorf("cannot write the results: %w", err)
		}
		last = verdictOf(rows)
		select {
		case <-next:
		case <-ctx.Done():
			return last
		}
	}
}

// pass runs every check under the caps and calls runEnded for each as it ends,
// from one goroutine. It returns what is known of those that have ever
// run, sorted by institution, kind and name. It is not complete if ctx has
// ended before.
func (r *runner) pass(ctx context.Context, runEnded func(endedRun)) (rows []state.Target, complete bool) {
	type ended struct {
		target probe.Target
		result probe.Result
		err    error
	}
	results := make(chan ended)
	for _, check := range r.checks {
		go func() {
			result, err := r.scheduler.RunNow(ctx, check.Target, schedule.OnDemand{})
			results <- ended{check.Target, result, err}
		}()
	}
	complete = true
	for range r.checks {
		e := <-results
		if e.err != nil {
			complete = false
			continue
		}
		e.result.Err = r.refine(ctx, e.target, e.result.Err)
		change, _ := r.store.Report(e.target, e.result)
		row, _ := r.store.Target(e.target)
		runEnded(endedRun{row, change})
	}
	rows = slices.DeleteFunc(r.store.Snapshot(), func(t state.Target) bool { return t.Runs == 0 })
	return rows, complete
}

func verdictOf(rows []state.Target) error {
	if slices.ContainsFunc(rows, failed) {
		return ErrFailed
	}
	return nil
}
