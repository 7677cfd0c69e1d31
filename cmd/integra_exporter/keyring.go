package main

import (
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/gravitee"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// keyring knows which key each target uses, and what the configuration and the
// API manager say of it. Safe for concurrent use.
type keyring struct {
	log *slog.Logger

	mu       sync.Mutex
	keys     map[probe.Target]usedKey
	readings map[string]gravitee.Reading // by institution that has an API manager; zero: none yet
	troubles map[string]string           // by institution: the kind of the last failure to read it; empty: none
	differ   map[probe.Target]bool       // whose sources disagree, which has been said
}

type usedKey struct {
	source  secret.Source
	expires config.Expiry
}

func newKeyring(log *slog.Logger) *keyring {
	return &keyring{
		log: log, keys: map[probe.Target]usedKey{}, readings: map[string]gravitee.Reading{},
		troubles: map[string]string{}, differ: map[probe.Target]bool{},
	}
}

// replace makes the keys of loaded the whole set. What was read of an
// institution is kept as long as it has an API manager.
func (k *keyring) replace(loaded *config.Config) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = map[probe.Target]usedKey{}
	for _, api := range loaded.APIs() {
		k.keys[api.Target] = usedKey{api.Key, api.KeyExpires}
	}
	maps.DeleteFunc(k.differ, func(target probe.Target, _ bool) bool { return k.keys[target].source == nil })
	before, troubles := k.readings, k.troubles
	k.readings, k.troubles = map[string]gravitee.Reading{}, map[string]string{}
	for _, manager := range loaded.Gravitee {
		k.readings[manager.Institution] = before[manager.Institution]
		k.troubles[manager.Institution] = troubles[manager.Institution]
	}
}

// trouble notes what is wrong with an API manager, and reports whether something else, or nothing, was before.
func (k *keyring) trouble(institution, now string) (changed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	changed = k.troubles[institution] != now
	k.troubles[institution] = now
	return changed
}

// read remembers the last good reading of an institution's API manager, and
// returns the targets of which it may say something. A loop that has begun anew
// and has none yet does not take away the one before.
func (k *keyring) read(institution string, reading gravitee.Reading) (concerned []probe.Target) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, known := k.readings[institution]
	if !known {
		return nil
	}
	if !reading.At.IsZero() {
		k.readings[institution] = reading
	}
	for target := range k.keys {
		if target.Institution == institution {
			concerned = append(concerned, target)
		}
	}
	return concerned
}

// about says what is known of the key that target uses right now. The key is
// read anew: a changed file is another key.
func (k *keyring) about(target probe.Target) (learned state.KeyInfo, match gravitee.Match, used bool) {
	k.mu.Lock()
	key, used := k.keys[target]
	reading := k.readings[target.Institution]
	k.mu.Unlock()
	if !used {
		return learned, match, false
	}
	learned.Used = true
	if key.expires != (config.Expiry{}) {
		learned.Ends = append(learned.Ends, probe.KeyEnd{Source: probe.SourceConfig, At: key.expires.Date})
	}
	value, err := key.source.Read()
	if err != nil {
		return learned, match, true
	}
	match, found := reading.Match(value)
	if !found {
		return learned, match, true
	}
	learned.Ends = append(learned.Ends, probe.KeyEnd{Source: probe.SourceGravitee, At: match.Expires})
	learned.Superseded = probe.Count{OK: true}
	if match.Superseded {
		learned.Superseded.N = 1
	}
	k.compare(target, learned.Ends)
	return learned, match, true
}

// sameDay is how far two sources may be apart: a configured date has no time of day.
const sameDay = 24 * time.Hour

// compare says once that the configuration and the API manager disagree.
func (k *keyring) compare(target probe.Target, ends []probe.KeyEnd) {
	if len(ends) < 2 {
		return
	}
	a, b := ends[0].At, ends[1].At
	differ := a.IsZero() != b.IsZero() || a.Sub(b).Abs() > sameDay
	k.mu.Lock()
	said := k.differ[target]
	k.differ[target] = differ
	k.mu.Unlock()
	if differ && !said {
		k.log.Warn("configuration and API manager disagree about the end of a key",
			"institution", target.Institution, "kind", target.Kind, "target", target.Name,
			"config", endInWords(a), "gravitee", endInWords(b))
	}
}

func endInWords(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.UTC().Format(time.RFC3339)
}

// better names why the gateway rejected a key, where the API manager knows.
func better(err error, match gravitee.Match) error {
	reason, _ := probe.ReasonOf(err)
	switch {
	case reason != probe.ReasonKeyRejected:
		return err
	case match.Revoked:
		return probe.Fail(probe.ReasonKeyRevoked, "%s", probe.DetailOf(err))
	case match.Expired:
		return probe.Fail(probe.ReasonKeyExpired, "%s", probe.DetailOf(err))
	}
	return err
}
