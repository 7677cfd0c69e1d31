package main

import (
	"github.com/integra-exporter/integra_exporter/internal/view"

	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	toolkit "github.com/prometheus/exporter-toolkit/web"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

// listen serves HTTP until ctx ends, then lets requests finish.
func listen(ctx context.Context, e *exporter, flags serveFlags, bound func(address string)) error {
	server := newServer(handler(e, flags), e.log, servedLimits())
	// The toolkit opens the listeners; the server says here that it has begun to serve one.
	server.BaseContext = func(l net.Listener) context.Context {
		encrypted := server.TLSConfig != nil && server.TLSConfig.GetConfigForClient != nil // which only the toolkit sets
		bound(reachedAt(l.Addr(), encrypted))
		return context.Background()
	}
	failed := make(chan error, 1)
	go func() { failed <- toolkit.ListenAndServe(server, flags.toolkit, slog.New(unquoting{e.log.Handler()})) }()
	select {
	case err := <-failed:
		var at *net.OpError
		if errors.As(err, &at) && at.Op == "listen" {
			return fmt.Errorf("cannot serve: %w; choose another with --web.listen-address", err)
		}
		return fmt.Errorf("cannot serve: %w", err)
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(limit)
	if errors.Is(err, context.DeadlineExceeded) {
		return server.Close() // somebody reads for ever
	}
	return err
}

// reachedAt returns what a person on this machine gives a browser; for what no browser reaches, network and address.
func reachedAt(address net.Addr, encrypted bool) string {
	tcp, isTCP := address.(*net.TCPAddr)
	if !isTCP {
		return address.Network() + " " + address.String()
	}
	scheme, host := "http", address.String()
	if encrypted {
		scheme = "https"
	}
	if tcp.IP.IsUnspecified() {
		host = fmt.Sprintf("localhost:%d", tcp.Port)
	}
	return scheme + "://" + host
}

func handler(e *exporter, flags serveFlags) http.Handler {
	registry := prometheus.NewRegistry()
	e.own.Register(registry)
	options := web.Options{
		TelemetryPath: *flags.telemetryPath,
		Metrics:       collector.Handler(registry, e.metrics),
		Targets:       e.store.Snapshot,
		Target:        e.store.Target,
		History:       e.store.History,
		Institutions:  e.store.Institutions,
		Configured:    func(target probe.Target) view.Configuration { return describe(e.inForce.Load(), target) },
		Health:        e.health,
		Ready:         func() bool { return e.loaded.Load() != nil },
		Probing:       e.probing(),
		Pprof:         *flags.pprof,
	}
	if *flags.lifecycle {
		options.Reload = e.reload
	}
	return web.Handler(options)
}
