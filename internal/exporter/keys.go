package exporter

import (
	"cmp"
	"context"
	"hash/maphash"
	"log/slog"
	"maps"
	"net/url"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/gravitee"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// Keys knows which key each target uses, and what the configuration and the API manager say of it. It is safe for
// concurrent use.
type Keys struct {
	log  *slog.Logger
	seed maphash.Seed

	mu       sync.Mutex
	used     map[probe.Target]usedKey
	readings map[string]gravitee.Reading // by institution that has an API manager; zero: none yet
	failures map[string]string           // by institution: the kind of the last failure to read its API manager; empty: none
	disagree map[probe.Target]bool       // whether the sources of a key disagree, which has been logged
}

type usedKey struct {
	source  secret.Source
	address *url.URL // of the request
	// certificate is the file of the client certificate that goes with the key; empty: none does.
	certificate string
	expires     config.Expiry
	// reading is held while the source is read and the result is handed over, so that what was read last is remembered
	// last. It outlives a reload, and a source that hangs holds up its own target alone.
	reading *sync.Mutex
}

// NewKeys returns Keys of no target.
func NewKeys(log *slog.Logger) *Keys {
	return &Keys{
		log: log, seed: maphash.MakeSeed(), used: map[probe.Target]usedKey{}, readings: map[string]gravitee.Reading{},
		failures: map[string]string{}, disagree: map[probe.Target]bool{},
	}
}

// Replace makes the keys of loaded the whole set. It reads none of them. What was read of an institution is kept as long
// as it has an API manager.
func (k *Keys) Replace(loaded *config.Config) {
	k.mu.Lock()
	defer k.mu.Unlock()
	used := map[probe.Target]usedKey{}
	for _, api := range loaded.APIs() {
		used[api.Target] = usedKey{api.Key, api.URL(), api.TLS.CertFile, api.KeyExpires, cmp.Or(k.used[api.Target].reading, new(sync.Mutex))}
	}
	maps.DeleteFunc(k.disagree, func(target probe.Target, _ bool) bool { return used[target].source == nil })
	readings, failures := map[string]gravitee.Reading{}, map[string]string{}
	for _, manager := range loaded.Gravitee {
		readings[manager.Institution] = k.readings[manager.Institution]
		failures[manager.Institution] = k.failures[manager.Institution]
	}
	k.used, k.readings, k.failures = used, readings, failures
}

// setFailure notes why an API manager cannot be read, empty if it can, and reports whether that has changed.
func (k *Keys) setFailure(institution, kind string) (changed bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	changed = k.failures[institution] != kind
	k.failures[institution] = kind
	return changed
}

// setReading notes the last good reading of an institution's API manager, and returns the targets that it may concern. A
// loop that has just begun and has no reading yet does not take away the one before.
func (k *Keys) setReading(institution string, reading gravitee.Reading) (concerned []probe.Target) {
	k.mu.Lock()
	defer k.mu.Unlock()
	_, known := k.readings[institution]
	if !known {
		return nil
	}
	if !reading.At.IsZero() {
		k.readings[institution] = reading
	}
	for target := range k.used {
		if target.Institution == institution {
			concerned = append(concerned, target)
		}
	}
	return concerned
}

// Refresh reads the key that target uses, since a changed file holds another key, and calls remember with what is known of
// it; not if target uses none. For one target, calls of remember follow the order of reading. It returns what the API
// manager says of the key.
func (k *Keys) Refresh(target probe.Target, remember func(probe.Target, state.KeyInfo)) KeyReport {
	key, _ := k.current(target)
	if key.reading == nil {
		return KeyReport{}
	}
	key.reading.Lock()
	defer key.reading.Unlock()
	key, reading := k.current(target) // a reload may have replaced it meanwhile
	if key.source == nil {
		return KeyReport{}
	}
	info, report := k.lookup(target, key, reading)
	if key.certificate != "" {
		end := probe.EarliestEnd(key.certificate)
		if !end.IsZero() {
			info.Ends = append(info.Ends, probe.KeyEnd{Source: probe.SourceCertificate, At: end})
		}
	}
	remember(target, info)
	return report
}

func (k *Keys) current(target probe.Target) (usedKey, gravitee.Reading) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.used[target], k.readings[target.Institution]
}

