package exporter

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// reloadOnHangup loads the configuration anew at every hangup until ctx ends.
func (e *Exporter) reloadOnHangup(ctx context.Context) {
	for {
		select {
		case <-e.hangups:
			_ = e.Reload() // logged
		case <-ctx.Done():
			return
		}
	}
}

// Reload is Load for a running exporter: it also logs what is wrong.
func (e *Exporter) Reload() error {
	err := e.Load()
	if err == nil {
		return nil
	}
	var faults config.Faults
	_ = errors.As(err, &faults) // Load has no other errors
	for _, fault := range faults {
		at := []any{"file", fault.File}
		if fault.Line > 0 {
			at = append(at, "line", fault.Line)
		}
		e.log.Error("configuration: "+fault.Message, at...)
	}
	e.log.Error("configuration not usable, nothing changed", "file", e.path, "faults", len(faults))
	return err
}

// Load reads the configuration and puts it in force. On an error, which is config.Faults, nothing changes.
func (e *Exporter) Load() error {
	e.reload.Lock()
	defer e.reload.Unlock()
	loaded, err := config.Load(e.path, e.shared)
	if err == nil {
		err = e.halfWritten(loaded)
	}
	if err != nil {
		e.own.LoadFailed()
		e.rejected.Store(new(time.Now()))
		return err
	}
	for _, warning := range loaded.Warnings {
		e.log.Warn("configuration: "+warning.Message, "file", warning.File, "line", warning.Line)
	}
	checks := loaded.Checks()
	e.replace(loaded, checks, institutionsOf(loaded))
	changes := e.scheduler.Replace(checks, schedule.Caps{Total: loaded.MaxConcurrent, PerHost: loaded.MaxConcurrentPerHost})
	for _, api := range loaded.APIs() {
		e.keys.Refresh(api.Target, e.store.SetKeyInfo) // reads files: a file that hangs must find everything in force
	}
	e.own.Loaded(checks)
	e.startLoops(loaded)
	e.inForce.Store(&loadedConfig{loaded, time.Now()})
	e.rejected.Store(nil)
	e.log.Info("configuration loaded", "file", e.path, "targets", len(checks),
		"added", changes.Added, "changed", changes.Changed, "removed", changes.Removed)
	return nil
}

// halfWritten refuses a reload that leaves no institution where there were some: the file was hardly finished, and all that
// is remembered would go.
func (e *Exporter) halfWritten(loaded *config.Config) error {
	before := e.inForce.Load()
	if before == nil || before.Institutions == 0 || loaded.Institutions > 0 {
		return nil
	}
	return config.Faults{{File: e.path, Line: 1, Message: "no institution is configured any more: is the file half written? Restart if you mean it"}}
}

// replace makes loaded what is remembered and sent.
func (e *Exporter) replace(loaded *config.Config, checks []probe.Check, institutions []state.Institution) {
	e.swap.Lock()
	defer e.swap.Unlock()
	for _, gone := range e.store.Replace(checks) {
		e.metrics.Forget(gone)
	}
	e.store.SetInstitutions(institutions)
	e.keys.Replace(loaded)
}

// institutionsOf returns every institution with the end of its own certificate
// authority. Most share their ca_file, and reading a bundle takes milliseconds.
func institutionsOf(loaded *config.Config) (institutions []state.Institution) {
	ends := map[string]time.Time{}
	for name, files := range loaded.CAFiles() {
		managed := slices.ContainsFunc(loaded.Gravitee, func(g config.Gravitee) bool { return g.Institution == name })
		institution := state.Institution{Name: name, Managed: managed}
		for _, file := range files {
			end, known := ends[file]
			if !known {
				end = probe.EarliestEnd(file)
				ends[file] = end
			}
			if institution.CAEnd.IsZero() || !end.IsZero() && end.Before(institution.CAEnd) {
				institution.CAEnd = end
			}
		}
		institutions = append(institutions, institution)
	}
	return institutions
}
