package main

import (
	"context"
	"fmt"

	"github.com/alecthomas/kingpin/v2"

	"github.com/integra-exporter/integra_exporter/internal/config"
)

func checkConfigCommand(app *kingpin.Application) command {
	app.Command("check-config", "Read the configuration and say everything that is wrong with it.")
	return func(_ context.Context, common commonFlags, std output) error {
		loaded, err := config.Load(*common.configFile, newShared())
		if err != nil {
			return err
		}
		for _, warning := range loaded.Warnings {
			_, _ = fmt.Fprintf(std.out, "%s:%d: warning: %s\n", warning.File, warning.Line, warning.Message)
		}
		_, err = fmt.Fprintf(std.out, "%s is usable: %s, %s\n", *common.configFile,
			plural(len(loaded.Checks()), "check"), plural(len(loaded.Warnings), "warning"))
		return err
	}
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
