package platform

import (
	"strings"
	"sync"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

// secrets watches that nothing the platform keeps secret is said anywhere.
type secrets struct {
	platform *demo.Platform

	mu    sync.Mutex
	found map[string]bool // by place
}

// values returns every key, token and password there is now, also those that no longer work.
func (s *secrets) values() []string {
	var values []string
	for _, target := range s.platform.Targets() {
		values = append(values, s.platform.ManagementToken(target.Institution))
		for _, k := range s.platform.ManagedKeys(target.Institution) {
			values = append(values, k.Value)
		}
	}
	for _, a := range s.platform.Accesses() {
		values = append(values, s.platform.Password(a.Institution, a.Application))
	}
	return values
}

// search notes a secret in text, and never shows it.
func (s *secrets) search(place, text string) {
	for _, value := range s.values() {
		if strings.Contains(text, value) {
			s.mu.Lock()
			s.found[place] = true
			s.mu.Unlock()
		}
	}
}

func (s *secrets) report(t *testing.T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for place := range s.found {
		t.Errorf("a secret in %s", place)
	}
}
