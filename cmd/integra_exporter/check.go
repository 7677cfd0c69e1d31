package main

import (
	"context"
	"errors"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"

	"github.com/integra-exporter/integra_exporter/internal/check"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// checkFlags say what is checked, how often, and how results are shown.
type checkFlags struct {
	institutions, kinds, targets *[]string
	output, showRequest          *string
	watch, everyGiven            *bool
	every                        *time.Duration
}

func checkCommand(app *kingpin.Application, common commonFlags) command {
	cmd := app.Command("check", "Run every check once, now. Exits with 0 if all passed, 1 if any failed, 2 if it cannot start.")
	kinds := []string{probe.KindAPI, probe.KindAuth, probe.KindRabbitMQ, probe.KindKey}
	flags := checkFlags{
		institutions: cmd.Flag("institution", "Only this institution (repeatable).").HintAction(targetHints(common, institutionOf)).Strings(),
		kinds: cmd.Flag("kind", "Only this kind: api, auth, rabbitmq or key (repeatable).").
			HintOptions(kinds...).Enums(kinds...),
		targets: cmd.Flag("target", "Only the target of this name (repeatable).").HintAction(targetHints(common, nameOf)).Strings(),
		output:  cmd.Flag("output", "table for people, json for scripts.").Default("table").Enum("table", "json"),
		watch: cmd.Flag("watch", "Go on until Ctrl-C, and print a line for each change. Every run counts against the quotas of the gateway, "+
			"and each of kind auth shows it a wrong key. The configuration is read once; exits as the last full pass would.").Bool(),
		everyGiven: new(bool),
		showRequest: cmd.Flag("show-request", "Send nothing: print the requests as commands for curl or powershell, with $KEY in the key's place.").
			PlaceHolder("SHELL").Enum("curl", "powershell"),
	}
	flags.every = cmd.Flag("watch-interval", "Time from the start of a pass to the start of the next, at least 1s.").
		Default("10s").IsSetByUser(flags.everyGiven).Duration()
	return func(ctx context.Context, common commonFlags, std output) error {
		err := flags.conflict()
		if err != nil {
			return err
		}
		options := check.Options{
			ConfigFile: *common.configFile, Institutions: *flags.institutions, Kinds: *flags.kinds, Targets: *flags.targets,
			JSON: *flags.output == "json", ShowRequest: *flags.showRequest, Log: promslog.New(common.log), Out: std.out, Terminal: std.terminal,
		}
		if *flags.watch {
			options.Watch = *flags.every
		}
		return check.Run(ctx, options)
	}
}

// conflict says which flags exclude each other.
func (f checkFlags) conflict() error {
	for _, c := range []struct {
		wrong bool
		why   string
	}{
		{*f.showRequest != "" && *f.watch, "--show-request sends nothing, so it cannot be combined with --watch, which goes on sending"},
		{*f.showRequest != "" && *f.output == "json", "--show-request prints commands, so it cannot be combined with --output=json"},
		{*f.everyGiven && !*f.watch, "--watch-interval says how often --watch repeats: give both"},
		{*f.every < time.Second, "--watch-interval must be at least 1s"},
	} {
		if c.wrong {
			return errors.New(c.why)
		}
	}
	return nil
}
