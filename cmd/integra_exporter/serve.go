package main

import (
	"context"
	"errors"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	toolkitflag "github.com/prometheus/exporter-toolkit/web/kingpinflag"
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

const (
	defaultAddress  = ":10056"
	shutdownTimeout = 4 * time.Second // of the five that a stop may take
)

func addServeFlags(cmd *kingpin.CmdClause) serveFlags {
	return serveFlags{
		toolkit:       toolkitflag.AddFlags(cmd, defaultAddress),
		telemetryPath: cmd.Flag("web.telemetry-path", "Path under which to expose metrics.").Default("/metrics").String(),
		lifecycle:     cmd.Flag("web.enable-lifecycle", "Allow POST /-/reload.").Bool(),
		pprof:         cmd.Flag("web.enable-pprof", "Serve /debug/pprof/.").Bool(),
		seed:          cmd.Flag("schedule.seed", "Exporters with different seeds probe the same targets at different times.").String(),
		schedule: cmd.Flag("schedule", "Probe on timers of its own. With --no-schedule only /probe drives, which Prometheus finds by /sd; "+
			"entries under keys: and API managers are read all the same.").Default("true").Bool(),
	}
}

func (f serveFlags) timing() timing { return timing{seed: *f.seed, onRequest: !*f.schedule} }

func serveCommand(app *kingpin.Application) command {
	flags := addServeFlags(app.Command("serve", "Run the exporter (the default).").Default())
	return func(ctx context.Context, common commonFlags, std output) error {
		return serve(ctx, newExporter(promslog.New(common.log), *common.configFile, flags.timing()), flags, func(string) {})
	}
}

// serve runs e until ctx ends or a listener fails. It calls bound with the
// address of each listener, such as http://localhost:10056, once it is bound.
func serve(ctx context.Context, e *exporter, flags serveFlags, bound func(address string)) error {
	if !usable(*flags.telemetryPath) {
		return errors.New("--web.telemetry-path must be a path such as /metrics, and none of the exporter's other endpoints")
	}
	err := checkWebConfig(*flags.toolkit.WebConfigFile)
	if err != nil {
		return err
	}
	err = e.load()
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
	err = listen(ctx, e, flags, bound)
	cancel()
	<-stopped
	e.watchers.close()
	return err
}

// usable says whether the metrics can stand at telemetryPath, beside the other endpoints, without a wildcard and without what a link would take for something else.
func usable(telemetryPath string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(telemetryPath, "/"), "/")
	return path.IsAbs(telemetryPath) && path.Clean(telemetryPath) == telemetryPath &&
		!slices.Contains([]string{"", "-", "debug", "target", "probe", "sd", "api"}, first) &&
		!strings.ContainsAny(telemetryPath, "{}?#% \t")
}
