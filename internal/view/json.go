// Package view formats the state of targets for people and scripts: as JSON documents, shell commands, facts and durations.
package view

import (
	"encoding/json"
	"io"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// Document is the state of one target, for scripts. docs/targets.schema.json
// describes it. Fields that were not observed are left out.
type Document struct {
	Institution      string `json:"institution"`
	Kind             string `json:"kind"`
	Target           string `json:"target"`
	InstitutionTitle string `json:"institution_title"`
	Title            string `json:"title"`
	Address          string `json:"address"`
	Contact          string `json:"contact,omitempty"`

	IntervalSeconds float64   `json:"interval_seconds"`
	TimeoutSeconds  float64   `json:"timeout_seconds"`
	State           string    `json:"state"`
	Since           time.Time `json:"since,omitzero"`
	LastSuccess     time.Time `json:"last_success,omitzero"`
	Runs            uint64    `json:"runs"`
	Failures        uint64    `json:"failures"`

	// The last run.
	Success             *bool              `json:"success,omitempty"`
	Reason              probe.Reason       `json:"reason,omitempty"`
	Layer               probe.Layer        `json:"layer,omitempty"`
	Detail              string             `json:"detail,omitempty"`
	Meaning             string             `json:"meaning,omitempty"`
	Next                string             `json:"next,omitempty"`
	Started             time.Time          `json:"started,omitzero"`
	DurationSeconds     *float64           `json:"duration_seconds,omitempty"`
	PhasesSeconds       map[string]float64 `json:"phases_seconds,omitempty"`
	StatusCode          int                `json:"status_code,omitempty"`
	SizeBytes           *int64             `json:"size_bytes,omitempty"`
	TransactionID       string             `json:"transaction_id,omitempty"`
	CertificateExpiry   time.Time          `json:"certificate_expiry,omitzero"`
	CertificateVerified *bool              `json:"certificate_verified,omitempty"`
	Queues              []queueDocument    `json:"queues,omitempty"`
	Blocked             *bool              `json:"blocked,omitempty"`

	Key *keyDocument `json:"key,omitempty"`
}

type queueDocument struct {
	Name          string `json:"name"`
	MessagesReady int64  `json:"messages_ready"`
	Consumers     int64  `json:"consumers"`
}

type keyDocument struct {
	Accepted   *bool         `json:"accepted,omitempty"`
	Superseded *bool         `json:"superseded,omitempty"`
	Ends       []endDocument `json:"ends,omitempty"`
}

type endDocument struct {
	Source probe.KeySource `json:"source"`
	Never  bool            `json:"never,omitempty"`
	At     time.Time       `json:"at,omitzero"`
}

// WriteDocuments writes targets as a JSON array of Documents.
func WriteDocuments(w io.Writer, targets []state.Target) error {
	documents := make([]Document, 0, len(targets))
	for i := range targets {
		documents = append(documents, DocumentOf(&targets[i]))
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(documents)
}

// DocumentOf returns the Document of t.
func DocumentOf(t *state.Target) Document {
	d := Document{
		Institution: t.Institution, Kind: t.Kind, Target: t.Name,
		InstitutionTitle: t.InstitutionTitle, Title: t.Title, Address: t.Address, Contact: t.Contact,
		IntervalSeconds: t.Interval.Seconds(), TimeoutSeconds: t.Timeout.Seconds(),
		State: StateOf(t), Since: t.Since.UTC(), LastSuccess: t.LastSuccess.UTC(), Runs: t.Runs, Failures: t.Failures,
		Key: keyDocumentOf(&t.Key),
	}
	if t.Runs > 0 {
		d.addRun(&t.Last)
	}
	return d
}

// The states of a target, a closed set.
const (
	StateOK      = "ok"
	StateFailed  = "failed"
	StateWaiting = "waiting" // it has not run yet
)

// StateOf returns the state of t.
func StateOf(t *state.Target) string {
	switch {
	case t.Runs == 0:
		return StateWaiting
	case t.Last.Err != nil:
		return StateFailed
	}
	return StateOK
}

func (d *Document) addRun(run *probe.Result) {
	d.Reason, d.Layer = probe.ReasonOf(run.Err)
	explained := probe.ExplainError(run.Err)
	d.Detail, d.Meaning, d.Next = probe.DetailOf(run.Err), explained.Meaning, explained.Next
	d.Success, d.DurationSeconds = new(run.Err == nil), new(run.Duration.Seconds())
	d.Started, d.StatusCode, d.TransactionID = run.Start.UTC(), run.Status, run.TransactionID
	if run.Answered {
		d.SizeBytes = &run.Size // an empty answer has one too
	}
	if !run.Certificate.Expiry.IsZero() {
		d.CertificateExpiry, d.CertificateVerified = run.Certificate.Expiry.UTC(), &run.Certificate.Verified
	}
	d.PhasesSeconds = map[string]float64{}
	for phase, duration := range run.Phases {
		if duration > 0 {
			d.PhasesSeconds[probe.Phase(phase).String()] = duration.Seconds()
		}
	}
	for _, q := range run.Queues {
		d.Queues = append(d.Queues, queueDocument{q.Name, q.Ready, q.Consumers})
	}
	d.Blocked = boolOf(run.Blocked)
}

func keyDocumentOf(k *state.Key) *keyDocument {
	var d keyDocument
	if k.Accepted != probe.KeyUnproven {
		d.Accepted = new(k.Accepted == probe.KeyAccepted)
	}
	d.Superseded = boolOf(k.Info.Superseded)
	for _, e := range k.Ends() {
		d.Ends = append(d.Ends, endDocument{e.Source, e.At.IsZero(), e.At.UTC()})
	}
	if d.Accepted == nil && d.Superseded == nil && d.Ends == nil {
		return nil
	}
	return &d
}

// boolOf returns nil for what was not observed.
func boolOf(c probe.Count) *bool {
	if !c.OK {
		return nil
	}
	return new(c.N != 0)
}
