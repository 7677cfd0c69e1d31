package web

import (
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// runRow is a remembered run as the target's page shows it.
type runRow struct {
	At            time.Time
	Reason        probe.Reason // empty: success
	Layer         probe.Layer
	Detail        string
	Duration      string
	Status        int    // 0: no answer
	Size          string // empty: no answer
	TransactionID string
	Bars          []bar
	Phases        string // the bars in words
}

// ISO is for machines.
func (r *runRow) ISO() string { return r.At.Format(time.RFC3339Nano) }

// Clock is for people.
func (r *runRow) Clock() string { return r.At.Format("2006-01-02 15:04:05") }

// bar is a phase in a waterfall that is barScale wide.
type bar struct {
	Phase    string
	X, Width int64
}

const (
	barScale = 1000
	barLeast = 4 // so that the shortest phase is seen
)

func (p *targetPage) addHistory(runs, failures []state.Run) {
	longest := time.Duration(1)
	reached := probe.Phases{}
	for _, run := range append(runs[:len(runs):len(runs)], failures...) {
		longest = max(longest, run.Duration)
		for phase, d := range run.Phases {
			reached[phase] = max(reached[phase], d)
		}
	}
	for phase, d := range reached {
		if d > 0 {
			p.Phases = append(p.Phases, probe.Phase(phase).String())
		}
	}
	p.Runs, p.Failures = rowsOf(runs, longest), rowsOf(failures, longest)
}

func rowsOf(runs []state.Run, longest time.Duration) []runRow {
	rows := make([]runRow, len(runs))
	for i, run := range runs {
		rows[i] = runRow{
			At: run.Start.UTC(), Reason: run.Reason, Layer: run.Layer, Detail: view.Printable(run.Detail),
			Duration: view.FormatLatency(run.Duration), TransactionID: run.TransactionID,
		}
		if run.Answered {
			rows[i].Status, rows[i].Size = run.Status, view.FormatSize(run.Size)
		}
		rows[i].Bars, rows[i].Phases = waterfall(run.Phases, longest)
	}
	return rows
}

// waterfall lays the phases one after the other, on a scale on which the longest run is full.
func waterfall(phases probe.Phases, longest time.Duration) (bars []bar, words string) {
	var parts []string
	var before time.Duration
	for phase, d := range phases {
		if d == 0 {
			continue
		}
		name := probe.Phase(phase).String()
		width := max(barScale*int64(d)/int64(longest), barLeast)
		x := min(barScale*int64(before)/int64(longest), barScale-width)
		bars = append(bars, bar{name, max(x, 0), width})
		parts = append(parts, name+" "+view.FormatLatency(d))
		before += d
	}
	return bars, strings.Join(parts, ", ")
}
