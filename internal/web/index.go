package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// indexPage is what index.html shows.
type indexPage struct {
	head
	OK, Failed, Waiting int
	Filtered            bool
	Query               string // of the filter, for the links that keep it
	Fields              []field
	Rejected, InForce   *moment // nil: no configuration was rejected
	Causes              []causeOfMany
	Sections            []section
	Expiry              expiry
	Health              []view.Fact
}

// causeOfMany is a cause with the targets that fail for it.
type causeOfMany struct {
	probe.Explanation
	Failures []failureRow
}

type failureRow struct {
	Institution, Kind, Name, Link string
	Detail, Contact               string
	Since                         *moment
}

func (s *site) index(w http.ResponseWriter, r *http.Request) {
	f, err := filterOf(r)
	if err != nil {
		s.complain(w, r, http.StatusBadRequest, err.Error())
		return
	}
	s.show(w, r, http.StatusOK, "index.html", s.overview(f, time.Now()))
}

func (s *site) overview(f filter, now time.Time) *indexPage {
	all, places, health := s.Targets(), s.Institutions(), s.Health()
	p := &indexPage{
		head: s.head(now), Filtered: f.active(), Query: f.query(), Fields: f.form(all),
		Rejected: momentOf(health.Rejected, now), InForce: momentOf(health.Loaded, now),
		Health: healthOf(health, all, places, now),
	}
	targets := f.narrow(all)
	counts := map[string]int{}
	for i := range targets {
		counts[view.StateOf(&targets[i])]++
	}
	p.OK, p.Failed, p.Waiting = counts[view.StateOK], counts[view.StateFailed], counts[view.StateWaiting]
	p.Title = headline(p.OK, p.Failed, p.Waiting, late(targets, health.Loaded, now))
	p.Tab = p.Title + newest(targets)
	p.Causes = causesOf(targets, now)
	p.Sections = sectionsOf(targets)
	p.Expiry = expiryOf(targets, places, now)
	return p
}

// headline says the whole in one line.
func headline(ok, failed, waiting, overdue int) string {
	fails := view.Plural(failed, "target fails", "targets fail")
	lateness := view.Plural(overdue, "target has not run for three intervals", "targets have not run for three intervals")
	switch {
	case failed > 0 && overdue > 0:
		return fails + ", " + lateness
	case overdue > 0:
		return lateness
	case ok+failed+waiting == 0:
		return "No target"
	case failed > 0:
		return fails
	case ok == 0:
		return "No target has run yet"
	case waiting > 0:
		return "All targets that have run are well"
	}
	return "All targets are well"
}

// causesOf groups what fails by its cause, in the order of the table of reasons: one broken
// gateway is one thing to mend, however many targets it takes down.
func causesOf(targets []state.Target, now time.Time) []causeOfMany {
	byCause := map[state.Outcome][]failureRow{}
	for i := range targets {
		t := &targets[i]
		if view.StateOf(t) == view.StateFailed {
			reason, layer := probe.ReasonOf(t.Last.Err)
			cause := state.Outcome{Reason: reason, Layer: layer}
			byCause[cause] = append(byCause[cause], failureOf(t, now))
		}
	}
	var causes []causeOfMany
	for _, e := range probe.Explanations() {
		rows := byCause[state.Outcome{Reason: e.Reason, Layer: e.Layer}]
		if len(rows) > 0 {
			causes = append(causes, causeOfMany{e, rows})
		}
	}
	return causes
}

func failureOf(t *state.Target, now time.Time) failureRow {
	return failureRow{
		Institution: named(t.InstitutionTitle, t.Institution), Kind: t.Kind, Name: named(t.Title, t.Name), Link: linkTo(t.Target),
		Detail: view.Printable(probe.DetailOf(t.Last.Err)), Contact: view.Printable(t.Contact), Since: momentOf(t.Since, now),
	}
}

// newest names those that began to fail last, so that a page's title changes also when others fail than before.
func newest(targets []state.Target) string {
	const most = 3
	failing := slices.DeleteFunc(slices.Clone(targets), func(t state.Target) bool { return view.StateOf(&t) != view.StateFailed })
	slices.SortStableFunc(failing, func(a, b state.Target) int { return b.Since.Compare(a.Since) })
	var names []string
	for i := range failing[:min(len(failing), most)] {
		names = append(names, view.Printable(failing[i].Name)+" "+failing[i].Kind+" "+view.Printable(failing[i].Institution))
	}
	switch {
	case len(names) == 0:
		return ""
	case len(failing) > most:
		names = append(names, "…")
	}
	return ": " + strings.Join(names, ", ")
}

// late counts the targets that have not run for three of their intervals, or
// not at all although their first run should be over since the configuration was loaded.
func late(targets []state.Target, loaded, now time.Time) int {
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

// kindCounts counts targets by kind, in the order of the kinds.
func kindCounts(targets []state.Target) []int {
	counts := make([]int, len(kinds()))
	for i := range targets {
		counts[slices.Index(kinds(), targets[i].Kind)]++
	}
	return counts
}
