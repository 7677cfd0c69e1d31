package main

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// table shows what came of the checks, for people.
type table struct {
	rows    []state.Target
	colors  colors
	since   bool                  // a first column says since when things are as they are
	changed map[probe.Target]bool // and marks these
}

// failuresFirst returns rows with those that failed first, else in the same order.
func failuresFirst(rows []state.Target) []state.Target {
	return slices.SortedStableFunc(slices.Values(rows), func(a, b state.Target) int {
		return cmp.Compare(rank(a), rank(b))
	})
}

func rank(t state.Target) int {
	if failed(t) {
		return 0
	}
	return 1
}

// lines returns the heading, then a line for each row, failures first: those
// are followed by the id to look them up by in the gateway's log.
func (t table) lines() []string {
	rows := failuresFirst(t.rows)
	cells := [][]string{t.heading()}
	for _, row := range rows {
		cells = append(cells, t.cells(row))
	}
	widths := widthsOf(cells)
	result := slices.Index(cells[0], "RESULT")
	lines := []string{joined(cells[0], widths)}
	for i, row := range rows {
		padding := strings.Repeat(" ", widths[result]-width(cells[i+1][result]))
		cells[i+1][result] = t.colors.of(row) + cells[i+1][result] + t.colors.end + padding
		lines = append(lines, joined(cells[i+1], widths))
		if failed(row) && row.Last.TransactionID != "" {
			lines = append(lines, "    transaction id "+row.Last.TransactionID)
		}
	}
	return lines
}

func (t table) heading() []string {
	cells := []string{"INSTITUTION", "KIND", "TARGET", "RESULT", "LAYER", "DURATION"}
	if t.since {
		cells = slices.Insert(cells, 0, "  SINCE")
	}
	return cells
}

func (t table) cells(row state.Target) []string {
	_, layer := probe.ReasonOf(row.Last.Err)
	cells := []string{
		view.Sanitize(row.Institution), row.Kind, view.Sanitize(row.Name), inWords(row.Last.Err), string(layer), shortly(row.Last.Duration),
	}
	switch {
	case !t.since:
		return cells
	case t.changed[row.Target]:
		return slices.Insert(cells, 0, "* "+clock(row.Since))
	}
	return slices.Insert(cells, 0, "  "+clock(row.Since))
}

// clock returns the local time of a moment of the last day, and the date of an earlier one.
func clock(at time.Time) string {
	const day = 24 * time.Hour
	if time.Since(at) < day {
		return at.Local().Format(time.TimeOnly)
	}
	return at.Local().Format(time.DateOnly)
}

func widthsOf(rows [][]string) []int {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], width(cell))
		}
	}
	return widths
}

// joined pads cells to widths. One that is as wide already, or holds an escape sequence, stays as it is.
func joined(cells []string, widths []int) string {
	var line strings.Builder
	for i, cell := range cells {
		line.WriteString(cell + strings.Repeat(" ", max(widths[i]-width(cell), 0)+2))
	}
	return strings.TrimRight(line.String(), " ")
}
