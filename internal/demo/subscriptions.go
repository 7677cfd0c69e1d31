package demo

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	day     = 24 * time.Hour
	keysAge = 90 * day // of the keys with which the demo starts
)

// subscriptions are those of an institution's one application, with their keys. The API
// manager and the gateway share them.
type subscriptions struct {
	grace time.Duration // how long a renewed key's predecessor still works

	mu  sync.Mutex
	all []*subscription
}

// subscription is one of them.
type subscription struct {
	group     *subscriptions // for its lock
	id        string
	api, plan string // names
	paused    bool
	changed   time.Time // when it was paused, resumed, closed or given an end; zero: never
	begins    time.Time // zero: when its first key was made
	closed    time.Time // zero: it is not
	ends      time.Time // zero: never
	keys      []*apiKey // newest first; some that fill adds share theirs
}

// apiKey is the life of one API key. Zero times: not, or never.
type apiKey struct {
	id, value                 string
	created, expires, revoked time.Time
}

// fill adds subscriptions until there are n, as a long-lived application has them.
func (s *subscriptions) fill(n int) {
	now := time.Now()
	old := now.Add(-keysAge)
	shared := newAPIKey(old, time.Time{})
	for i := len(s.all); i < n; i++ {
		e := s.subscribe(fmt.Sprintf("other-%d", i), strconv.Itoa(i), newAPIKey(old, time.Time{}))
		switch i % 7 {
		case 0: // never ends
		case 1:
			e.endAt(now.Add(time.Duration(i) * day))
		case 2:
			e.keys[0].expires = e.keys[0].created.Add(keysAge - day)
		case 3:
			e.revoke()
		case 4:
			e.paused = true
		case 5:
			e.renew()
		case 6:
			e.keys = []*apiKey{shared}
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

func (s *subscriptions) managed() []ManagedKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	holders := map[*apiKey]int{}
	for _, e := range s.all {
		for _, k := range e.keys {
			holders[k]++
		}
	}
	var keys []ManagedKey
	for _, e := range s.all {
		for i, k := range e.keys {
			keys = append(keys, ManagedKey{
				Value: k.value, Expires: k.expires, Revoked: !k.revoked.IsZero(), Expired: k.expired(time.Now()),
				Paused: e.paused, Superseded: i > 0, Shared: holders[k] > 1,
			})
		}
	}
	return keys
}

func (s *subscriptions) subscribe(api, plan string, keys ...*apiKey) *subscription {
	added := &subscription{group: s, id: uuid.NewString(), api: api, plan: plan, keys: keys}
	s.all = append(s.all, added)
	return added
}

// accepts reports whether the gateway accepts key for this subscription's API.
func (s *subscription) accepts(key string) bool {
	s.group.mu.Lock()
	defer s.group.mu.Unlock()
	now := time.Now()
	if s.paused || !s.closed.IsZero() || now.Before(s.begins) || !s.ends.IsZero() && now.After(s.ends) {
		return false
	}
	for _, k := range s.keys {
		if k.value == key {
			return k.revoked.IsZero() && !k.expired(now)
		}
	}
	return false
}

// change lets f change what the gateway looks at.
func (s *subscription) change(f func(*subscription)) {
	s.group.mu.Lock()
	defer s.group.mu.Unlock()
	s.changed = time.Now().Truncate(time.Millisecond)
	f(s)
}

// close is for good: it revokes the keys.
func (s *subscription) close() {
	s.change(func(s *subscription) {
		s.closed = s.changed
		for _, k := range s.keys {
			k.revoked = s.changed
		}
	})
}

// hasEnded reports whether key was one of this subscription's and has expired.
func (s *subscription) hasEnded(key string) bool {
	s.group.mu.Lock()
	defer s.group.mu.Unlock()
	return slices.ContainsFunc(s.keys, func(k *apiKey) bool { return k.value == key && k.revoked.IsZero() && k.expired(time.Now()) })
}

// newest returns the key that a consumer should use.
func (s *subscription) newest() string {
	s.group.mu.Lock()
	defer s.group.mu.Unlock()
	return s.keys[0].value
}

// renew does what the button in the API manager does: it returns a new key, and those that have not ended get two more hours.
func (s *subscription) renew() string {
	s.group.mu.Lock()
	defer s.group.mu.Unlock()
	now := time.Now()
	fresh := newAPIKey(now, s.ends)
	for _, k := range s.keys {
		if !k.expired(now) {
			k.expires = fresh.created.Add(s.group.grace)
		}
	}
	s.keys = append([]*apiKey{fresh}, s.keys...)
	return fresh.value
}

func (s *subscription) revoke() {
	s.group.mu.Lock()
	defer s.group.mu.Unlock()
	s.keys[0].revoked = time.Now()
}

// endAt does what an approver may do; the newest key ends with its subscription, unless it has ended already.
func (s *subscription) endAt(at time.Time) {
	s.change(func(s *subscription) {
		s.ends = at.Truncate(time.Millisecond)
		if !s.keys[0].expired(s.changed) {
			s.keys[0].expires = s.ends
		}
	})
}

func newAPIKey(created, expires time.Time) *apiKey {
	return &apiKey{id: uuid.NewString(), value: uuid.NewString(), created: created.Truncate(time.Millisecond), expires: expires.Truncate(time.Millisecond)}
}

func (k *apiKey) expired(now time.Time) bool { return !k.expires.IsZero() && now.After(k.expires) }
