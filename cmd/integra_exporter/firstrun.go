package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
)

// errFirstRun is for somebody who has just installed the program.
var errFirstRun = errors.New(`no configuration: there is no config.yml here, and --config.file names no other. Three ways to begin:
  integra_exporter demo             shows the exporter at work, against a simulated platform
  integra_exporter discover --help  writes a configuration from your subscriptions in Gravitee
  config.example.yml                comes with the program: copy it to config.yml and keep what you have`)

// configured wraps a command that reads the configuration: where there is none, and none was asked for, it explains how to begin.
func configured(c command) command {
	return func(ctx context.Context, common commonFlags, std output) error {
		_, err := os.Stat(*common.configFile)
		switch {
		case *common.configFile == "":
			return errors.New("--config.file needs the name of a file")
		case !*common.configFileGiven && errors.Is(err, fs.ErrNotExist):
			return errFirstRun
		}
		return c(ctx, common, std)
	}
}
