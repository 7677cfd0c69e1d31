package web

import (
	"maps"
	"slices"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// cell is the state of one target, as a link to its page. The zero cell is no target.
type cell struct {
	column            string // the target's name, in full
	Name, State, Link string
	Reason            probe.Reason // of a failed one
}

func cellOf(t *state.Target) cell {
	reason, _ := probe.ReasonOf(t.Last.Err)
	return cell{t.Name, view.Printable(t.Name), view.StateOf(t), linkTo(t.Target), reason}
}

// section is all targets of a kind, a row for each institution. With Columns
// each column is a target's name; without, a row just lists its targets.
type section struct {
	Kind, Title string
	Columns     []string
	Rows        []institutionRow
}

type institutionRow struct {
	Name, Link string
	Cells      []cell
}

func sectionTitle(kind string) string {
	return map[string]string{
		probe.KindAPI: "APIs", probe.KindAuth: "Refusal without a valid key",
		probe.KindRabbitMQ: "RabbitMQ", probe.KindKey: "Other credentials",
	}[kind]
}

// sectionsOf arranges targets by kind; those of an institution stand next to each other.
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
	s := section{Kind: kind, Title: sectionTitle(kind)}
	for i, t := range targets {
		if i == 0 || targets[i-1].Institution != t.Institution {
			s.Rows = append(s.Rows, institutionRow{
				Name: named(t.InstitutionTitle, t.Institution), Link: institutionLink(t.Institution),
			})
		}
		row := &s.Rows[len(s.Rows)-1]
		row.Cells = append(row.Cells, cellOf(t))
	}
	names := namesOf(targets)
	if len(s.Rows) > 1 && len(s.Rows)*len(names) < 2*len(targets) { // columns half empty say nothing, and cost
		s.align(names)
	}
	return s
}

func namesOf(targets []*state.Target) []string {
	seen := map[string]bool{}
	for _, t := range targets {
		seen[t.Name] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// align puts the cells of each row under the columns of these names.
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
