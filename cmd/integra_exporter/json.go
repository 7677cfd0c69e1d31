package main

import (
	"encoding/json"
	"io"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// document is one result for scripts.
type document struct {
	Institution       string             `json:"institution"`
	Kind              string             `json:"kind"`
	Target            string             `json:"target"`
	InstitutionTitle  string             `json:"institution_title"`
	Title             string             `json:"title"`
	Address           string             `json:"address"`
	Contact           string             `json:"contact,omitempty"`
	Success           bool               `json:"success"`
	Reason            probe.Reason       `json:"reason,omitempty"`
	Layer             probe.Layer        `json:"layer,omitempty"`
	Detail            string             `json:"detail,omitempty"`
	Meaning           string             `json:"meaning,omitempty"`
	Next              string             `json:"next,omitempty"`
	Started           time.Time          `json:"started"`
	DurationSeconds   float64            `json:"duration_seconds"`
	PhasesSeconds     map[string]float64 `json:"phases_seconds,omitempty"`
	StatusCode        int                `json:"status_code,omitempty"`
	SizeBytes         *int64             `json:"size_bytes,omitempty"`
	TransactionID     string             `json:"transaction_id,omitempty"`
	CertificateExpiry *time.Time         `json:"certificate_expiry,omitempty"`
}

func writeJSON(w io.Writer, outcomes []outcome) error {
	documents := make([]document, 0, len(outcomes))
	for _, o := range outcomes {
		documents = append(documents, documentOf(o))
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(documents)
}

func documentOf(o outcome) document {
	reason, layer := probe.ReasonOf(o.Err)
	explained := probe.Explain(reason, layer)
	d := document{
		Institution: o.Institution, Kind: o.Kind, Target: o.Name,
		InstitutionTitle: o.InstitutionTitle, Title: o.Title, Address: o.Address, Contact: o.Contact,
		Success: o.Err == nil, Reason: reason, Layer: layer, Detail: probe.DetailOf(o.Err),
		Meaning: explained.Meaning, Next: explained.Next,
		Started: o.Start.UTC(), DurationSeconds: o.Duration.Seconds(),
		StatusCode: o.Status, TransactionID: o.TransactionID,
	}
	if o.Answered {
		d.SizeBytes = &o.Size // an empty answer has one too
	}
	if !o.Certificate.Expiry.IsZero() {
		d.CertificateExpiry = &o.Certificate.Expiry
	}
	d.PhasesSeconds = map[string]float64{}
	for phase, duration := range o.Phases {
		if duration > 0 {
			d.PhasesSeconds[probe.Phase(phase).String()] = duration.Seconds()
		}
	}
	return d
}
