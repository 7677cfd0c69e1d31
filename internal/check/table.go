package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// tableLines returns a heading and a line for each row, failures first. After a
// failure comes the id by which the gateway's log has it.
func tableLines(rows []state.Target, paint colors) []string {
	rows = failuresFirst(rows)
	heading := []string{"INSTITUTION", "KIND", "TARGET", "RESULT", "LAYER", "DURATION"}
	cells := [][]string{heading}
	for _, row := range rows {
		cells = append(cells, cellsOf(row))
	}
	widths := widthsOf(cells)
	result := slices.Index(heading, "RESULT")
	lines := []string{joinCells(heading, widths)}
	for i, row := range rows {
		padding := strings.Repeat(" ", widths[result]-width(cells[i+1][result]))
		cells[i+1][result] = paint.of(row) + cells[i+1][result] + paint.end + padding
		lines = append(lines, joinCells(cells[i+1], widths))
		if failed(row) && row.Last.TransactionID != "" {
			lines = append(lines, "    transaction id "+row.Last.TransactionID)
		}
	}
	return lines
}

func cellsOf(row state.Target) []string {
	_, layer := probe.ReasonOf(row.Last.Err)
	return []string{
		view.Sanitize(row.Institution), row.Kind, view.Sanitize(row.Name), formatResult(row.Last.Err), string(layer), formatSeconds(row.Last.Duration),
	}
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

// joinCells pads cells to widths. One that is as wide already, or holds an escape sequence, stays as it is.
func joinCells(cells []string, widths []int) string {
	var line strings.Builder
	for i, cell := range cells {
		line.WriteString(cell + strings.Repeat(" ", max(widths[i]-width(cell), 0)+2))
	}
	return strings.TrimRight(line.String(), " ")
}

// advice says once for each reason that occurs what it means and what to do
// next, in lines of at most so many columns.
func advice(rows []state.Target, columns int) (lines []string) {
	said := map[probe.Explanation]bool{}
	for _, t := range failuresFirst(rows) {
		reason, layer := probe.ReasonOf(t.Last.Err)
		explained := probe.ExplainError(t.Last.Err)
		if !failed(t) || said[explained] {
			continue
		}
		said[explained] = true
		lines = append(lines, "", fmt.Sprintf("%s (%s)", reason, layer))
		lines = append(lines, wrap("    ", explained.Meaning, columns)...)
		lines = append(lines, wrap("    -> ", explained.Next, columns)...)
	}
	return lines
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

// formatResult returns ok, or the reason with its detail.
func formatResult(err error) string {
	if err == nil {
		return "ok"
	}
	reason, _ := probe.ReasonOf(err)
	detail := probe.DetailOf(err)
	if detail == "" {
		return string(reason)
	}
	return string(reason) + ": " + view.Sanitize(detail)
}

// fullName names a target by what the filters take.
func fullName(t probe.Target) string {
	return view.Sanitize(t.Institution + " " + t.Kind + " " + t.Name)
}

func formatSeconds(d time.Duration) string { return fmt.Sprintf("%.3fs", d.Seconds()) }

func (c colors) of(t state.Target) string {
	if failed(t) {
		return c.failed
	}
	return c.ok
}

func failed(t state.Target) bool { return t.Last.Err != nil }
