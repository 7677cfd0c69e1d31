package web

import (
	"net/http"
	"slices"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
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
	Health              []Fact
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
		counts[stateOf(&targets[i])]++
	}
	p.OK, p.Failed, p.Waiting = counts[stateOK], counts[stateFailed], counts[stateWaiting]
	p.Title = headline(p.OK, p.Failed, p.Waiting)
	p.Causes = causesOf(targets, now)
	p.Sections = sectionsOf(targets)
	p.Expiry = expiryOf(targets, places, now)
	return p
}

// headline says the whole in one line.
func headline(ok, failed, waiting int) string {
	switch {
	case ok+failed+waiting == 0:
		return "No target"
	case failed > 0:
		return plural(failed, "target fails", "targets fail")
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
	byCause := map[state.Cause][]failureRow{}
	for i := range targets {
		t := &targets[i]
		if stateOf(t) == stateFailed {
			reason, layer := probe.ReasonOf(t.Last.Err)
			cause := state.Cause{Reason: reason, Layer: layer}
			byCause[cause] = append(byCause[cause], failureOf(t, now))
		}
	}
	var causes []causeOfMany
	for _, e := range probe.Explanations() {
		rows := byCause[state.Cause{Reason: e.Reason, Layer: e.Layer}]
		if len(rows) > 0 {
			causes = append(causes, causeOfMany{e, rows})
		}
	}
	return causes
}

func failureOf(t *state.Target, now time.Time) failureRow {
	return failureRow{
		Institution: named(t.InstitutionTitle, t.Institution), Kind: t.Kind, Name: named(t.Title, t.Name), Link: linkTo(t.Target),
		Detail: shown(probe.DetailOf(t.Last.Err)), Contact: shown(t.Contact), Since: momentOf(t.Since, now),
	}
}

// late counts the targets that have not run for three of their intervals.
func late(targets []state.Target, now time.Time) int {
	n := 0
	for i := range targets {
		if targets[i].Runs > 0 && now.Sub(targets[i].LastRun()) > 3*targets[i].Interval {
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
