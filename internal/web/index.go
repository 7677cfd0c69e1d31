package web

import (
	"cmp"
	"maps"
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
	Rejected, Loaded    *timestamp // nil: no configuration was rejected, or none is loaded
	Causes              []failureCause
	Sections            []section
	Expiry              expiry
	Health              []view.Fact
}

func (s *site) index(w http.ResponseWriter, r *http.Request) {
	f, err := filterOf(r)
	if err != nil {
		s.showError(w, r, http.StatusBadRequest, err.Error())
		return
	}
	s.show(w, r, http.StatusOK, "index.html", s.indexPage(f, time.Now()))
}

func (s *site) indexPage(f filter, now time.Time) *indexPage {
	all, institutions, health := s.Targets(), s.Institutions(), s.Health()
	p := &indexPage{
		head: s.head(now), Filtered: f.active(), Query: f.query(), Fields: f.form(all),
		Rejected: timestampOf(health.Rejected, now), Loaded: timestampOf(health.Loaded, now),
		Health: healthFacts(health, all, institutions, now),
	}
	targets := f.apply(all)
	counts := map[string]int{}
	for i := range targets {
		counts[view.StateOf(&targets[i])]++
	}
	p.OK, p.Failed, p.Waiting = counts[view.StateOK], counts[view.StateFailed], counts[view.StateWaiting]
	p.Title = headline(p.OK, p.Failed, p.Waiting, countOverdue(targets, health.Loaded, now))
	p.Tab = p.Title + latestFailures(targets)
	p.Causes = failureCauses(targets, now)
	p.Sections = sectionsOf(targets)
	p.Expiry = expiryOf(targets, institutions, now)
	return p
}

// headline sums up the page in one line.
func headline(ok, failed, waiting, overdue int) string {
	fails := view.Plural(failed, "target fails", "targets fail")
	late := view.Plural(overdue, "target has not run for three intervals", "targets have not run for three intervals")
	switch {
	case failed > 0 && overdue > 0:
		return fails + ", " + late
	case overdue > 0:
		return late
	case ok+failed+waiting == 0:
		return "No targets"
	case failed > 0:
		return fails
	case ok == 0:
		return "No target has run yet"
	case waiting > 0:
		return "All targets that have run are OK"
	}
	return "All targets are OK"
}

// latestFailures names the targets that began to fail last. The page's title then also
// changes if one target recovers and another one fails.
func latestFailures(targets []state.Target) string {
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

// failureCause is a reason and layer with the targets that fail for it.
type failureCause struct {
	probe.Explanation
	Failures []failureRow
}

type failureRow struct {
	Institution, Kind, Name, Link string
	Detail, Contact               string
	Since                         *timestamp
}

// failureCauses groups the failing targets by cause, in the order of the table of reasons: one broken
// gateway is one thing to repair, however many targets it takes down.
func failureCauses(targets []state.Target, now time.Time) []failureCause {
	byCause := map[probe.Explanation][]failureRow{}
	for i := range targets {
		t := &targets[i]
		if view.StateOf(t) == view.StateFailed {
			cause := probe.ExplainError(t.Last.Err)
			byCause[cause] = append(byCause[cause], failureRowOf(t, now))
		}
	}
	rank := map[state.Outcome]int{}
	for i, e := range probe.Explanations() {
		rank[state.Outcome{Reason: e.Reason, Layer: e.Layer}] = i
	}
	rankOf := func(e probe.Explanation) int { return rank[state.Outcome{Reason: e.Reason, Layer: e.Layer}] }
	inOrder := slices.SortedFunc(maps.Keys(byCause), func(a, b probe.Explanation) int {
		return cmp.Or(cmp.Compare(rankOf(a), rankOf(b)), cmp.Compare(a.Next, b.Next))
	})
	var causes []failureCause
	for _, e := range inOrder {
		causes = append(causes, failureCause{e, byCause[e]})
	}
	return causes
}

func failureRowOf(t *state.Target, now time.Time) failureRow {
	return failureRow{
		Institution: titled(t.InstitutionTitle, t.Institution), Kind: t.Kind, Name: titled(t.Title, t.Name), Link: targetLink(t.Target),
		Detail: view.Printable(probe.DetailOf(t.Last.Err)), Contact: view.Printable(t.Contact), Since: timestampOf(t.Since, now),
	}
}

// section shows all targets of a kind, with a row for each institution. If it has Columns,
// each column is a target's name; if not, a row lists its targets.
type section struct {
	Kind, Title string
	Columns     []string
	Rows        []institutionRow
}

type institutionRow struct {
	Name, Link string
	Cells      []cell
}

// cell is the state of one target, as a link to its page. The zero cell is no target.
type cell struct {
	column            string // the target's full name
	Name, State, Link string
	Reason            probe.Reason // of a failed one
}

// sectionsOf arranges targets by kind. Those of an institution must follow each other.
func sectionsOf(targets []state.Target) []section {
	byKind := map[string][]*state.Target{}
	for i := range targets {
		byKind[targets[i].Kind] = append(byKind[targets[i].Kind], &targets[i])
	}
	var sections []section
	for _, kind := range kinds() {
		if len(byKind[kind]) > 0 {
			sections = append(sections, sectionOf(kind, byKind[kind]))
		}
	}
	return sections
}

func sectionOf(kind string, targets []*state.Target) section {
	title := map[string]string{
		probe.KindAPI: "APIs", probe.KindAuth: "Refusal without a valid key",
		probe.KindRabbitMQ: "RabbitMQ", probe.KindKey: "Other credentials",
	}[kind]
	s := section{Kind: kind, Title: title}
	names := map[string]bool{}
	for i, t := range targets {
		if i == 0 || targets[i-1].Institution != t.Institution {
			s.Rows = append(s.Rows, institutionRow{
				Name: titled(t.InstitutionTitle, t.Institution), Link: institutionLink(t.Institution),
			})
		}
		row := &s.Rows[len(s.Rows)-1]
		row.Cells = append(row.Cells, cellOf(t))
		names[t.Name] = true
	}
	if len(s.Rows) > 1 && len(s.Rows)*len(names) < 2*len(targets) { // a matrix that is half empty tells nothing, and costs much
		s.align(slices.Sorted(maps.Keys(names)))
	}
	return s
}

func cellOf(t *state.Target) cell {
	reason, _ := probe.ReasonOf(t.Last.Err)
	return cell{t.Name, view.Printable(t.Name), view.StateOf(t), targetLink(t.Target), reason}
}

// align makes a column of each name, and puts the cells of every row under theirs.
func (s *section) align(names []string) {
	column := make(map[string]int, len(names))
	for i, name := range names {
		column[name] = i
		s.Columns = append(s.Columns, view.Printable(name))
	}
	for i, row := range s.Rows {
		aligned := make([]cell, len(names))
		for _, c := range row.Cells {
			aligned[column[c.column]] = c
		}
		s.Rows[i].Cells = aligned
	}
}
