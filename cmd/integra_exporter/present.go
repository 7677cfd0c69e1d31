package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// presentation is how check shows results: arrived as they come, passed all of
// them after each pass.
type presentation struct {
	arrived func(arrival)
	passed  func([]state.Target) error
}

func newPresentation(format string, std output, total int) presentation {
	if format == "json" {
		return presentation{
			arrived: func(arrival) {},
			passed:  func(rows []state.Target) error { return view.WriteDocuments(std.out, rows) },
		}
	}
	began := time.Now()
	show := presentation{
		arrived: func(a arrival) { writeLine(std.out, a) },
		passed: func(rows []state.Target) error {
			if len(rows) == 0 {
				return nil // interrupted at once
			}
			lines := append([]string{""}, table{rows: rows, colors: colorsFor(std)}.lines()...)
			lines = append(lines, advice(rows, windowOf(std).columns)...)
			lines = append(lines, "", score(rows)+", in "+shortly(time.Since(began)))
			return writeLines(std.out, lines)
		},
	}
	if std.terminal {
		show.arrived = progress(std.out, total)
	}
	return show
}

func writeLines(w io.Writer, lines []string) error {
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// progress keeps one line of a terminal up to date, and clears it after the last result.
func progress(w io.Writer, total int) func(arrival) {
	arrived, failures := 0, 0
	return func(a arrival) {
		arrived++
		if failed(a.Target) {
			failures++
		}
		line := fmt.Sprintf("%d of %d checked, %d failed", arrived, total, failures) // never shorter than the one before
		_, _ = fmt.Fprint(w, "\r", line)
		if arrived == total {
			_, _ = fmt.Fprint(w, "\r", strings.Repeat(" ", len(line)), "\r")
		}
	}
}

func writeLine(w io.Writer, a arrival) {
	word := "ok"
	if failed(a.Target) {
		word = "failed " + string(a.To.Reason)
	}
	_, _ = fmt.Fprintf(w, "%s: %s %s\n", inFull(a.Target.Target), word, shortly(a.Last.Duration))
}

// inFull names a target as the filters do.
func inFull(t probe.Target) string { return view.Sanitize(t.Institution + " " + t.Kind + " " + t.Name) }

func shortly(d time.Duration) string { return fmt.Sprintf("%.3fs", d.Seconds()) }

// colors are the escape sequences around a result; empty where there are no colors.
type colors struct{ ok, failed, end string }

func colorsFor(std output) colors {
	if !std.terminal || os.Getenv("NO_COLOR") != "" || dumb() {
		return colors{}
	}
	return colors{ok: "\x1b[32m", failed: "\x1b[31m", end: "\x1b[0m"}
}

// dumb says that the terminal knows no escape sequences.
func dumb() bool { return os.Getenv("TERM") == "dumb" }

func (c colors) of(t state.Target) string {
	if failed(t) {
		return c.failed
	}
	return c.ok
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
	return string(reason) + ": " + view.Sanitize(detail)
}

// advice says once for each cause that occurs what it means and what to do
// next, in lines of at most so many columns.
func advice(rows []state.Target, columns int) (lines []string) {
	said := map[probe.Explanation]bool{}
	for _, t := range failuresFirst(rows) {
		reason, layer := probe.ReasonOf(t.Last.Err)
		explained := probe.Explain(reason, layer)
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

func score(rows []state.Target) string {
	return fmt.Sprintf("%d ok, %d failed", passed(rows), len(rows)-passed(rows))
}

func passed(rows []state.Target) int {
	n := 0
	for _, t := range rows {
		if !failed(t) {
			n++
		}
	}
	return n
}
