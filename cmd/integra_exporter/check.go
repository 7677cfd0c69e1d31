package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/promslog"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
)

// checkFlags narrow what is checked and say how it is shown.
type checkFlags struct {
	institutions, kinds, targets *[]string
	output                       *string
}

func checkCommand(app *kingpin.Application) command {
	cmd := app.Command("check", "Run every check once, now. Exits with 0 if all passed, 1 if any failed, 2 if it cannot start.")
	flags := checkFlags{
		institutions: cmd.Flag("institution", "Only this institution (repeatable).").Strings(),
		kinds:        cmd.Flag("kind", "Only this kind: api, auth, rabbitmq or key (repeatable).").Strings(),
		targets:      cmd.Flag("target", "Only the target of this name (repeatable).").Strings(),
		output:       cmd.Flag("output", "table for people, json for scripts.").Default("table").Enum("table", "json"),
	}
	return func(ctx context.Context, common commonFlags, std output) error {
		return check(ctx, common, flags, std)
	}
}

func check(ctx context.Context, common commonFlags, flags checkFlags, std output) error {
	loaded, err := config.Load(*common.configFile, newShared())
	if err != nil {
		return err
	}
	log := promslog.New(common.log)
	for _, warning := range loaded.Warnings {
		log.Debug("configuration: "+warning.Message, "file", warning.File, "line", warning.Line)
	}
	checks := slices.DeleteFunc(loaded.Checks(), func(c probe.Check) bool { return !flags.want(c.Target) })
	if len(checks) == 0 {
		return errors.New("nothing to check: no target of " + *common.configFile + " fits --institution, --kind and --target")
	}
	show := newPresentation(*flags.output, std, len(checks))
	caps := schedule.Caps{Total: loaded.MaxConcurrent, PerHost: loaded.MaxConcurrentPerHost}
	outcomes, err := checkAll(ctx, checks, caps, show.arrived)
	if err != nil {
		return err
	}
	err = show.all(outcomes)
	if err != nil {
		return fmt.Errorf("cannot write the results: %w", err)
	}
	if slices.ContainsFunc(outcomes, func(o outcome) bool { return o.Err != nil }) {
		return errChecksFailed
	}
	return nil
}

func (f checkFlags) want(t probe.Target) bool {
	return wants(*f.institutions, t.Institution) && wants(*f.kinds, t.Kind) && wants(*f.targets, t.Name)
}

func wants(only []string, value string) bool { return len(only) == 0 || slices.Contains(only, value) }

// outcome is a check with its result.
type outcome struct {
	probe.Check
	probe.Result
}

// checkAll runs checks once under caps, calls arrived for each result as it
// comes, from one goroutine, and returns the results in the order of checks.
func checkAll(ctx context.Context, checks []probe.Check, caps schedule.Caps, arrived func(outcome)) ([]outcome, error) {
	scheduler := schedule.New(schedule.Options{
		Report:   func(probe.Target, probe.Result) {},
		Skipped:  func(probe.Target, schedule.Cause) {},
		Panicked: func(probe.Target, []string) {},
	})
	defer scheduler.Close()
	scheduler.Replace(checks, caps)
	type numbered struct {
		index  int
		result probe.Result
		err    error
	}
	results := make(chan numbered)
	for i, check := range checks {
		go func() {
			result, err := scheduler.Now(ctx, check.Target)
			results <- numbered{i, result, err}
		}()
	}
	outcomes := make([]outcome, len(checks))
	var err error
	for range checks {
		r := <-results
		err = errors.Join(err, r.err)
		outcomes[r.index] = outcome{checks[r.index], r.result}
		if r.err == nil {
			arrived(outcomes[r.index])
		}
	}
	if err != nil {
		return nil, errors.New("interrupted")
	}
	return outcomes, nil
}
