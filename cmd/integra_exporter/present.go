package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// presentation is how check shows results: arrived as they come, all at the end.
type presentation struct {
	arrived func(outcome)
	all     func([]outcome) error
}

func newPresentation(format string, std output, total int) presentation {
	if format == "json" {
		return presentation{
			arrived: func(outcome) {},
			all:     func(outcomes []outcome) error { return writeJSON(std.out, outcomes) },
		}
	}
	colors := colorsFor(std.terminal)
	began := time.Now()
	show := presentation{
		arrived: func(o outcome) { writeLine(std.out, o) },
		all: func(outcomes []outcome) error {
			if len(outcomes) == 0 {
				return nil // interrupted at once
			}
			writeTable(std.out, outcomes, colors)
			writeAdvice(std.out, outcomes)
			return writeSummary(std.out, outcomes, time.Since(began))
		},
	}
	if std.terminal {
		show.arrived = progress(std.out, total)
	}
	return show
}

// progress keeps one line of a terminal up to date, and clears it after the last result.
func progress(w io.Writer, total int) func(outcome) {
	arrived, failed := 0, 0
	return func(o outcome) {
		arrived++
		if o.Err != nil {
			failed++
		}
		line := fmt.Sprintf("%d of %d checked, %d failed", arrived, total, failed) // never shorter than the one before
		_, _ = fmt.Fprint(w, "\r", line)
		if arrived == total {
			_, _ = fmt.Fprint(w, "\r", strings.Repeat(" ", len(line)), "\r")
		}
	}
}

func writeLine(w io.Writer, o outcome) {
	word := "ok"
	if o.Err != nil {
		reason, _ := probe.ReasonOf(o.Err)
		word = "failed " + string(reason)
	}
	_, _ = fmt.Fprintf(w, "%s %s %s: %s %s\n", o.Institution, o.Kind, o.Name, word, shortly(o.Duration))
}

func shortly(d time.Duration) string { return fmt.Sprintf("%.3fs", d.Seconds()) }

// colors are the escape sequences around a result; empty where there are no colors.
type colors struct{ ok, failed, end string }

func colorsFor(terminal bool) colors {
	if !terminal || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return colors{}
	}
	return colors{ok: "\x1b[32m", failed: "\x1b[31m", end: "\x1b[0m"}
}

// writeTable writes a row per outcome, and under a failed one the id to look it up by in the gateway's log.
func writeTable(w io.Writer, outcomes []outcome, c colors) {
	rows := [][]string{{"INSTITUTION", "KIND", "TARGET", "RESULT", "LAYER", "DURATION"}}
	for _, o := range outcomes {
		_, layer := probe.ReasonOf(o.Err)
		rows = append(rows, []string{
			o.Institution, o.Kind, o.Name, inWords(o.Err), string(layer), shortly(o.Duration),
		})
	}
	widths := widthsOf(rows)
	_, _ = fmt.Fprintln(w)
	writeRow(w, rows[0], widths, "", "")
	for i, o := range outcomes {
		paint := c.ok
		if o.Err != nil {
			paint = c.failed
		}
		writeRow(w, rows[i+1], widths, paint, c.end)
		if o.Err != nil && o.TransactionID != "" {
			_, _ = fmt.Fprintf(w, "    transaction id %s\n", o.TransactionID)
		}
	}
}

// inWords says ok, or the reason with what was seen.
func inWords(err error) string {
	if err == nil {
		return "ok"
	}
	reason, _ := probe.ReasonOf(err)
	detail := probe.DetailOf(err)
	if detail == "" {
		return string(reason)
	}
	return string(reason) + ": " + detail
}

// writeAdvice writes once for each cause that occurs what it means and what to do next.
func writeAdvice(w io.Writer, outcomes []outcome) {
	said := map[probe.Explanation]bool{}
	for _, o := range outcomes {
		reason, layer := probe.ReasonOf(o.Err)
		explained := probe.Explain(reason, layer)
		if o.Err == nil || said[explained] {
			continue
		}
		said[explained] = true
		_, _ = fmt.Fprintf(w, "\n%s (%s)\n    %s\n    -> %s\n", reason, layer, explained.Meaning, explained.Next)
	}
}

const resultColumn = 3

func writeRow(w io.Writer, row []string, widths []int, paint, end string) {
	var line strings.Builder
	for i, cell := range row {
		padding := strings.Repeat(" ", widths[i]-width(cell)+2)
		if i == resultColumn {
			cell = paint + cell + end
		}
		line.WriteString(cell + padding)
	}
	_, _ = fmt.Fprintln(w, strings.TrimRight(line.String(), " "))
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

func width(s string) int { return len([]rune(s)) }

func writeSummary(w io.Writer, outcomes []outcome, took time.Duration) error {
	failed := 0
	for _, o := range outcomes {
		if o.Err != nil {
			failed++
		}
	}
	_, err := fmt.Fprintf(w, "\n%d ok, %d failed, in %s\n", len(outcomes)-failed, failed, shortly(took))
	return err
}
