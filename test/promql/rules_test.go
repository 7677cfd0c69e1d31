// Package promql_test holds what can be proved of the rules, their unit tests
// and the dashboards without running Prometheus: names, labels, texts, links.
package promql_test

import (
	"log/slog"
	"path/filepath"
	"slices"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

const root = "../.." // of the repository

// rules returns every rule of alerts/*.rules.yml, in the order of files and lines.
func rules(t *testing.T) []rulefmt.Rule {
	t.Helper()
	var all []rulefmt.Rule
	for _, path := range files(t, "alerts/*.rules.yml") {
		groups, errs := rulefmt.ParseFile(path, false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		for _, g := range groups.Groups {
			all = append(all, g.Rules...)
		}
	}
	return all
}

// alerts returns the alerting rules.
func alerts(t *testing.T) []rulefmt.Rule {
	t.Helper()
	return slices.DeleteFunc(rules(t), func(r rulefmt.Rule) bool { return r.Alert == "" })
}

// alertNames returns each alert's name once, sorted.
func alertNames(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, r := range alerts(t) {
		names = append(names, r.Alert)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// files returns what a pattern below the repository's root matches, at least one.
func files(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("no %s", pattern)
	}
	return found
}
