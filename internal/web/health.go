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

// Health is how the exporter itself fares.
type Health struct {
	Version  string
	Started  time.Time
	Loaded   time.Time         // when the configuration in force was loaded; zero: none is
	Rejected time.Time         // when one was rejected since; zero: none was
	InFlight int               // probes that are going on
	Skipped  map[string]uint64 // runs that did not begin, by cause
}

func healthOf(h Health, targets []state.Target, places []state.Institution, now time.Time) []view.Fact {
	facts := []view.Fact{configurationFact(h, now), targetsFact(targets), scheduleFact(h, late(targets, h.Loaded, now))}
	facts = append(facts, managerFacts(places, now)...)
	return append(facts, view.Fact{Name: "Exporter", Value: h.Version + ", running for " + view.FormatAge(now.Sub(h.Started))})
}

func configurationFact(h Health, now time.Time) view.Fact {
	f := view.Fact{Name: "Configuration", Value: "none is loaded", Bad: true}
	if !h.Loaded.IsZero() {
		f.Value, f.Bad = "loaded "+view.FormatAge(now.Sub(h.Loaded))+" ago", false
	}
	if !h.Rejected.IsZero() {
		f.Value, f.Bad = f.Value+"; a newer one was rejected "+view.FormatAge(now.Sub(h.Rejected))+" ago", true
	}
	return f
}

func targetsFact(targets []state.Target) view.Fact {
	var parts []string
	for i, n := range kindCounts(targets) {
		parts = append(parts, fmt.Sprintf("%d %s", n, kinds()[i]))
	}
	return view.Fact{Name: "Targets", Value: strings.Join(parts, ", ")}
}

// scheduleFact says whether the checks run when they should.
func scheduleFact(h Health, overdue int) view.Fact {
	f := view.Fact{Name: "Runs", Value: view.Plural(h.InFlight, "is going on", "are going on")}
	for _, cause := range slices.Sorted(maps.Keys(h.Skipped)) {
		f.Value += fmt.Sprintf(", %d skipped for %s", h.Skipped[cause], cause)
	}
	if overdue > 0 {
		f.Value += "; " + view.Plural(overdue, "target has not run for three intervals", "targets have not run for three intervals")
		f.Bad = true
	}
	return f
}

func managerFacts(places []state.Institution, now time.Time) (facts []view.Fact) {
	slices.SortFunc(places, func(a, b state.Institution) int { return cmp.Compare(a.Name, b.Name) })
	for _, p := range places {
		if !p.Managed {
			continue
		}
		f := view.Fact{Name: "API manager of " + view.Printable(p.Name), Value: "not read yet"}
		if p.Manager.Tried {
			f.Value, f.Bad = "read", !p.Manager.OK
			if f.Bad {
				f.Value = "cannot be read; the log says why"
			}
		}
		if !p.Manager.LastSuccess.IsZero() {
			f.Value += ", last " + view.FormatAge(now.Sub(p.Manager.LastSuccess)) + " ago"
		}
		facts = append(facts, f)
	}
	return facts
}
