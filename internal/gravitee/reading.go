package gravitee

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// Reading is what the API manager held at one time. The zero Reading is none.
type Reading struct {
	At            time.Time
	Subscriptions []Subscription // accepted and paused ones
	Keys          []Key          // of these, newest first; revoked and expired ones too
}

// Subscription is an application's access to one API.
type Subscription struct {
	ID       string
	API      string // id; empty where it is to a product of several APIs
	APIName  string // foreign text, may be empty
	Plan     string // id
	PlanName string // foreign text, may be empty
	Paused   bool
	Ends     time.Time // zero: never
}

// Key is what is remembered of an API key.
type Key struct {
	Hash          Hash
	Subscriptions []string  // ids; several if the key is shared
	Created       time.Time // zero: the API manager did not say
	Expires       time.Time // zero: never
	Revoked       bool
	Paused        bool // with its subscription
	Expired       bool // by the API manager's clock when it was read
}

// Hash is the SHA-256 of a key. A key chosen by a person can be guessed from it, so it prints as a secret does.
type Hash [sha256.Size]byte

// Format implements fmt.Formatter.
func (Hash) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, secret.Placeholder) }

// MarshalText implements encoding.TextMarshaler, and so JSON.
func (Hash) MarshalText() ([]byte, error) { return []byte(secret.Placeholder), nil }

// Match is what the API manager says of one key, judged at the time of asking.
type Match struct {
	Expires    time.Time // zero: never
	Revoked    bool
	Expired    bool
	Paused     bool
	Superseded bool // the same subscription has a newer key that is neither revoked nor expired
}

// Match looks a key up by its hash, comparing in constant time; false if the
// application has no such key. A key that was set by hand may occur in several
// subscriptions: then a usable one wins, and of those the one that ends first.
func (r Reading) Match(key secret.Value) (Match, bool) {
	hash := Hash(sha256.Sum256([]byte(key.Reveal())))
	var found []Key
	for _, k := range r.Keys {
		if subtle.ConstantTimeCompare(hash[:], k.Hash[:]) == 1 {
			found = append(found, k)
		}
	}
	if len(found) == 0 {
		return Match{}, false
	}
	now := time.Now()
	k := slices.MinFunc(found, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.severity(now), b.severity(now)), byEnd(a.Expires, b.Expires))
	})
	superseded := slices.ContainsFunc(r.Keys, func(other Key) bool { return other.supersedes(k, now) })
	return Match{k.Expires, k.Revoked, k.hasExpired(now), k.Paused, superseded}, true
}

// Newest returns the newest of a subscription's keys that is neither revoked
// nor expired; false if it has none.
func (r Reading) Newest(s Subscription) (Key, bool) {
	now := time.Now()
	i := slices.IndexFunc(r.Keys, func(k Key) bool {
		return !k.Revoked && !k.hasExpired(now) && slices.Contains(k.Subscriptions, s.ID)
	})
	if i < 0 {
		return Key{}, false
	}
	return r.Keys[i], true
}

// severity ranks what is wrong with a key: 0 is nothing, the highest is final.
func (k Key) severity(now time.Time) int {
	switch {
	case k.Revoked:
		return 3
	case k.hasExpired(now):
		return 2
	case k.Paused:
		return 1
	}
	return 0
}

// supersedes says whether k is a newer, usable key for a subscription of old.
func (k Key) supersedes(old Key, now time.Time) bool {
	return k.Hash != old.Hash && !old.Created.IsZero() && k.Created.After(old.Created) &&
		!k.Revoked && !k.hasExpired(now) &&
		slices.ContainsFunc(k.Subscriptions, func(id string) bool { return slices.Contains(old.Subscriptions, id) })
}

// hasExpired says whether the key's time is up, now or already when it was read.
func (k Key) hasExpired(now time.Time) bool {
	return k.Expired || !k.Expires.IsZero() && !now.Before(k.Expires)
}

// byEnd orders by time, with never, the zero time, last.
func byEnd(a, b time.Time) int {
	switch {
	case a.IsZero() && b.IsZero():
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	}
	return a.Compare(b)
}

// maxKeys is far more than any application has.
const maxKeys = 10_000

// keySet gathers the keys of all subscriptions. A shared key arrives once with each of them.
type keySet struct {
	mu            sync.Mutex
	answered      int                               // how many subscriptions have sent their keys
	subscriptions map[keyAttributes]map[string]bool // ids, by key
}

// keyAttributes is everything about a key but its subscriptions. Keys with equal attributes
// count as one; a shared key that is paused in one subscription only counts as two.
type keyAttributes struct {
	hash                     Hash
	created, expires         time.Time
	revoked, paused, expired bool
}

func newKeySet() *keySet { return &keySet{subscriptions: map[keyAttributes]map[string]bool{}} }

func (s *keySet) add(of Subscription, keys []keyEntity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answered++
	for _, k := range keys {
		key := keyAttributes{
			k.Key.hash, k.CreatedAt.Time, k.ExpireAt.Time,
			k.Revoked, k.Paused || of.Paused, k.Expired,
		}
		ids := s.subscriptions[key]
		if ids == nil {
			ids = map[string]bool{}
			s.subscriptions[key] = ids
		}
		ids[of.ID] = true
		if k.Subscription != "" {
			ids[k.Subscription] = true
		}
		for _, other := range k.Subscriptions {
			ids[other.ID] = true
		}
	}
}

// keys returns all keys, newest first. If no subscription has sent any,
// their address must have a third spelling.
func (s *keySet) keys(subscriptions int) ([]Key, error) {
	if s.answered == 0 && subscriptions > 0 {
		return nil, fail(NotFound, "the API manager has the subscriptions, but no keys below them: is this Gravitee 3.5 to 4.x?")
	}
	if len(s.subscriptions) > maxKeys {
		return nil, fail(Invalid, "the application has more than %d keys", maxKeys)
	}
	keys := make([]Key, 0, len(s.subscriptions))
	for k, ids := range s.subscriptions {
		keys = append(keys, Key{
			Hash: k.hash, Subscriptions: slices.Sorted(maps.Keys(ids)),
			Created: k.created, Expires: k.expires, Revoked: k.revoked, Paused: k.paused, Expired: k.expired,
		})
	}
	slices.SortFunc(keys, func(a, b Key) int {
		return cmp.Or(b.Created.Compare(a.Created), slices.Compare(a.Hash[:], b.Hash[:]))
	})
	return keys, nil
}
