package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// watch runs every check again and again until ctx ends, then says how the last
// full pass went. Passes begin that far apart, but never before the one before is over.
func (c *checker) watch(ctx context.Context, every time.Duration, show presentation) error {
	last := errInterrupted
	for {
		next := time.After(every)
		rows, complete := c.pass(ctx, show.arrived)
		if !complete {
			return last
		}
		err := show.passed(rows)
		if err != nil {
			return fmt.Errorf("cannot write the results: %w", err)
		}
		last = verdict(rows)
		select {
		case <-next:
		case <-ctx.Done():
			return last
		}
	}
}

func newWatching(format string, std output, total int, every time.Duration) presentation {
	switch {
	case format == "json":
		return presentation{
			arrived: func(arrival) {},
			passed:  func(rows []state.Target) error { return writeJSONLine(std.out, rows) },
		}
	case std.terminal && !dumb():
		s := &screen{std: std, every: every, total: total, changed: map[probe.Target]bool{}}
		return presentation{s.note, s.show}
	}
	l := &changes{out: std.out}
	return presentation{l.arrived, func([]state.Target) error { return l.err }}
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

// changes appends a line for each target that is not as it was, the first time for each.
type changes struct {
	out io.Writer
	err error // the first one of writing
}

func (l *changes) arrived(a arrival) {
	if !a.Changed() || l.err != nil {
		return
	}
	line := a.LastRun().Local().Format(time.DateTime) + " " + inFull(a.Target.Target) + ": "
	if failed(a.Target) {
		line += "failed "
	}
	line += inWords(a.Last.Err)
	if !a.First {
		line += "; was " + cmp.Or(string(a.From.Reason), "ok")
	}
	if failed(a.Target) && a.Last.TransactionID != "" {
		line += "; transaction id " + a.Last.TransactionID
	}
	_, l.err = fmt.Fprintln(l.out, line)
}

// screen shows the newest results in the place of those before.
type screen struct {
	std     output
	every   time.Duration
	total   int
	arrived int                   // in the first pass
	changed map[probe.Target]bool // in the pass that is going on
}

func (s *screen) note(a arrival) {
	if !a.First {
		s.changed[a.Target.Target] = a.Changed()
		return
	}
	s.arrived++
	_ = s.draw(fmt.Sprintf("%d of %d checked", s.arrived, s.total)) // it fails again after the pass
}

func (s *screen) show(rows []state.Target) error {
	fits := windowOf(s.std)
	t := table{rows: rows, colors: colorsFor(s.std), since: true, changed: s.changed}
	title := fmt.Sprintf("%s, at %s; again every %s, * marks what has changed, Ctrl-C ends",
		score(rows), time.Now().Format(time.TimeOnly), s.every)
	lines := append([]string{title, ""}, t.lines()...)
	return s.draw(fitting(lines, passed(rows), advice(rows, fits.columns), fits.lines-1)...)
}

// The escape sequences of a screen that is drawn over. Lines are cut at the
// edge while it is drawn, so that each takes one.
const (
	screenBegin = "\x1b[?7l\x1b[H"
	lineEnd     = "\x1b[K\n"
	screenEnd   = "\x1b[J\x1b[?7h"
)

func (s *screen) draw(lines ...string) error {
	_, err := io.WriteString(s.std.out, screenBegin+strings.Join(lines, lineEnd)+lineEnd+screenEnd)
	return err
}

// fitting returns lines, the last of which are about so many targets that
// passed, and more, in at most so many lines: what passed gives way first.
func fitting(lines []string, passed int, more []string, room int) []string {
	over := len(lines) + len(more) - room
	if room <= 0 || over <= 0 {
		return slices.Concat(lines, more)
	}
	hidden := min(over+1, passed)
	if hidden > 0 {
		lines = append(slices.Clone(lines[:len(lines)-hidden]), fmt.Sprintf("… and %d more that passed", hidden))
	}
	lines = slices.Concat(lines, more)
	return lines[:min(len(lines), room)]
}
