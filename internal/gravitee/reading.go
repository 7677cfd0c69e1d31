package gravitee

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// Reading is what the API manager held at one time. The zero Reading is none.
type Reading struct {
	At            time.Time
	Subscriptions []Subscription // accepted and paused ones
	Closed        []Subscription // closed ones, as far as a shared key or ReadClosed tells
	Keys          []Key          // of all these, newest first; revoked and expired ones too
	APIs          map[string]API // by id; only those that the API manager lists, and empty where no key is shared
}

// API is what the API manager says of an API.
type API struct {
	Entrances []Entrance // where gateways have it
	Stopped   bool
}

// Entrance is a virtual host of an API.
type Entrance struct {
	Host string // empty: any
	Path string // such as /lonn/v1, never ending in a slash
}

// Path returns where the gateway of that host has the API; empty: the API manager does not say.
func (a API) Path(host string) string {
	for _, fits := range []string{host, ""} {
		i := slices.IndexFunc(a.Entrances, func(e Entrance) bool { return strings.EqualFold(e.Host, fits) })
		if i >= 0 {
			return a.Entrances[i].Path
		}
	}
	return ""
}

// Subscription is an application's access to one API.
type Subscription struct {
	ID       string
	API      string // id; empty where it is to a product of several APIs
	APIName  string // foreign text, may be empty
	Plan     string // id
	PlanName string // foreign text, may be empty
	Paused   bool
	Closed   bool      // for good
	Begins   time.Time // zero: always
	Ends     time.Time // zero: never
}

// Key is what is remembered of an API key.
type Key struct {
	Hash          Hash
	Subscriptions []string  // ids; several if the key is shared
	Created       time.Time // zero: the API manager did not say
	Expires       time.Time // zero: never
	Revoked       bool
	Paused        bool
	Expired       bool // by the API manager's clock when it was read
}

// Hash is the SHA-256 of a key. A key chosen by a person can be guessed from it, so it prints as a secret does.
type Hash [sha256.Size]byte

// Format implements fmt.Formatter.
func (Hash) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, secret.Placeholder) }

// MarshalText implements encoding.TextMarshaler, and so JSON.
func (Hash) MarshalText() ([]byte, error) { return []byte(secret.Placeholder), nil }

func (e subscriptionEntity) subscription(names names) Subscription {
	return Subscription{
		ID: e.ID, API: e.API, APIName: names[e.API], Plan: e.Plan, PlanName: names[e.Plan],
		Paused: e.Status == "PAUSED", Closed: e.Status == "CLOSED", Begins: e.StartingAt.Time, Ends: e.EndingAt.Time,
	}
}

// maxKeys is far more than any application has.
const maxKeys = 10_000

// keySet gathers the keys of all subscriptions. A shared key arrives once with each of them.
type keySet struct {
	mu            sync.Mutex
	answered      int                               // how many subscriptions have sent their keys
	subscriptions map[keyAttributes]map[string]bool // ids, by key
	closed        map[string]Subscription
}

// keyAttributes is everything about a key but its subscriptions. Keys with equal attributes count as one.
type keyAttributes struct {
	hash                     Hash
	created, expires         time.Time
	revoked, paused, expired bool
}

func newKeySet() *keySet {
	return &keySet{subscriptions: map[keyAttributes]map[string]bool{}, closed: map[string]Subscription{}}
}

func (s *keySet) add(of Subscription, keys []keyEntity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered++
	for _, k := range keys {
		key := keyAttributes{k.Key.hash, k.CreatedAt.Time, k.ExpireAt.Time, k.Revoked, k.Paused, k.Expired}
		ids := s.subscriptions[key]
		if ids == nil {
			ids = map[string]bool{}
			s.subscriptions[key] = ids
		}
		ids[of.ID] = true
		if k.Subscription != "" {
			ids[k.Subscription] = true
		}
		for _, e := range k.Subscriptions {
			ids[e.ID] = true
			if e.Status == "CLOSED" {
				s.closed[e.ID] = e.subscription(nil)
			}
		}
	}
}

// into adds what was gathered to a reading, whose keys are then newest first. If no subscription has sent any, their
// address must have a third spelling.
func (s *keySet) into(r *Reading, subscriptions int) error {
	switch {
	case s.answered == 0 && subscriptions > 0:
		return fail(NotFound, "the API manager has the subscriptions, but no keys below them: is this Gravitee 3.5 to 4.x?")
	case len(s.subscriptions) > maxKeys:
		return fail(Invalid, "the application has more than %d keys", maxKeys)
	}
	for k, ids := range s.subscriptions {
		r.Keys = append(r.Keys, Key{
			Hash: k.hash, Subscriptions: slices.Sorted(maps.Keys(ids)),
			Created: k.created, Expires: k.expires, Revoked: k.revoked, Paused: k.paused, Expired: k.expired,
		})
	}
	slices.SortFunc(r.Keys, func(a, b Key) int {
		return cmp.Or(b.Created.Compare(a.Created), slices.Compare(a.Hash[:], b.Hash[:]))
	})
	for _, id := range slices.Sorted(maps.Keys(s.closed)) {
		if !slices.ContainsFunc(r.Closed, func(c Subscription) bool { return c.ID == id }) {
			r.Closed = append(r.Closed, s.closed[id])
		}
	}
	return nil
}
