package gravitee

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// Standing is what the API manager holds of a key and its subscription together.
type Standing uint8

// The standings, the better first.
const (
	Unknown  Standing = iota // none of the application's subscriptions has the key
	Usable                   // a gateway that knows of it accepts it
	NotBegun                 // the subscription begins later
	Paused                   // the subscription is paused
	Expired                  // the key has expired
	Ended                    // the subscription has ended, and the key with it
	Revoked                  // the key was revoked
	Closed                   // the subscription was closed
)

// Match is what the API manager says of one key, judged at the time of asking. The zero Match is of an unknown key.
type Match struct {
	Standing   Standing
	Begins     time.Time // of the subscription; zero: always
	Expires    time.Time // the earlier end of key and subscription; zero: never
	Superseded bool      // the same subscription has a newer key that is neither revoked nor expired
}

// grant is a key with one of its subscriptions.
type grant struct {
	key Key
	of  Subscription
}

// Match looks a key up by its hash, comparing in constant time. A key that is shared by several subscriptions is judged
// by that to the API at address, if the API manager lists the API; else a usable one wins, and of those the one that
// ends first.
func (r Reading) Match(key secret.Value, address *url.URL) Match {
	grants := r.grantsOf(key)
	if len(grants) == 0 {
		return Match{}
	}
	api := r.apiAt(address)
	if slices.ContainsFunc(grants, func(g grant) bool { return g.of.API == api }) {
		grants = slices.DeleteFunc(grants, func(g grant) bool { return g.of.API != api })
	}
	now := time.Now()
	best := slices.MinFunc(grants, func(a, b grant) int {
		return cmp.Or(cmp.Compare(a.standing(now), b.standing(now)), byEnd(a.ends(), b.ends()))
	})
	superseded := slices.ContainsFunc(r.Keys, func(other Key) bool { return other.supersedes(best.key, now) })
	return Match{best.standing(now), best.of.Begins, best.ends(), superseded}
}

func (r Reading) grantsOf(key secret.Value) (grants []grant) {
	hash := Hash(sha256.Sum256([]byte(key.Reveal())))
	subscriptions := slices.Concat(r.Subscriptions, r.Closed)
	for _, k := range r.Keys {
		if subtle.ConstantTimeCompare(hash[:], k.Hash[:]) != 1 {
			continue
		}
		for _, id := range k.Subscriptions {
			g := grant{k, Subscription{ID: id}}
			i := slices.IndexFunc(subscriptions, func(s Subscription) bool { return s.ID == id })
			if i >= 0 {
				g.of = subscriptions[i]
			}
			grants = append(grants, g)
		}
	}
	return grants
}

// apiAt returns the id of the API with the longest context path that address is below; empty: none that is listed.
func (r Reading) apiAt(address *url.URL) (id string) {
	if address == nil {
		return ""
	}
	longest := ""
	for candidate, api := range r.APIs {
		path := api.Path(address.Hostname())
		if len(path) > len(longest) && strings.HasPrefix(strings.TrimSuffix(address.Path, "/")+"/", path+"/") {
			id, longest = candidate, path
		}
	}
	return id
}

// Newest returns the newest of a subscription's keys that is neither revoked
// nor expired; false if it has none, or has ended.
func (r Reading) Newest(s Subscription) (Key, bool) {
	now := time.Now()
	i := slices.IndexFunc(r.Keys, func(k Key) bool {
		return !s.HasEnded(now) && !k.Revoked && !k.hasExpired(now) && slices.Contains(k.Subscriptions, s.ID)
	})
	if i < 0 {
		return Key{}, false
	}
	return r.Keys[i], true
}

// standing puts what is final first: closing a subscription revokes its keys, and its end is theirs.
func (g grant) standing(now time.Time) Standing {
	switch {
	case g.of.Closed:
		return Closed
	case g.key.Revoked:
		return Revoked
	case g.of.HasEnded(now):
		return Ended
	case g.key.hasExpired(now):
		return Expired
	case g.of.Paused, g.key.Paused:
		return Paused
	case now.Before(g.of.Begins):
		return NotBegun
	}
	return Usable
}

// ends is the earlier end of key and subscription: a shared key may outlive a subscription, and one whose end was moved
// may outlive its key.
func (g grant) ends() time.Time {
	if byEnd(g.key.Expires, g.of.Ends) < 0 {
		return g.key.Expires
	}
	return g.of.Ends
}

// HasEnded says whether the subscription's time is up.
func (s Subscription) HasEnded(now time.Time) bool { return !s.Ends.IsZero() && !now.Before(s.Ends) }

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
