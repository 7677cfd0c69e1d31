package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
		kinds: cmd.Flag("kind", "Only this kind: api, auth, rabbitmq or key (repeatable).").
			Enums(probe.KindAPI, probe.KindAuth, probe.KindRabbitMQ, probe.KindKey),
		targets: cmd.Flag("target", "Only the target of this name (repeatable).").Strings(),
		output:  cmd.Flag("output", "table for people, json for scripts.").Default("table").Enum("table", "json"),
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
	checks, err := flags.narrow(loaded.Checks(), *common.configFile)
	if err != nil {
		return err
	}
	show := newPresentation(*flags.output, std, len(checks))
	caps := schedule.Caps{Total: loaded.MaxConcurrent, PerHost: loaded.MaxConcurrentPerHost}
	outcomes := checkAll(ctx, checks, caps, show.arrived)
	err = show.all(outcomes)
	if err != nil {
		return fmt.Errorf("cannot write the results: %w", err)
	}
	if len(outcomes) < len(checks) {
		return errors.New("interrupted")
	}
	if slices.ContainsFunc(outcomes, func(o outcome) bool { return o.Err != nil }) {
		return errChecksFailed
	}
	return nil
}

// outcome is a check with its result.
type outcome struct {
	probe.Check
	probe.Result
}

// checkAll runs checks once under caps, calls arrived for each result as it
// comes, from one goroutine, and returns the results in the order of checks:
// fewer than checks if ctx has ended before.
func checkAll(ctx context.Context, checks []probe.Check, caps schedule.Caps, arrived func(outcome)) []outcome {
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
	done := make(map[int]outcome, len(checks))
	for range checks {
		r := <-results
		if r.err == nil {
			done[r.index] = outcome{checks[r.index], r.result}
			arrived(done[r.index])
		}
	}
	outcomes := make([]outcome, 0, len(done))
	for _, i := range slices.Sorted(maps.Keys(done)) {
		outcomes = append(outcomes, done[i])
	}
	return outcomes
}
