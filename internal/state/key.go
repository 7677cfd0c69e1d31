package state

import (
	"slices"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// Key is what is known of the credential that a target uses.
type Key struct {
	Learned  Learned
	Seen     []probe.KeyEnd   // what the last run found in the credential itself
	Accepted probe.KeyVerdict // what the gateway last said of it
}

// Learned is what others say of a target's key.
type Learned struct {
	Used       bool           // the target has a key that somebody issued
	Ends       []probe.KeyEnd // at most one by source
	Superseded probe.Count    // 1: there is a newer key; not observed where the API manager does not know ours
}

func (k *Key) observe(seen probe.Observation) {
	k.Seen = seen.KeyEnds
	if seen.KeyVerdict != probe.KeyUnproven {
		k.Accepted = seen.KeyVerdict
	}
}

// Ends returns when the key ends, by each source that says so.
func (k *Key) Ends() []probe.KeyEnd { return slices.Concat(k.Learned.Ends, k.Seen) }

// Learn remembers what others say of a target's key. A target that is gone is ignored.
func (s *Store) Learn(target probe.Target, learned Learned) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, known := s.targets[target]
	if known {
		r.change(func(row *Target) { row.Key.Learned = learned })
	}
}

// Institution is what is known of an institution as a whole.
type Institution struct {
	Name    string
	Managed bool      // its API manager is read
	CAEnd   time.Time // the earliest end among its configured ca_file's certificates; zero: none
	Manager Manager
}

// Manager is how reading an API manager went. The zero Manager has not been tried.
type Manager struct {
	Tried       bool
	OK          bool      // the last reading succeeded
	LastSuccess time.Time // zero: none yet
}

// SetInstitutions makes places the whole set; what was read of those that stay managed is kept.
func (s *Store) SetInstitutions(places []Institution) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.places
	s.places = make(map[string]Institution, len(places))
	for _, place := range places {
		place.Manager = Manager{}
		if place.Managed {
			place.Manager = before[place.Name].Manager
		}
		s.places[place.Name] = place
	}
}

// Read remembers how reading an institution's API manager went, and when it
// last succeeded; a zero last leaves what is known of that.
func (s *Store) Read(institution string, ok bool, last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	place := s.places[institution]
	if !place.Managed {
		return
	}
	if last.IsZero() {
		last = place.Manager.LastSuccess
	}
	place.Manager = Manager{true, ok, last}
	s.places[institution] = place
}

// Institutions returns all institutions, in no order.
func (s *Store) Institutions() []Institution {
	s.mu.Lock()
	defer s.mu.Unlock()
	places := make([]Institution, 0, len(s.places))
	for _, place := range s.places {
		places = append(places, place)
	}
	return places
}
