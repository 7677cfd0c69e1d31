package state

import (
	"maps"
	"slices"
	"time"
)

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

// SetInstitutions makes institutions the whole set; what was read of those that stay managed is kept.
func (s *Store) SetInstitutions(institutions []Institution) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.institutions
	s.institutions = make(map[string]Institution, len(institutions))
	for _, institution := range institutions {
		institution.Manager = Manager{}
		if institution.Managed {
			institution.Manager = before[institution.Name].Manager
		}
		s.institutions[institution.Name] = institution
	}
}

// SetManagerStatus remembers how reading an institution's API manager went, and when it
// last succeeded; a zero last leaves what is known of that.
func (s *Store) SetManagerStatus(name string, ok bool, last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	institution := s.institutions[name]
	if !institution.Managed {
		return
	}
	if last.IsZero() {
		last = institution.Manager.LastSuccess
	}
	institution.Manager = Manager{true, ok, last}
	s.institutions[name] = institution
}

// Institutions returns all institutions, in no order.
func (s *Store) Institutions() []Institution {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.AppendSeq(make([]Institution, 0, len(s.institutions)), maps.Values(s.institutions))
}
