package web

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// Health is the state of the exporter itself.
type Health struct {
	Version  string
	Started  time.Time
	Loaded   time.Time         // when the configuration in force was loaded; zero: none is loaded
	Rejected time.Time         // when a newer configuration was rejected; zero: none was
	InFlight int               // running probes
	Skipped  map[string]uint64 // skipped runs by cause
}

func healthFacts(h Health, targets []state.Target, institutions []state.Institution, now time.Time) []view.Fact {
	facts := []view.Fact{configurationFact(h, now), targetsFact(targets), scheduleFact(h, countOverdue(targets, h.Loaded, now))}
	facts = append(facts, managerFacts(institutions, now)...)
	return append(facts, view.Fact{Name: "Exporter", Value: h.Version + ", running for " + view.FormatAge(now.Sub(h.Started))})
}

func configurationFact(h Health, now time.Time) view.Fact {
	f := view.Fact{Name: "Configuration", Value: "not loaded", Bad: true}
	if !h.Loaded.IsZero() {
		f.Value, f.Bad = "loaded "+view.FormatAge(now.Sub(h.Loaded))+" ago", false
	}
	if !h.Rejected.IsZero() {
		f.Value, f.Bad = f.Value+"; a newer one was rejected "+view.FormatAge(now.Sub(h.Rejected))+" ago", true
	}
	return f
}

func targetsFact(targets []state.Target) view.Fact {
	counts := map[string]int{}
	for i := range targets {
		counts[targets[i].Kind]++
	}
	var parts []string
	for _, kind := range kinds() {
		parts = append(parts, fmt.Sprintf("%d %s", counts[kind], kind))
	}
	return view.Fact{Name: "Targets", Value: strings.Join(parts, ", ")}
}

// scheduleFact says whether the checks run on time.
func scheduleFact(h Health, overdue int) view.Fact {
	f := view.Fact{Name: "Runs", Value: fmt.Sprintf("%d in flight", h.InFlight)}
	for _, cause := range slices.Sorted(maps.Keys(h.Skipped)) {
		f.Value += fmt.Sprintf(", %d skipped (%s)", h.Skipped[cause], cause)
	}
	if overdue > 0 {
		f.Value += "; " + view.Plural(overdue, "target has not run for three intervals", "targets have not run for three intervals")
		f.Bad = true
	}
	return f
}

// countOverdue counts the targets that have not run for three intervals, and those without a
// run although the first one should have ended since the configuration was loaded.
func countOverdue(targets []state.Target, loaded, now time.Time) int {
	n := 0
	for i := range targets {
		t := &targets[i]
		since, most := t.LastRun(), 3*t.Interval
		if t.Runs == 0 {
			since, most = loaded, t.Interval+t.Timeout
		}
		if now.Sub(since) > most {
			n++
		}
	}
	return n
}

func managerFacts(institutions []state.Institution, now time.Time) (facts []view.Fact) {
	slices.SortFunc(institutions, func(a, b state.Institution) int { return cmp.Compare(a.Name, b.Name) })
	for _, i := range institutions {
		if !i.Managed {
			continue
		}
		f := view.Fact{Name: "API manager of " + view.Printable(i.Name), Value: "not read yet"}
		switch {
		case i.Manager.OK:
			f.Value = "readable"
		case i.Manager.Tried:
			f.Value, f.Bad = "cannot be read (see the log)", true
		}
		if !i.Manager.LastSuccess.IsZero() {
			f.Value += ", last read " + view.FormatAge(now.Sub(i.Manager.LastSuccess)) + " ago"
		}
		facts = append(facts, f)
	}
	return facts
}
