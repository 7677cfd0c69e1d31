package exporter

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/gravitee"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
)

// startLoops begins to read the API managers of loaded and to watch the files of its credentials.
func (e *Exporter) startLoops(loaded *config.Config) {
	var loops []func(context.Context)
	for _, manager := range loaded.Gravitee {
		read, err := e.keys.manager(manager, e.shared.UserAgent)
		if err != nil { // the files were there a moment ago
			e.log.Error("API manager not read", "institution", manager.Institution, "reason", err)
			continue
		}
		report := func(status gravitee.Status) { e.reportManager(manager.Institution, status) }
		loops = append(loops, gravitee.Watch{Read: read, Interval: manager.Interval, Report: report}.Run)
	}
	for _, key := range loaded.Keys {
		loops = append(loops, func(ctx context.Context) { e.watchFiles(ctx, key) })
	}
	e.loops.replace(loops...)
}

// reportManager records a reading of an institution's API manager and logs a change.
func (e *Exporter) reportManager(institution string, status gravitee.Status) {
	for _, target := range e.keys.setReading(institution, status.Reading) {
		e.keys.Refresh(target, e.store.SetKeyInfo)
	}
	e.store.SetManagerStatus(institution, status.Err == nil, status.Reading.At)
	kind, detail := failureOf(status.Err)
	if !e.keys.setFailure(institution, kind) {
		return
	}
	if status.Err == nil {
		e.log.Info("API manager is read again", "institution", institution)
		return
	}
	e.log.Warn("API manager cannot be read", "institution", institution, "kind", kind, "detail", detail)
}

// failureOf returns the closed class of a reading's error, and what is known besides; empty: it succeeded.
func failureOf(err error) (kind, detail string) {
	var failure *gravitee.Error
	switch {
	case err == nil:
		return "", ""
	case errors.As(err, &failure):
		return string(failure.Kind), failure.Detail
	}
	return "internal", ""
}

// fileInterval is how soon a changed credential is noticed.
const fileInterval = 5 * time.Second

// watchFiles checks a credential at once, and again whenever one of its files has changed; the scheduler does so every
// hour besides.
func (e *Exporter) watchFiles(ctx context.Context, key config.Key) {
	ticker := time.NewTicker(fileInterval)
	defer ticker.Stop()
	for seen := ""; ; {
		now := fileVersions(key.Files)
		if now != seen {
			seen = now
			_, _ = e.scheduler.RunNow(ctx, key.Target, schedule.OnDemand{}) // reported as every run
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// fileVersions differs when one of files has been changed, created or removed. It is never empty.
func fileVersions(files []string) string {
	var b strings.Builder
	b.WriteString("files")
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			b.WriteString(" none")
			continue
		}
		fmt.Fprintf(&b, " %d/%d", info.ModTime().UnixNano(), info.Size())
	}
	return b.String()
}

// reloadLoops are the loops that belong to the configuration in force: a load ends them and begins others. The zero value
// has none.
type reloadLoops struct {
	mu     sync.Mutex
	cancel context.CancelFunc
	loops  sync.WaitGroup
	closed bool
}

// close ends the loops, and lets no other begin: a reload may come at the last moment.
func (l *reloadLoops) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.replace()
}

// replace ends the loops and begins these.
func (l *reloadLoops) replace(loops ...func(context.Context)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cancel != nil {
		l.cancel()
		l.loops.Wait()
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	if l.closed {
		return
	}
	for _, loop := range loops {
		l.loops.Go(func() { loop(ctx) })
	}
}
