package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

func demoCommand(app *kingpin.Application) command {
	var dirGiven bool
	cmd := app.Command("demo", "Run the exporter against a simulated platform in the same process; needs no configuration.")
	flags := addServeFlags(cmd)
	dir := cmd.Flag("write-config", "Write the configuration and keys that the demo uses into this directory, to try check beside it.").
		PlaceHolder("DIR").IsSetByUser(&dirGiven).String()
	return func(ctx context.Context, common commonFlags, std output) error {
		switch {
		case dirGiven && *dir == "":
			return errors.New("--write-config needs the name of a directory")
		case *common.configFileGiven:
			return errors.New("demo makes its own configuration: leave out --config.file, or run serve with it")
		}
		return runDemo(ctx, common, flags, *dir, std)
	}
}

func runDemo(ctx context.Context, common commonFlags, flags serveFlags, dir string, std output) error {
	platform, err := demo.Start(demo.Options{})
	if err != nil {
		return fmt.Errorf("cannot start the simulated platform: %w", err)
	}
	defer func() { _ = platform.Close() }()
	kept := dir != ""
	if !kept {
		dir, err = os.MkdirTemp("", program+"-demo-")
		if err != nil {
			return fmt.Errorf("cannot make a directory for the demo's configuration: %w", err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
	}
	path, err := platform.WriteConfig(dir)
	if err != nil {
		return fmt.Errorf("cannot write the demo's configuration: %w", err)
	}
	go platform.Run(ctx)
	hello := &greeting{out: std.out, telemetryPath: *flags.telemetryPath, onRequest: !*flags.schedule}
	if kept {
		hello.config = path
	}
	return serve(ctx, newExporter(promslog.New(common.log), path, flags.timing()), flags, hello.at)
}

// greeting says where to look, as soon as there is something to see.
type greeting struct {
	out           io.Writer
	telemetryPath string
	config        string // empty: it is not kept
	onRequest     bool

	mu    sync.Mutex
	begun bool
}

// at greets from the listener at address.
func (g *greeting) at(address string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.begun {
		g.begun = true
		when := "The first full pass takes fifteen seconds."
		if g.onRequest {
			when = "Targets run when their /probe is scraped; /sd lists them."
		}
		_, _ = fmt.Fprintf(g.out, "A simulated platform is running in this process, with faults of every kind.\n%s Stop with Ctrl-C.\n\n", when)
		if g.config != "" {
			_, _ = fmt.Fprintf(g.out, "  check it      %s check --config.file=%s\n", program, g.config)
		}
	}
	_, _ = fmt.Fprintf(g.out, "  status page   %[1]s/\n  metrics       %[1]s%[2]s\n\n", address, g.telemetryPath)
}
