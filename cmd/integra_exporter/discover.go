package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"

	"github.com/alecthomas/kingpin/v2"

	"github.com/integra-exporter/integra_exporter/internal/gravitee"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// discoverFlags say whose subscriptions are read, and what is made of them.
type discoverFlags struct {
	institution, url, application, tokenFile *string
	organization, environment                *string
	gateway, caFile, serverName              *string
	keys                                     *string
}

func discoverCommand(app *kingpin.Application) command {
	cmd := app.Command("discover", "Read an application's subscriptions from Gravitee and print a configuration for them.")
	flags := discoverFlags{
		institution:  cmd.Flag("institution", "Name of the institution in the configuration, as in its gateway's host name.").Required().String(),
		url:          cmd.Flag("gravitee.url", "Base of the Management API: https://…/management.").Required().PlaceHolder("URL").String(),
		application:  cmd.Flag("gravitee.application", "Id of the application.").Required().PlaceHolder("ID").String(),
		tokenFile:    cmd.Flag("gravitee.token-file", "File with a personal access token of a member of the application.").Required().PlaceHolder("FILE").String(),
		organization: cmd.Flag("gravitee.organization", "Gravitee's organization.").Default("DEFAULT").String(),
		environment:  cmd.Flag("gravitee.environment", "Gravitee's environment.").Default("DEFAULT").String(),
		keys: cmd.Flag("write-keys", "Write the keys into this directory, each into a file of its own that nobody else can read. "+
			"Without this flag no key is written anywhere.").PlaceHolder("DIR").String(),
		gateway:    cmd.Flag("gateway", "The gateway's URL, where it does not follow from the institution's name.").PlaceHolder("URL").String(),
		caFile:     cmd.Flag("tls.ca-file", "PEM file with a private issuer, of the API manager and the gateway.").PlaceHolder("FILE").String(),
		serverName: cmd.Flag("tls.server-name", "Name in their certificates, instead of the URL's host.").PlaceHolder("NAME").String(),
	}
	return func(ctx context.Context, _ commonFlags, std output) error { return discover(ctx, flags, std) }
}

// discover reads first, then writes keys, and prints when nothing can fail any more.
func discover(ctx context.Context, flags discoverFlags, std output) error {
	client, err := flags.client()
	if err != nil {
		return err
	}
	defer client.Close()
	found, err := find(ctx, client)
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	case err != nil:
		return fmt.Errorf("cannot read the API manager: %w", err)
	case len(found) == 0:
		return errors.New("the application has no accepted subscription: subscribe to the APIs first")
	}
	said := ""
	if *flags.keys != "" {
		said, err = discloseKeys(ctx, client, *flags.institution, *flags.keys, found)
		if err != nil {
			return err
		}
	}
	err = flags.print(std.out, found)
	if err != nil {
		return fmt.Errorf("cannot write the configuration: %w", err)
	}
	_, err = fmt.Fprintf(std.err, "%s with a usable key, %d of them with a GUESS to look at%s\n", plural(len(withKey(found)), "API"), guesses(found), said)
	return err
}

// client checks what can be wrong with the flags.
func (f discoverFlags) client() (*gravitee.Client, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$`).MatchString(*f.institution) {
		return nil, errors.New("--institution: a name such as uio is wanted, of letters, digits, dots and hyphens")
	}
	base, err := parseBase("gravitee.url", *f.url)
	if err != nil {
		return nil, err
	}
	if *f.gateway != "" {
		_, err = parseBase("gateway", *f.gateway)
		if err != nil {
			return nil, err
		}
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: *f.serverName}
	config.RootCAs, err = roots(*f.caFile)
	if err != nil {
		return nil, err
	}
	return gravitee.New(gravitee.Options{
		URL: base, Organization: *f.organization, Environment: *f.environment, Application: *f.application,
		Token: secret.NewFile(*f.tokenFile), TLS: config, UserAgent: newShared().UserAgent,
	}), nil
}

// parseBase reads a flag's URL. It is not repeated in the error: it may hold a password.
func parseBase(flag, s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" {
		return nil, fmt.Errorf("--%s: a URL that begins with https:// is wanted", flag)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("--%s: no user, password, query or fragment may stand in the URL", flag)
	}
	return u, nil
}

// roots returns the system's roots and those of a file; nil, the system's alone, if there is no file.
func roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--tls.ca-file: %s cannot be read", file)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--tls.ca-file: %s holds no PEM certificate", file)
	}
	return pool, nil
}
