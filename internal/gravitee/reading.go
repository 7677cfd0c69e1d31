package gravitee

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"slices"
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
// application has no such key. A key that was set by hand may stand in several
// subscriptions: then a usable one counts before others, and of those the one
// that ends first.
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
		return cmp.Or(cmp.Compare(a.trouble(now), b.trouble(now)), byEnd(a.Expires, b.Expires))
	})
	superseded := slices.ContainsFunc(r.Keys, func(other Key) bool { return other.supersedes(k, now) })
	return Match{k.Expires, k.Revoked, k.hasExpired(now), k.Paused, superseded}, true
}

// hasExpired says whether the key's time is up, now or already when it was read.
func (k Key) hasExpired(now time.Time) bool {
	return k.Expired || !k.Expires.IsZero() && !now.Before(k.Expires)
}

// trouble ranks a key: 0 is usable, the worst is final.
func (k Key) trouble(now time.Time) int {
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

// supersedes says whether somebody has renewed old, and this is what came of it.
func (k Key) supersedes(old Key, now time.Time) bool {
	return k.Hash != old.Hash && !old.Created.IsZero() && k.Created.After(old.Created) &&
		!k.Revoked && !k.hasExpired(now) &&
		slices.ContainsFunc(k.Subscriptions, func(id string) bool { return slices.Contains(old.Subscriptions, id) })
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