// lookup reads key and returns what the configuration and reading say of it.
func (k *Keys) lookup(target probe.Target, key usedKey, reading gravitee.Reading) (info state.KeyInfo, report KeyReport) {
	info.Used = true
	if key.expires != (config.Expiry{}) {
		info.Ends = append(info.Ends, probe.KeyEnd{Source: probe.SourceConfig, At: key.expires.Date})
	}
	value, err := key.source.Read()
	if err != nil {
		return info, report
	}
	info.Identity = maphash.String(k.seed, value.Reveal()) // of no use without the seed
	if reading.At.IsZero() {
		return info, report
	}
	report = KeyReport{true, reading.Match(value, key.address)}
	info.Standing = report.remark()
	if report.match.Standing == gravitee.Unknown {
		return info, report
	}
	info.Ends = append(info.Ends, probe.KeyEnd{Source: probe.SourceGravitee, At: report.match.Expires})
	info.Superseded = probe.Count{OK: true}
	if report.match.Superseded {
		info.Superseded.N = 1
	}
	k.compare(target, info.Ends)
	return info, report
}

// manager reads the API manager of one institution for the keys that are used there.
type manager struct {
	institution string
	client      *gravitee.Client
	keys        *Keys
}

// ReadManager reads the API manager that m configures, once, for Refresh to tell of.
func (k *Keys) ReadManager(ctx context.Context, m config.Gravitee, userAgent string) error {
	read, err := k.manager(m, userAgent)
	if err != nil {
		return err
	}
	reading, err := read(ctx)
	if err == nil {
		k.setReading(m.Institution, reading)
	}
	return err
}

// manager returns what reads the API manager that m configures for the keys of its institution. Its error says which file
// of tls cannot be read.
func (k *Keys) manager(m config.Gravitee, userAgent string) (read func(context.Context) (gravitee.Reading, error), err error) {
	tlsConfig, err := m.TLS.Config()
	if err != nil {
		return nil, err
	}
	client := gravitee.New(gravitee.Options{
		URL: m.URL, Organization: m.Organization, Environment: m.Environment,
		Application: m.Application, Token: m.Token, TLS: tlsConfig, UserAgent: userAgent,
	})
	return manager{m.Institution, client, k}.read, nil
}

// read is a Client's Read, with the closed subscriptions where a key is in no other. It fails if there is nothing to read
// for keys that are there: the application is then hardly the right one.
func (m manager) read(ctx context.Context) (gravitee.Reading, error) {
	reading, err := m.client.Read(ctx)
	if err != nil || !m.keys.lacks(m.institution, reading) {
		return reading, err
	}
	complete, err := m.client.ReadClosed(ctx, reading)
	if err == nil {
		reading = complete
	}
	if len(reading.Keys) == 0 {
		return gravitee.Reading{}, &gravitee.Error{
			Kind:   gravitee.NotFound,
			Detail: "the application has no subscription with a key, but keys are configured: correct application, the id in the address of its page in the console",
		}
	}
	return reading, nil
}

// lacks says whether a key of the institution is in no subscription of reading.
func (k *Keys) lacks(institution string, reading gravitee.Reading) bool {
	k.mu.Lock()
	used := maps.Clone(k.used)
	k.mu.Unlock()
	for target, key := range used {
		if target.Institution != institution {
			continue
		}
		value, err := key.source.Read()
		if err == nil && reading.Match(value, key.address).Standing == gravitee.Unknown {
			return true
		}
	}
	return false
}

// sameDay is how far two sources may be apart: a configured date has no time of day.
const sameDay = 24 * time.Hour

// compare logs once that the configuration and the API manager disagree.
func (k *Keys) compare(target probe.Target, ends []probe.KeyEnd) {
	if len(ends) < 2 {
		return
	}
	a, b := ends[0].At, ends[1].At
	disagree := a.IsZero() != b.IsZero() || a.Sub(b).Abs() > sameDay
	k.mu.Lock()
	logged := k.disagree[target]
	k.disagree[target] = disagree
	k.mu.Unlock()
	if disagree && !logged {
		k.log.Warn("configuration and API manager disagree about the end of a key",
			"institution", target.Institution, "kind", target.Kind, "target", target.Name,
			"config", formatEnd(a), "gravitee", formatEnd(b))
	}
}

func formatEnd(at time.Time) string {
	if at.IsZero() {
		return "never"
	}
	return at.UTC().Format(time.RFC3339)
}
