package web

import (
	"slices"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// page is what index.html shows.
type page struct {
	Metrics             string
	Rejected, InForce   string // times; empty unless a configuration was rejected
	OK, Failed, Waiting int
	Rows                []row
}

type row struct {
	Institution, Kind, Name, Title string
	State                          string // ok, failed or waiting
	Reason                         probe.Reason
	Layer                          probe.Layer
	Meaning, Detail, Next          string
	TransactionID                  string // of a failure
	Duration, LastRun              string
}

// overview lists failures first, then what has not run yet, then the rest.
func overview(targets []state.Target, metrics string) page {
	p := page{Metrics: metrics, Rows: make([]row, 0, len(targets))}
	for i := range targets {
		p.Rows = append(p.Rows, rowOf(&targets[i]))
	}
	counts := map[string]*int{"ok": &p.OK, "failed": &p.Failed, "waiting": &p.Waiting}
	for _, r := range p.Rows {
		*counts[r.State]++
	}
	order := []string{"failed", "waiting", "ok"}
	slices.SortStableFunc(p.Rows, func(a, b row) int {
		return slices.Index(order, a.State) - slices.Index(order, b.State)
	})
	return p
}

func (p *page) reject(at, inForce time.Time) {
	if !at.IsZero() {
		p.Rejected, p.InForce = at.UTC().Format(time.RFC3339), inForce.UTC().Format(time.RFC3339)
	}
}

// named adds to a title the name that stands in the label and in the configuration.
func named(title, name string) string {
	if title == name {
		return name
	}
	return title + " (" + name + ")"
}

func rowOf(t *state.Target) row {
	r := row{
		Institution: named(t.InstitutionTitle, t.Institution), Kind: t.Kind, Name: t.Name, Title: t.Title, State: "waiting",
	}
	if t.Runs == 0 {
		return r
	}
	r.State = "ok"
	r.Duration = t.Last.Duration.Round(time.Millisecond).String()
	r.LastRun = t.LastRun().UTC().Format(time.RFC3339)
	if t.Last.Err != nil {
		r.State = "failed"
		r.Reason, r.Layer = probe.ReasonOf(t.Last.Err)
		r.Detail = probe.DetailOf(t.Last.Err)
		r.TransactionID = t.Last.TransactionID
		explained := probe.Explain(r.Reason, r.Layer)
		r.Meaning, r.Next = explained.Meaning, explained.Next
	}
	return r
}
