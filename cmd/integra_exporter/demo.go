package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

func demoCommand(app *kingpin.Application) command {
	cmd := app.Command("demo", "Run the exporter against a simulated platform in the same process; needs no configuration.")
	flags := addServeFlags(cmd)
	dir := cmd.Flag("write-config", "Write the configuration and keys that the demo uses into this directory, to try check beside it.").
		PlaceHolder("DIR").String()
	return func(ctx context.Context, common commonFlags, std output) error {
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
	introduce(std, flags, path, kept)
	return serve(ctx, newExporter(promslog.New(common.log), path, *flags.seed), flags)
}

// introduce says where to look.
func introduce(std output, flags serveFlags, path string, kept bool) {
	address := (*flags.toolkit.WebListenAddresses)[0]
	if strings.HasPrefix(address, ":") {
		address = "localhost" + address
	}
	_, _ = fmt.Fprintf(std.out, `A simulated platform is running in this process, with faults of every kind.

  status page   http://%[1]s/
  metrics       http://%[1]s%[2]s
`, address, *flags.telemetryPath)
	if kept {
		_, _ = fmt.Fprintf(std.out, "  check it      %s check --config.file=%s\n", program, path)
	}
	_, _ = fmt.Fprint(std.out, "\nThe first full pass takes ten seconds. Stop with Ctrl-C.\n\n")
}
