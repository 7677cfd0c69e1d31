package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// checkFlags narrow what is checked, and say how often and how it is shown.
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
		institutions: cmd.Flag("institution", "Only this institution (repeatable).").HintAction(offered(common, institutionOf)).Strings(),
		kinds: cmd.Flag("kind", "Only this kind: api, auth, rabbitmq or key (repeatable).").
			HintOptions(kinds...).Enums(kinds...),
		targets: cmd.Flag("target", "Only the target of this name (repeatable).").HintAction(offered(common, nameOf)).Strings(),
		output:  cmd.Flag("output", "table for people, json for scripts.").Default("table").Enum("table", "json"),
		watch: cmd.Flag("watch", "Go on until Ctrl-C, and show what changes. Every run counts against the quotas of the gateway, "+
			"and each of kind auth shows it a wrong key. The configuration is read once; exits as the last full pass would.").Bool(),
		everyGiven: new(bool),
		showRequest: cmd.Flag("show-request", "Send nothing: print the requests as commands for curl or powershell, with $KEY in the key's place.").
			PlaceHolder("SHELL").Enum("curl", "powershell"),
	}
	flags.every = cmd.Flag("watch-interval", "Time from the start of a pass to the start of the next, at least 1s.").
		Default("10s").IsSetByUser(flags.everyGiven).Duration()
	return func(ctx context.Context, common commonFlags, std output) error {
		return check(ctx, common, flags, std)
	}
}

// conflict says which flags exclude each other.
func (f checkFlags) conflict() error {
	for _, c := range []struct {
		wrong bool
		why   string
	}{
		{*f.showRequest != "" && *f.watch, "--show-request and --watch exclude each other: the one sends nothing, the other goes on sending"},
		{*f.showRequest != "" && *f.output == "json", "--show-request and --output=json exclude each other: a command is no result"},
		{*f.everyGiven && !*f.watch, "--watch-interval says how often --watch repeats: give both"},
		{*f.every < time.Second, "--watch-interval must be at least 1s"},
	} {
		if c.wrong {
			return errors.New(c.why)
		}
	}
	return nil
}

func check(ctx context.Context, common commonFlags, flags checkFlags, std output) error {
	err := flags.conflict()
	if err != nil {
		return err
	}
	loaded, err := config.Load(*common.configFile, newShared())
	if err != nil {
		return err
	}
	log := promslog.New(common.log)
	for _, warning := range loaded.Warnings {
		log.Debug("configuration: "+warning.Message, "file", warning.File, "line", warning.Line)
	}
	checks, err := flags.narrow(loaded.Checks(), *common.configFile)
	if err != nil {
		return err
	}
	if *flags.showRequest != "" {
		return showRequests(std.out, loaded, checks, *flags.showRequest)
	}
	c := newChecker(checks, schedule.Caps{Total: loaded.MaxConcurrent, PerHost: loaded.MaxConcurrentPerHost})
	defer c.scheduler.Close()
	c.learn(loaded, newKeyring(log))
	if *flags.watch {
		return c.watch(ctx, *flags.every, newWatching(*flags.output, std, len(checks), *flags.every))
	}
	return c.once(ctx, newPresentation(*flags.output, std, len(checks)))
}

// checker runs checks and remembers what came of them.
type checker struct {
	checks    []probe.Check
	scheduler *schedule.Scheduler
	store     *state.Store
}

func newChecker(checks []probe.Check, caps schedule.Caps) *checker {
	c := &checker{checks: checks, store: state.New()}
	c.scheduler = schedule.New(schedule.Options{
		Report:   func(probe.Target, probe.Result) {},
		Skipped:  func(probe.Target, schedule.SkipCause) {},
		Panicked: func(probe.Target, []string) {},
	})
	c.scheduler.Replace(checks, caps)
	c.store.Replace(checks)
	return c
}

// learn remembers what the configuration says of the keys.
func (c *checker) learn(loaded *config.Config, keys *keyring) {
	keys.replace(loaded)
	for _, check := range c.checks {
		learned, _, used := keys.about(check.Target)
		if used {
			c.store.SetKeyInfo(check.Target, learned)
		}
	}
}

var errInterrupted = errors.New("interrupted")

// once runs every check, shows the results and says how it went.
func (c *checker) once(ctx context.Context, show presentation) error {
	rows, complete := c.pass(ctx, show.arrived)
	err := show.passed(rows)
	switch {
	case err != nil:
		return fmt.Errorf("cannot write the results: %w", err)
	case !complete:
		return errInterrupted
	}
	return verdict(rows)
}

func verdict(rows []state.Target) error {
	if slices.ContainsFunc(rows, failed) {
		return errChecksFailed
	}
	return nil
}

func failed(t state.Target) bool { return t.Last.Err != nil }

// arrival is a target after a run, and how it compares with the run before.
type arrival struct {
	state.Target
	state.Change
}

// pass runs every check under the caps and calls arrived for each result as it
// comes, from one goroutine. It returns what is known of those that have ever
// run, sorted by institution, kind and name. It is not complete if ctx has
// ended before.
func (c *checker) pass(ctx context.Context, arrived func(arrival)) (rows []state.Target, complete bool) {
	type ended struct {
		target probe.Target
		result probe.Result
		err    error
	}
	results := make(chan ended)
	for _, check := range c.checks {
		go func() {
			result, err := c.scheduler.RunNow(ctx, check.Target, schedule.OnDemand{})
			results <- ended{check.Target, result, err}
		}()
	}
	complete = true
	for range c.checks {
		r := <-results
		if r.err != nil {
			complete = false
			continue
		}
		change, _ := c.store.Report(r.target, r.result)
		row, _ := c.store.Target(r.target)
		arrived(arrival{row, change})
	}
	rows = slices.DeleteFunc(c.store.Snapshot(), func(t state.Target) bool { return t.Runs == 0 })
	return rows, complete
}
