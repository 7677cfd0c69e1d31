//go:build system

package probe_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// elsewhere are the causes that no fault of a probe has, and who concludes them.
var elsewhere = map[probe.Reason]string{
	probe.ReasonKeyRevoked: "the exporter says it instead of `key_rejected` where the API manager says that the key was revoked " +
		"(likewise `key_expired`); `cmd/integra_exporter/key_watch_test.go`",
	probe.ReasonInternal: "any failure without a reason of its own; no known fault leads to it",
}

// everyReason fails if the table of causes has one that no fault provokes.
func everyReason(t *testing.T, all []told) {
	t.Helper()
	for _, e := range probe.Explanations() {
		provoked := slices.ContainsFunc(all, func(a told) bool { return a.reason == e.Reason && a.layer == e.Layer })
		if _, known := elsewhere[e.Reason]; provoked == known {
			t.Errorf("%s at %s: provoked by a fault: %v, elsewhere: %v", e.Reason, e.Layer, provoked, known)
		}
	}
}

const pageHead = `# Faults

Every fault that the tests can produce, in the order of a request's way, and what the exporter says of it. This page is written
by the tests (` + "`go test -tags system ./internal/probe -run TestFaults -update`" + `), from what the probes said: each row is injected on a real
connection on loopback, against a real RabbitMQ where one is needed, and each fails the tests when something else is said.

- **Cause** is the label ` + "`reason`" + ` and the label ` + "`layer`" + `: who is at fault. *passes*: strange, but nothing that a client would suffer from.
- **When**: *at once*, as soon as it shows; *at the deadline*, when ` + "`timeout`" + ` ends; *after 3 s*, which is RabbitMQ's.
- **In its own words** is what ` + "`check`" + `, the status page and the log add to the cause. None of them holds anything of an answer, a key
  or a foreign error: the tests plant a word in all bodies and keys of this page and look for it in all that is printed.
- **What it says to do** is the same sentence in ` + "`check`" + `, on the status page, in the alert and in the
  [runbook](runbooks/IntegraTargetFailing.md).
`

func render(rows []probe.Fault, all []told) string {
	var b strings.Builder
	b.WriteString(pageHead)
	fmt.Fprintf(&b, "\n%d faults, %d causes.\n", shownRows(rows), causes(rows, all))
	group := ""
	for i, row := range rows {
		if row.Group == "" {
			continue
		}
		if row.Group != group {
			group = row.Group
			fmt.Fprintf(&b, "\n## %s\n\n| fault | cause | when | in its own words | what it says to do |\n|---|---|---|---|---|\n", group)
		}
		b.WriteString(line(row, all[i]))
	}
	b.WriteString("\n## Proved elsewhere\n\n")
	for _, e := range probe.Explanations() {
		if said, known := elsewhere[e.Reason]; known {
			fmt.Fprintf(&b, "- `%s`: %s.\n", e.Reason, said)
		}
	}
	b.WriteString("- The disk is full and no log can be written: the exporter goes on probing, answering and reloading;\n" +
		"  `cmd/integra_exporter/faults_local_test.go`.\n")
	return b.String()
}

func line(row probe.Fault, said told) string {
	cause, next := "passes", ""
	if said.reason != "" {
		cause = fmt.Sprintf("[`%s`](runbooks/IntegraTargetFailing.md#%s), %s", said.reason, anchor(said), said.layer)
		next = probe.Explain(said.reason, said.layer).Next
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", row.Name, cause, row.Pace.Words, said.detail, next)
}

// anchor is where the runbook explains a cause; one reason has two layers.
func anchor(said told) string {
	if said.layer != probe.Fail(said.reason, "").Layer { // the first layer that has the reason
		return string(said.layer) + "-" + string(said.reason)
	}
	return string(said.reason)
}

func shownRows(rows []probe.Fault) int {
	return len(slices.DeleteFunc(slices.Clone(rows), func(r probe.Fault) bool { return r.Group == "" }))
}

func causes(rows []probe.Fault, all []told) int {
	found := map[told]bool{}
	for i, a := range all {
		if rows[i].Group != "" && a.reason != "" {
			found[told{reason: a.reason, layer: a.layer}] = true
		}
	}
	return len(found)
}

func TestFaultsHaveNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, row := range faults() {
		name := row.Group + "/" + row.Name
		if seen[name] || row.Name == "" || strings.ContainsAny(row.Name, "|\n") {
			t.Errorf("%q is there twice, or cannot stand in a table", name)
		}
		seen[name] = true
	}
}
