package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/alecthomas/kingpin/v2"

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
	hangups, stop := catchHangups()
	defer stop()
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
	b := &banner{out: std.out, telemetryPath: *flags.telemetryPath, onDemand: !*flags.schedule}
	if kept {
		b.config = path
	}
	return serve(ctx, common, flags, path, hangups, b.print)
}

// banner says where to look, as soon as there is something to see.
type banner struct {
	out           io.Writer
	telemetryPath string
	config        string // empty: it is not kept
	onDemand      bool

	mu      sync.Mutex
	printed bool
}

// print prints the banner for the listener at address.
func (b *banner) print(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.printed {
		b.printed = true
		when := "The first full pass takes fifteen seconds."
		if b.onDemand {
			when = "Targets run when their /probe is scraped; /sd lists them."
		}
		_, _ = fmt.Fprintf(b.out, "A simulated platform is running in this process, with faults of every kind.\n%s Stop with Ctrl-C.\n\n", when)
		if b.config != "" {
			_, _ = fmt.Fprintf(b.out, "  check it      %s check --config.file=%s\n", program, b.config)
		}
	}
	_, _ = fmt.Fprintf(b.out, "  status page   %[1]s/\n  metrics       %[1]s%[2]s\n\n", address, b.telemetryPath)
}
