package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/alecthomas/kingpin/v2"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/exporter"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

func checkConfigCommand(app *kingpin.Application) command {
	app.Command("check-config", "Read the configuration and say everything that is wrong with it.")
	return func(_ context.Context, common commonFlags, std output) error {
		loaded, err := config.Load(*common.configFile, exporter.NewShared())
		if err != nil {
			return err
		}
		for _, warning := range loaded.Warnings {
			_, _ = fmt.Fprintf(std.out, "%s:%d: warning: %s\n", warning.File, warning.Line, warning.Message)
		}
		_, err = fmt.Fprintf(std.out, "%s is usable: %s, %s\n", *common.configFile,
			view.Plural(len(loaded.Checks()), "check", "checks"), view.Plural(len(loaded.Warnings), "warning", "warnings"))
		return err
	}
}

func configSchemaCommand(app *kingpin.Application) command {
	app.Command("config-schema", "Print the JSON Schema of the configuration, with which an editor completes, explains and underlines.")
	return func(_ context.Context, _ commonFlags, std output) error {
		_, err := std.out.Write(config.Schema())
		return err
	}
}

// errNoConfig is for somebody who has just installed the program.
var errNoConfig = errors.New(`no configuration: there is no config.yml in this directory, and --config.file names no other. Three ways to begin:
  integra_exporter demo             runs the exporter against a simulated platform
  integra_exporter discover --help  writes a configuration from your subscriptions in Gravitee
  config.example.yml                comes with the program: copy it to config.yml and delete what you do not have`)

// requireConfig wraps a command that reads the configuration: where there is none, and no flag names one, it explains how to begin.
func requireConfig(c command) command {
	return func(ctx context.Context, common commonFlags, std output) error {
		_, err := os.Stat(*common.configFile)
		switch {
		case *common.configFile == "":
			return errors.New("--config.file needs the name of a file")
		case !*common.configFileGiven && errors.Is(err, fs.ErrNotExist):
			return errNoConfig
		}
		return c(ctx, common, std)
	}
}
