package web

import (
	"cmp"
	"slices"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// end is when something expires.
type end struct {
	What        string // key, certificate or own CA
	Institution string
	Name, Link  string
	Source      string // who says so
	At          *moment
	Urgency     string // expired, urgent, soon or later
}

// expiry is what expires, soonest first.
type expiry struct {
	Next    []end
	Later   int // those that are not shown
	Unknown int // keys of which nobody says when they end
}

const (
	day       = 24 * time.Hour
	endsShown = 12
)

// dated is something that ends, before it is put into words.
type dated struct {
	what, name, source string
	at                 time.Time
	target             *state.Target // the one it belongs to, or one of the institution's
}

// expiryOf collects keys, one certificate for each address, and the own certificate authorities of the institutions.
func expiryOf(targets []state.Target, places []state.Institution, now time.Time) expiry {
	var x expiry
	ends := append(certificateEnds(targets), caEnds(targets, places)...)
	for i := range targets {
		t := &targets[i]
		key, known := keyEnd(t)
		switch {
		case known && !key.At.IsZero():
			ends = append(ends, dated{"key", "", string(key.Source), key.At, t})
		case !known && t.Key.Info.Used:
			x.Unknown++
		}
	}
	slices.SortStableFunc(ends, func(a, b dated) int { return a.at.Compare(b.at) })
	x.Later = max(len(ends)-endsShown, 0)
	for _, e := range ends[:len(ends)-x.Later] {
		x.Next = append(x.Next, e.inWords(now))
	}
	return x
}

func (d *dated) inWords(now time.Time) end {
	e := end{
		What: d.what, Institution: named(d.target.InstitutionTitle, d.target.Institution), Name: view.Printable(d.name),
		Link: linkTo(d.target.Target), Source: d.source, At: momentOf(d.at, now), Urgency: urgency(d.at.Sub(now)),
	}
	switch d.what {
	case "key":
		e.Name = named(d.target.Title, d.target.Name)
	case "own CA":
		e.Link = ""
	}
	return e
}

// keyEnd returns the earliest end of a target's key; a zero time: never. Not known: nobody says.
func keyEnd(t *state.Target) (earliest probe.KeyEnd, known bool) {
	for _, e := range t.Key.Ends() {
		if !known || earliest.At.IsZero() || !e.At.IsZero() && e.At.Before(earliest.At) {
			earliest = e
		}
		known = true
	}
	return earliest, known
}

func urgency(left time.Duration) string {
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

// certificateEnds names each address once: an institution's APIs share its gateway.
func certificateEnds(targets []state.Target) (ends []dated) {
	type place struct{ institution, address string }
	earliest := map[place]int{} // where in ends
	for i := range targets {
		t := &targets[i]
		e := dated{"certificate", t.Address, "handshake", t.Last.Certificate.Expiry, t}
		at, known := earliest[place{t.Institution, t.Address}]
		switch {
		case e.at.IsZero():
		case !known:
			earliest[place{t.Institution, t.Address}] = len(ends)
			ends = append(ends, e)
		case e.at.Before(ends[at].at):
			ends[at] = e
		}
	}
	return ends
}

// caEnds are those of the institutions that have one of targets.
func caEnds(targets []state.Target, places []state.Institution) (ends []dated) {
	one := map[string]*state.Target{}
	for i := range targets {
		one[targets[i].Institution] = &targets[i]
	}
	for _, p := range places {
		if !p.CAEnd.IsZero() && one[p.Name] != nil {
			ends = append(ends, dated{"own CA", "ca_file", "file", p.CAEnd, one[p.Name]})
		}
	}
	slices.SortFunc(ends, func(a, b dated) int { return cmp.Compare(a.target.Institution, b.target.Institution) })
	return ends
}
