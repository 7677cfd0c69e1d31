package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	toolkitflag "github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/integra-exporter/integra_exporter/internal/exporter"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

// serveFlags are those of serve and demo.
type serveFlags struct {
	toolkit       *toolkit.FlagConfig
	telemetryPath *string
	lifecycle     *bool
	pprof         *bool
	seed          *string
	schedule      *bool
}

const defaultAddress = ":10056"

func serveCommand(app *kingpin.Application) command {
	flags := addServeFlags(app.Command("serve", "Run the exporter (the default).").Default())
	return func(ctx context.Context, common commonFlags, _ output) error {
		hangups, stop := catchHangups()
		defer stop()
		return serve(ctx, common, flags, *common.configFile, hangups, func(string) {})
	}
}

// catchHangups must come before anything that takes time: a SIGHUP that nobody catches ends the process.
func catchHangups() (hangups <-chan os.Signal, stop func()) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	return caught, func() { signal.Stop(caught) }
}

func addServeFlags(cmd *kingpin.CmdClause) serveFlags {
	return serveFlags{
		toolkit:       toolkitflag.AddFlags(cmd, defaultAddress),
		telemetryPath: cmd.Flag("web.telemetry-path", "Path under which to expose metrics.").Default("/metrics").String(),
		lifecycle:     cmd.Flag("web.enable-lifecycle", "Allow POST /-/reload.").Bool(),
		pprof:         cmd.Flag("web.enable-pprof", "Serve /debug/pprof/.").Bool(),
		seed:          cmd.Flag("schedule.seed", "Exporters with different seeds probe the same targets at different times.").String(),
		schedule: cmd.Flag("schedule", "Run checks on timers. With --no-schedule only requests for /probe run them, which Prometheus finds by /sd; "+
			"entries under keys: and API managers are still read on timers.").Default("true").Bool(),
	}
}

// serve runs the exporter until ctx ends or a listener fails, and reloads at every hangup. It calls bound with the
// address of each listener, such as http://localhost:10056, once it is bound.
func serve(
	ctx context.Context, common commonFlags, flags serveFlags, configFile string, hangups <-chan os.Signal, bound func(address string),
) error {
	if !validTelemetryPath(*flags.telemetryPath) {
		return errors.New("--web.telemetry-path must be a path such as /metrics, and none of the exporter's other endpoints")
	}
	err := web.CheckConfigFile(*flags.toolkit.WebConfigFile)
	if err != nil {
		return err
	}
	log := promslog.New(common.log)
	e := exporter.New(exporter.Options{Log: log, ConfigFile: configFile, Seed: *flags.seed, OnDemand: !*flags.schedule, Hangups: hangups})
	err = e.Load()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stopped := make(chan struct{})
	go func() {
		e.Run(ctx)
		close(stopped)
	}()
	handler := e.Handler(exporter.HandlerOptions{TelemetryPath: *flags.telemetryPath, Lifecycle: *flags.lifecycle, Pprof: *flags.pprof})
	err = web.Serve(ctx, handler, flags.toolkit, log, bound)
	cancel()
	<-stopped
	return err
}

// validTelemetryPath says whether metrics can be served at telemetryPath: beside the other endpoints, without a wildcard,
// and without a character that a link would read as something else.
func validTelemetryPath(telemetryPath string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(telemetryPath, "/"), "/")
	return path.IsAbs(telemetryPath) && path.Clean(telemetryPath) == telemetryPath &&
		!slices.Contains([]string{"", "-", "debug", "target", "probe", "sd", "api"}, first) &&
		!strings.ContainsAny(telemetryPath, "{}?#% \t")
}
