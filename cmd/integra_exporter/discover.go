package main

import (
	"context"

	"github.com/alecthomas/kingpin/v2"

	"github.com/integra-exporter/integra_exporter/internal/discover"
	"github.com/integra-exporter/integra_exporter/internal/exporter"
)

func discoverCommand(app *kingpin.Application) command {
	cmd := app.Command("discover", "Read an application's subscriptions from Gravitee and print a configuration for them.")
	var o discover.Options
	cmd.Flag("institution", "Name of the institution in the configuration, as in its gateway's host name.").Required().StringVar(&o.Institution)
	cmd.Flag("gravitee.url", "Base of the Management API: https://…/management.").Required().PlaceHolder("URL").StringVar(&o.URL)
	cmd.Flag("gravitee.application", "Id of the application.").Required().PlaceHolder("ID").StringVar(&o.Application)
	cmd.Flag("gravitee.token-file", "File with a personal access token of a member of the application.").Required().PlaceHolder("FILE").StringVar(&o.TokenFile)
	cmd.Flag("gravitee.organization", "Gravitee's organization.").Default("DEFAULT").StringVar(&o.Organization)
	cmd.Flag("gravitee.environment", "Gravitee's environment.").Default("DEFAULT").StringVar(&o.Environment)
	cmd.Flag("write-keys", "Write the keys into this directory, each into a file of its own that only you can read. "+
		"Without this flag no key is written anywhere.").PlaceHolder("DIR").StringVar(&o.KeysDir)
	cmd.Flag("gateway", "The gateway's URL, where it does not follow from the institution's name.").PlaceHolder("URL").StringVar(&o.Gateway)
	cmd.Flag("tls.ca-file", "PEM file with a private issuer, of the API manager and the gateway.").PlaceHolder("FILE").StringVar(&o.CAFile)
	cmd.Flag("tls.server-name", "Name in their certificates, instead of the URL's host.").PlaceHolder("NAME").StringVar(&o.ServerName)
	return func(ctx context.Context, _ commonFlags, std output) error {
		o.UserAgent, o.Out, o.Err = exporter.NewShared().UserAgent, std.out, std.err
		return discover.Run(ctx, o)
	}
}
