package web

import (
	"cmp"
	"slices"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// expiry is what expires, soonest first.
type expiry struct {
	Next    []expiryRow
	Later   int // those that are not shown
	Unknown int // keys without a known expiry
}

// expiryRow is a key, a certificate or an own CA with the time of its expiry.
type expiryRow struct {
	What        string // key, certificate or own CA
	Institution string
	Name, Link  string
	Source      string // where the time is known from
	At          *timestamp
	Urgency     string // expired, urgent, soon or later
}

// maxExpiryRows is how many the page shows.
const maxExpiryRows = 12

// expiring is an expiryRow before it is formatted.
type expiring struct {
	what, name, source string
	at                 time.Time
	target             *state.Target // the one it belongs to, or any of the institution's
}

// expiryOf collects keys, one certificate for each address, and the institutions' own certificate authorities.
func expiryOf(targets []state.Target, institutions []state.Institution, now time.Time) expiry {
	var x expiry
	all := append(certificateExpiries(targets), caExpiries(targets, institutions)...)
	for i := range targets {
		t := &targets[i]
		key, known := earliestKeyEnd(t)
		switch {
		case known && !key.At.IsZero():
			all = append(all, expiring{"key", "", view.SourceName(key.Source), key.At, t})
		case !known && t.Key.Info.Used:
			x.Unknown++
		}
	}
	slices.SortStableFunc(all, func(a, b expiring) int { return a.at.Compare(b.at) })
	x.Later = max(len(all)-maxExpiryRows, 0)
	for _, e := range all[:len(all)-x.Later] {
		x.Next = append(x.Next, e.row(now))
	}
	return x
}

// certificateExpiries lists each address once: an institution's APIs share its gateway.
func certificateExpiries(targets []state.Target) (all []expiring) {
	type endpoint struct{ institution, address string }
	earliest := map[endpoint]int{} // index in all
	for i := range targets {
		t := &targets[i]
		e := expiring{"certificate", t.Address, "TLS handshake", t.Last.Certificate.Expiry, t}
		at, known := earliest[endpoint{t.Institution, t.Address}]
		switch {
		case e.at.IsZero():
		case !known:
			earliest[endpoint{t.Institution, t.Address}] = len(all)
			all = append(all, e)
		case e.at.Before(all[at].at):
			all[at] = e
		}
	}
	return all
}

// caExpiries lists the certificate authorities of the institutions that have one of targets.
func caExpiries(targets []state.Target, institutions []state.Institution) (all []expiring) {
	anyTarget := map[string]*state.Target{}
	for i := range targets {
		anyTarget[targets[i].Institution] = &targets[i]
	}
	for _, i := range institutions {
		if !i.CAEnd.IsZero() && anyTarget[i.Name] != nil {
			all = append(all, expiring{"own CA", "ca_file", "file", i.CAEnd, anyTarget[i.Name]})
		}
	}
	slices.SortFunc(all, func(a, b expiring) int { return cmp.Compare(a.target.Institution, b.target.Institution) })
	return all
}

// earliestKeyEnd returns the earliest end of a target's key; a zero time means never. It is not known if no source names one.
func earliestKeyEnd(t *state.Target) (earliest probe.KeyEnd, known bool) {
	for _, e := range t.Key.Ends() {
		if !known || earliest.At.IsZero() || !e.At.IsZero() && e.At.Before(earliest.At) {
			earliest = e
		}
		known = true
	}
	return earliest, known
}

func (e *expiring) row(now time.Time) expiryRow {
	row := expiryRow{
		What: e.what, Institution: titled(e.target.InstitutionTitle, e.target.Institution), Name: view.Printable(e.name),
		Link: targetLink(e.target.Target), Source: e.source, At: timestampOf(e.at, now), Urgency: urgency(e.at.Sub(now)),
	}
	switch e.what {
	case "key":
		row.Name = titled(e.target.Title, e.target.Name)
	case "own CA":
		row.Link = ""
	}
	return row
}

func urgency(left time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case left <= 0:
		return "expired"
	case left < 7*day:
		return "urgent"
	case left < 30*day:
		return "soon"
	}
	return "later"
}
