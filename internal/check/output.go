package check

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// output shows results: each run as it ends, and all targets after each pass.
type output struct {
	runEnded  func(endedRun)
	passEnded func([]state.Target) error
}

// endedRun is a target after a run, and how that compares with the run before.
type endedRun struct {
	state.Target
	state.Change
}

func newOutput(o Options, total int) output {
	if o.JSON {
		return output{
			runEnded:  func(endedRun) {},
			passEnded: func(rows []state.Target) error { return view.WriteDocuments(o.Out, rows) },
		}
	}
	started := time.Now()
	out := output{
		runEnded: func(e endedRun) { writeLine(o.Out, e) },
		passEnded: func(rows []state.Target) error {
			if len(rows) == 0 {
				return nil // interrupted at once
			}
			lines := append([]string{""}, tableLines(rows, colorsFor(o.Terminal))...)
			lines = append(lines, advice(rows, columnsOf(o.Out, o.Terminal))...)
			lines = append(lines, "", countResults(rows)+", in "+formatSeconds(time.Since(started)))
			_, err := io.WriteString(o.Out, strings.Join(lines, "\n")+"\n")
			return err
		},
	}
	if o.Terminal {
		out.runEnded = progress(o.Out, total)
	}
	return out
}

// progress keeps one line of a terminal up to date, and clears it after the last result.
func progress(w io.Writer, total int) func(endedRun) {
	ended, failures := 0, 0
	return func(e endedRun) {
		ended++
		if failed(e.Target) {
			failures++
		}
		line := fmt.Sprintf("%d of %d checked, %d failed", ended, total, failures) // never shorter than the one before
		_, _ = fmt.Fprint(w, "\r", line)
		if ended == total {
			_, _ = fmt.Fprint(w, "\r", strings.Repeat(" ", len(line)), "\r")
		}
	}
}

func writeLine(w io.Writer, e endedRun) {
	result := "ok"
	if failed(e.Target) {
		result = "failed " + string(e.To.Reason)
	}
	_, _ = fmt.Fprintf(w, "%s: %s %s\n", fullName(e.Target.Target), result, formatSeconds(e.Last.Duration))
}

func countResults(rows []state.Target) string {
	failures := 0
	for _, row := range rows {
		if failed(row) {
			failures++
		}
	}
	return fmt.Sprintf("%d ok, %d failed", len(rows)-failures, failures)
}

func newWatchOutput(o Options) output {
	if o.JSON {
		return output{
			runEnded:  func(endedRun) {},
			passEnded: func(rows []state.Target) error { return writeJSONLine(o.Out, rows) },
		}
	}
	c := &changeWriter{out: o.Out}
	return output{c.runEnded, func([]state.Target) error { return c.err }}
}

// writeJSONLine writes what WriteDocuments does, on one line.
func writeJSONLine(w io.Writer, rows []state.Target) error {
	var documents, line bytes.Buffer
	err := view.WriteDocuments(&documents, rows)
	if err != nil {
		return err
	}
	err = json.Compact(&line, documents.Bytes())
	if err != nil {
		return err
	}
	line.WriteByte('\n')
	_, err = line.WriteTo(w)
	return err
}

// changeWriter writes a line for each target whose result is not as before, and for the first result of each.
type changeWriter struct {
	out io.Writer
	err error // the first one of writing
}

func (w *changeWriter) runEnded(e endedRun) {
	if !e.Changed() || w.err != nil {
		return
	}
	line := e.LastRun().Local().Format(time.DateTime) + " " + fullName(e.Target.Target) + ": "
	if failed(e.Target) {
		line += "failed "
	}
	line += formatResult(e.Last.Err)
	if !e.First {
		line += "; was " + cmp.Or(string(e.From.Reason), "ok")
	}
	if failed(e.Target) && e.Last.TransactionID != "" {
		line += "; transaction id " + e.Last.TransactionID
	}
	_, w.err = fmt.Fprintln(w.out, line)
}
