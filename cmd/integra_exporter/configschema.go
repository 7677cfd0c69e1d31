package main

import (
	"context"

	"github.com/alecthomas/kingpin/v2"

	"github.com/integra-exporter/integra_exporter/internal/config"
)

func configSchemaCommand(app *kingpin.Application) command {
	app.Command("config-schema", "Print the JSON Schema of the configuration, with which an editor completes, explains and underlines.")
	return func(_ context.Context, _ commonFlags, std output) error {
		_, err := std.out.Write(config.Schema())
		return err
	}
}
