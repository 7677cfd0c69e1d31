package demo

import (
	"fmt"
	"strconv"
	"sync"
	"time"
)

// ledger is what the API manager and the gateway of an institution both go by:
// who has subscribed to what, and with which keys.
type ledger struct {
	grace time.Duration // how long a renewed key's predecessor still works

	mu      sync.Mutex
	entries []*entry
}

// entry is a subscription of the institution's one application.
type entry struct {
	ledger    *ledger
	id        string
	api, plan string // names
	paused    bool
	ends      time.Time // zero: never
	keys      []*issued // newest first; the last entries share theirs
}

// issued is the life of one API key. Zero times: not, or never.
type issued struct {
	id, value                 string
	created, expires, revoked time.Time
}

func newIssued(created, expires time.Time) *issued {
	return &issued{id: newUUID(), value: newUUID(), created: created.Truncate(time.Millisecond), expires: expires.Truncate(time.Millisecond)}
}

func (k *issued) expired(now time.Time) bool { return !k.expires.IsZero() && now.After(k.expires) }

func (l *ledger) subscribe(api, plan string, keys ...*issued) *entry {
	e := &entry{ledger: l, id: newUUID(), api: api, plan: plan, keys: keys}
	l.entries = append(l.entries, e)
	return e
}

// accepts reports whether the gateway lets key through to this subscription's API.
func (e *entry) accepts(key string) bool {
	e.ledger.mu.Lock()
	defer e.ledger.mu.Unlock()
	for _, k := range e.keys {
		if k.value == key {
			return k.revoked.IsZero() && !k.expired(time.Now())
		}
	}
	return false
}

// newest returns the key that a consumer should use.
func (e *entry) newest() string {
	e.ledger.mu.Lock()
	defer e.ledger.mu.Unlock()
	return e.keys[0].value
}

// renew does what the button does: a new key, and two more hours for all that have not ended yet.
func (e *entry) renew() string {
	e.ledger.mu.Lock()
	defer e.ledger.mu.Unlock()
	now := time.Now()
	fresh := newIssued(now, e.ends)
	for _, k := range e.keys {
		if !k.expired(now) {
			k.expires = fresh.created.Add(e.ledger.grace)
		}
	}
	e.keys = append([]*issued{fresh}, e.keys...)
	return fresh.value
}

func (e *entry) revoke() {
	e.ledger.mu.Lock()
	defer e.ledger.mu.Unlock()
	e.keys[0].revoked = time.Now()
}

// end is what an approver may set; the keys follow.
func (e *entry) end(at time.Time) {
	e.ledger.mu.Lock()
	defer e.ledger.mu.Unlock()
	e.ends = at.Truncate(time.Millisecond)
	e.keys[0].expires = e.ends
}

const (
	day     = 24 * time.Hour
	keysAge = 90 * day // of the keys that are there from the start
)

// fill adds subscriptions until there are n: a long-lived application's.
func (l *ledger) fill(n int) {
	now := time.Now()
	old := now.Add(-keysAge)
	shared := newIssued(old, time.Time{})
	for i := len(l.entries); i < n; i++ {
		e := l.subscribe(fmt.Sprintf("other-%d", i), strconv.Itoa(i), newIssued(old, time.Time{}))
		switch i % 7 {
		case 0: // never ends
		case 1:
			e.end(now.Add(time.Duration(i) * day))
		case 2:
			e.keys[0].expires = e.keys[0].created.Add(keysAge - day)
		case 3:
			e.revoke()
		case 4:
			e.paused = true
		case 5:
			e.renew()
		case 6:
			e.keys = []*issued{shared}
		}
	}
}

// ManagedKey is a key as the API manager of the demo holds it.
type ManagedKey struct {
	Value            string
	Expires          time.Time // zero: never
	Revoked, Expired bool
	Paused           bool // with its subscription
	Superseded       bool // there is a newer one
	Shared           bool // among several subscriptions
}

func (l *ledger) managed() []ManagedKey {
	l.mu.Lock()
	defer l.mu.Unlock()
	holders := map[*issued]int{}
	for _, e := range l.entries {
		for _, k := range e.keys {
			holders[k]++
		}
	}
	var keys []ManagedKey
	for _, e := range l.entries {
		for i, k := range e.keys {
			keys = append(keys, ManagedKey{
				Value: k.value, Expires: k.expires, Revoked: !k.revoked.IsZero(), Expired: k.expired(time.Now()),
				Paused: e.paused, Superseded: i > 0, Shared: holders[k] > 1,
			})
		}
	}
	return keys
}
