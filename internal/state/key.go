package state

import (
	"maps"
	"slices"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// Key is what is known of the credential that a target uses.
type Key struct {
	Info     KeyInfo
	Seen     []probe.KeyEnd   // what the last run found in the credential itself
	Accepted probe.KeyVerdict // what the gateway last said of it
}

// KeyInfo is what others say of a target's key.
type KeyInfo struct {
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
func (k *Key) Ends() []probe.KeyEnd { return slices.Concat(k.Info.Ends, k.Seen) }

// SetKeyInfo remembers what others say of a target's key. A target that is gone is ignored.
func (s *Store) SetKeyInfo(target probe.Target, info KeyInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, known := s.targets[target]
	if known {
		r.change(func(row *Target) { row.Key.Info = info })
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
