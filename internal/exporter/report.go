package exporter

import (
	"context"
	"log/slog"
	"slices"

	"github.com/integra-exporter/integra_exporter/internal/gravitee"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/schedule"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// report records a run, counts it and logs a change.
func (e *Exporter) report(target probe.Target, result probe.Result) {
	result.Err = refineReason(result.Err, e.keys.Refresh(target, e.store.SetKeyInfo))
	change, known := e.record(target, result)
	if !known {
		return
	}
	e.own.Ran(result)
	e.logRun(target, result, change)
}

// refineReason names why the gateway rejected a key, where the API manager knows.
func refineReason(err error, match gravitee.Match) error {
	reason, _ := probe.ReasonOf(err)
	switch {
	case reason != probe.ReasonKeyRejected:
		return err
	case match.Revoked:
		return probe.Fail(probe.ReasonKeyRevoked, "%s", probe.DetailOf(err))
	case match.Expired:
		return probe.Fail(probe.ReasonKeyExpired, "%s", probe.DetailOf(err))
	}
	return err
}

func (e *Exporter) record(target probe.Target, result probe.Result) (change state.Change, known bool) {
	e.swap.RLock()
	defer e.swap.RUnlock()
	change, known = e.store.Report(target, result)
	if known {
		e.metrics.Observe(target, result)
	}
	return change, known
}

func (e *Exporter) logRun(target probe.Target, result probe.Result, change state.Change) {
	level, message := slog.LevelDebug, "run"
	switch {
	case change.Changed() && result.Err != nil:
		level, message = slog.LevelWarn, "target fails"
	case change.Changed() && !change.First:
		level, message = slog.LevelInfo, "target recovered"
	}
	attrs := []slog.Attr{
		slog.String("institution", target.Institution), slog.String("kind", target.Kind), slog.String("target", target.Name),
		slog.Bool("success", result.Err == nil), slog.String("reason", string(change.To.Reason)),
		slog.String("layer", string(change.To.Layer)), slog.String("detail", probe.DetailOf(result.Err)),
		slog.Duration("duration", result.Duration), slog.String("transaction_id", result.TransactionID),
	}
	attrs = slices.DeleteFunc(attrs, func(a slog.Attr) bool { return a.Value.String() == "" })
	e.log.LogAttrs(context.Background(), level, message, attrs...)
}

func (e *Exporter) skipped(_ probe.Target, cause schedule.SkipCause) {
	e.own.Skipped(string(cause))
	e.skips[cause].Add(1)
}

func (e *Exporter) panicked(target probe.Target, at []string) {
	e.log.Error("probe panicked; its message is withheld, since it may quote an answer",
		"institution", target.Institution, "kind", target.Kind, "target", target.Name, "at", at)
}
