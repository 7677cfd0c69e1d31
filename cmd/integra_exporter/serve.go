package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/promslog"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	toolkitflag "github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/integra-exporter/integra_exporter/internal/web"
)

// serveFlags are those of serve and demo.
type serveFlags struct {
	toolkit       *toolkit.FlagConfig
	telemetryPath *string
	lifecycle     *bool
	pprof         *bool
	seed          *string
}

const (
	defaultAddress    = ":10056"
	readHeaderTimeout = 10 * time.Second
	shutdownTimeout   = 4 * time.Second // of the five that a stop may take
)

func addServeFlags(cmd *kingpin.CmdClause) serveFlags {
	return serveFlags{
		toolkit:       toolkitflag.AddFlags(cmd, defaultAddress),
		telemetryPath: cmd.Flag("web.telemetry-path", "Path under which to expose metrics.").Default("/metrics").String(),
		lifecycle:     cmd.Flag("web.enable-lifecycle", "Allow POST /-/reload.").Bool(),
		pprof:         cmd.Flag("web.enable-pprof", "Serve /debug/pprof/.").Bool(),
		seed:          cmd.Flag("schedule.seed", "Exporters with different seeds probe the same targets at different times.").String(),
	}
}

func serveCommand(app *kingpin.Application) command {
	flags := addServeFlags(app.Command("serve", "Run the exporter (the default).").Default())
	return func(ctx context.Context, common commonFlags, std output) error {
		return serve(ctx, newExporter(promslog.New(common.log), *common.configFile, *flags.seed), flags)
	}
}

// serve runs e until ctx ends or the listener fails.
func serve(ctx context.Context, e *exporter, flags serveFlags) error {
	if !usable(*flags.telemetryPath) {
		return errors.New("--web.telemetry-path must be a path such as /metrics, outside /-/ and /debug/")
	}
	err := e.load()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		e.scheduler.Run(ctx)
		close(stopped)
	}()
	go e.reloadOnHangup(ctx)
	err = listen(ctx, e, flags)
	cancel()
	<-stopped
	return err
}

// usable says whether the metrics can stand at telemetryPath, beside the other endpoints and without a wildcard.
func usable(telemetryPath string) bool {
	return path.IsAbs(telemetryPath) && path.Clean(telemetryPath) == telemetryPath && telemetryPath != "/" &&
		!strings.HasPrefix(telemetryPath, "/-/") && !strings.HasPrefix(telemetryPath, "/debug/") &&
		!strings.ContainsAny(telemetryPath, "{} \t")
}

// listen serves HTTP until ctx ends, then lets requests finish.
func listen(ctx context.Context, e *exporter, flags serveFlags) error {
	server := &http.Server{
		Handler:           handler(e, flags),
		ReadHeaderTimeout: readHeaderTimeout,
		ErrorLog:          slog.NewLogLogger(e.log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, 1)
	go func() { failed <- toolkit.ListenAndServe(server, flags.toolkit, e.log) }()
	select {
	case err := <-failed:
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

func handler(e *exporter, flags serveFlags) http.Handler {
	registry := prometheus.NewRegistry()
	e.register(registry)
	options := web.Options{
		TelemetryPath: *flags.telemetryPath,
		Metrics:       promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry, EnableOpenMetrics: true}),
		Targets:       e.store.Snapshot,
		Ready:         e.loaded.Load,
		Pprof:         *flags.pprof,
	}
	if *flags.lifecycle {
		options.Reload = e.reload
	}
	return web.Handler(options)
}

// reload is load for a running exporter: what is wrong is also logged.
func (e *exporter) reload() error {
	err := e.load()
	if err != nil {
		e.log.Error("configuration not usable, nothing changed", "faults", strings.Split(err.Error(), "\n"))
	}
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
