package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/gravitee"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// watchers are the loops that belong to the present configuration. The zero value has none.
type watchers struct {
	mu     sync.Mutex
	cancel context.CancelFunc
	loops  sync.WaitGroup
	closed bool
}

// close ends the loops there are, and lets no other begin: a reload may come at the last moment.
func (w *watchers) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.replace()
}

// replace ends the loops there are and begins these.
func (w *watchers) replace(loops ...func(context.Context)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel != nil {
		w.cancel()
		w.loops.Wait()
	}
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	if w.closed {
		return
	}
	for _, loop := range loops {
		w.loops.Go(func() { loop(ctx) })
	}
}

// watch reads the API managers of loaded, and looks at its credentials, from now on.
func (e *exporter) watch(loaded *config.Config) {
	var loops []func(context.Context)
	for _, manager := range loaded.Gravitee {
		tlsConfig, err := manager.TLS.Config()
		if err != nil { // the files were there a moment ago
			e.log.Error("API manager not read", "institution", manager.Institution, "reason", err)
			continue
		}
		client := gravitee.New(gravitee.Options{
			URL: manager.URL, Organization: manager.Organization, Environment: manager.Environment,
			Application: manager.Application, Token: manager.Token, TLS: tlsConfig, UserAgent: e.shared.UserAgent,
		})
		report := e.managerReader(manager.Institution)
		loops = append(loops, gravitee.Watch{Read: client.Read, Interval: manager.Interval, Report: report}.Run)
	}
	for _, key := range loaded.Keys {
		loops = append(loops, func(ctx context.Context) { e.watchKey(ctx, key) })
	}
	e.watchers.replace(loops...)
}

// managerReader returns what to do with each reading of an institution's API manager.
func (e *exporter) managerReader(institution string) func(gravitee.Status) {
	return func(status gravitee.Status) {
		for _, target := range e.keys.read(institution, status.Reading) {
			e.learn(target)
		}
		e.store.SetManagerStatus(institution, status.Err == nil, status.Reading.At)
		now := kindOf(status.Err)
		if !e.keys.trouble(institution, now) {
			return
		}
		if status.Err == nil {
			e.log.Info("API manager is read again", "institution", institution)
			return
		}
		e.log.Warn("API manager cannot be read", "institution", institution, "kind", now, "detail", detailOf(status.Err))
	}
}

// kindOf returns the closed class of a reading's error; empty: none.
func kindOf(err error) string {
	var failure *gravitee.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &failure):
		return string(failure.Kind)
	}
	return "internal"
}

func detailOf(err error) string {
	var failure *gravitee.Error
	if errors.As(err, &failure) {
		return failure.Detail
	}
	return ""
}

// lookInterval is how soon a changed credential is noticed.
const lookInterval = 5 * time.Second

// watchKey looks at a credential at once, and again whenever one of its files
// has changed; the scheduler does so every hour besides.
func (e *exporter) watchKey(ctx context.Context, key config.Key) {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for seen := ""; ; {
		now := appearance(key.Files)
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

// appearance differs when one of files has been changed, made or removed. It is never empty.
func appearance(files []string) string {
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

// institutionsOf returns every institution with the end of its own certificate
// authority. They share their ca_file mostly, and a bundle takes milliseconds.
func institutionsOf(loaded *config.Config) (places []state.Institution) {
	ends := map[string]time.Time{}
	for name, files := range loaded.CAFiles() {
		managed := slices.ContainsFunc(loaded.Gravitee, func(g config.Gravitee) bool { return g.Institution == name })
		place := state.Institution{Name: name, Managed: managed}
		for _, file := range files {
			end, known := ends[file]
			if !known {
				end = probe.EarliestEnd(file)
				ends[file] = end
			}
			if place.CAEnd.IsZero() || !end.IsZero() && end.Before(place.CAEnd) {
				place.CAEnd = end
			}
		}
		places = append(places, place)
	}
	return places
}
