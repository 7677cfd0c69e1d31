package promql_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

var update = flag.Bool("update", false, "write alerts/integra-reasons.rules.yml from the table of reasons in internal/probe")

const reasonsFile = root + "/alerts/integra-reasons.rules.yml"

// The texts that alerts look up are those of the code.
func TestReasonsFile(t *testing.T) {
	want := reasonRules()
	if *update {
		err := os.WriteFile(reasonsFile, []byte(want), 0o644)
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(reasonsFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("go test ./promql -run ReasonsFile -update, in test/, writes it anew (-code +file):\n%s", diff)
	}
}

// reasonRules returns a recorded series for each row of the table of reasons.
func reasonRules() string {
	var b strings.Builder
	b.WriteString(`# What each reason means and what to do next, for the alerts' annotations. Generated from the table of reasons in
# internal/probe, in test/: go test ./promql -run ReasonsFile -update
groups:
  - name: integra-reasons
    rules:
`)
	for _, e := range probe.Explanations() {
		fmt.Fprintf(&b, "      - record: integra:reason_info\n        expr: vector(1)\n"+
			"        labels: {layer: %s, reason: %s, meaning: %q, next: %q}\n", e.Layer, e.Reason, e.Meaning, e.Next)
	}
	return b.String()
}

// An alert on a reason that is spelled wrong never fires.
func TestReasonsInMatchers(t *testing.T) {
	known := map[string]map[string]bool{"reason": {}, "layer": {}}
	for _, e := range probe.Explanations() {
		known["reason"][string(e.Reason)] = true
		known["layer"][string(e.Layer)] = true
	}
	seen := 0
	for _, queries := range sources {
		for _, q := range queries(t) {
			for label, names := range known {
				for _, name := range matched(t, q, label) {
					if strings.ContainsAny(name, "$.*") {
						continue // a variable's
					}
					seen++
					if !names[name] {
						t.Errorf("%s: there is no %s %q", q.where, label, name)
					}
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d reasons in matchers: have they been found?", seen)
	}
}
