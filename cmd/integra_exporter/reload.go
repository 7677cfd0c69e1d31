package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/integra-exporter/integra_exporter/internal/config"
)

// reload is load for a running exporter: what is wrong is also logged.
func (e *exporter) reload() error {
	err := e.load()
	if err == nil {
		return nil
	}
	var faults config.Faults
	_ = errors.As(err, &faults) // load has no other errors
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

func (e *exporter) reloadOnHangup(ctx context.Context) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	for {
		select {
		case <-hangups:
			_ = e.reload() // logged
		case <-ctx.Done():
			return
		}
	}
}
