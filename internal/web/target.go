package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// targetPage is what target.html shows.
type targetPage struct {
	head
	Institution, InstitutionLink string
	Kind, Name, Contact, State   string
	Count                        string // of runs and failures
	Explained                    probe.Explanation
	Detail, TransactionID        string
	Since, LastRun, LastSuccess  *timestamp
	Groups                       []view.FactGroup
	Failures, Runs               []runRow
	Phases                       []string // those that the rows show
	Configured                   []view.Fact
	Curl, PowerShell             string
	Unauthenticated              bool // the request carries no valid key
}

func (s *site) target(w http.ResponseWriter, r *http.Request) {
	asked, err := targetOf(r)
	if err != nil {
		s.showError(w, r, http.StatusBadRequest, err.Error())
		return
	}
	t, known := s.Target(asked)
	if !known {
		s.showError(w, r, http.StatusNotFound, "There is no such target in the configuration.")
		return
	}
	s.show(w, r, http.StatusOK, "target.html", s.targetPage(&t, time.Now()))
}

func (s *site) targetPage(t *state.Target, now time.Time) *targetPage {
	p := &targetPage{
		head: s.head(now), Institution: titled(t.InstitutionTitle, t.Institution), InstitutionLink: institutionLink(t.Institution),
		Kind: t.Kind, Name: view.Printable(t.Name), Contact: view.Printable(t.Contact), State: view.StateOf(t),
		Count: view.Plural(int(t.Runs), "run", "runs") + ", " + view.Plural(int(t.Failures), "failure", "failures"),
		Since: timestampOf(t.Since, now), LastSuccess: timestampOf(t.LastSuccess, now),
		Groups: view.FactGroups(t, now), Unauthenticated: t.Kind == probe.KindAuth,
	}
	p.Title = view.Printable(t.Title)
	p.Tab = map[string]string{view.StateOK: "ok", view.StateFailed: "failed", view.StateWaiting: "not run yet"}[p.State] +
		": " + p.Title + ", " + p.Kind + ", " + p.Institution
	if t.Runs > 0 {
		p.LastRun = timestampOf(t.LastRun(), now)
		p.Explained = probe.ExplainError(t.Last.Err)
		p.Detail, p.TransactionID = view.Printable(probe.DetailOf(t.Last.Err)), t.Last.TransactionID
	}
	p.addHistory(s.History(t.Target))
	configured := s.Configured(t.Target)
	for _, f := range configured.Facts {
		p.Configured = append(p.Configured, view.Fact{Name: view.Sanitize(f.Name), Value: view.Sanitize(f.Value), Bad: f.Bad})
	}
	if configured.Request != nil {
		p.Curl, p.PowerShell = configured.Request.Curl(), configured.Request.PowerShell()
	}
	return p
}

// runRow is a run in the history of a target.
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
	Phases        string // the bars as text
}

// ISO is for machines.
func (r *runRow) ISO() string { return r.At.Format(time.RFC3339Nano) }

// Clock is for people.
func (r *runRow) Clock() string { return r.At.Format("2006-01-02 15:04:05") }

// bar is a phase in a waterfall diagram.
type bar struct {
	Phase    string
	X, Width int64
}

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
	p.Runs, p.Failures = runRows(runs, longest), runRows(failures, longest)
}

func runRows(runs []state.Run, longest time.Duration) []runRow {
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

// waterfall places the phases one after the other, on a scale on which the longest run fills the diagram.
func waterfall(phases probe.Phases, longest time.Duration) (bars []bar, text string) {
	const (
		scale    = 1000 // the width of the diagram
		minWidth = 4    // keeps the shortest phase visible
	)
	var parts []string
	var before time.Duration
	for phase, d := range phases {
		if d == 0 {
			continue
		}
		name := probe.Phase(phase).String()
		width := max(scale*int64(d)/int64(longest), minWidth)
		x := min(scale*int64(before)/int64(longest), scale-width)
		bars = append(bars, bar{name, max(x, 0), width})
		parts = append(parts, name+" "+view.FormatLatency(d))
		before += d
	}
	return bars, strings.Join(parts, ", ")
}
