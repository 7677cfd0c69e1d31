package gravitee

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// harvest gathers the keys of all subscriptions. A shared key comes once with each of them.
type harvest struct {
	mu       sync.Mutex
	answered int
	lists    map[life]map[string]bool // subscriptions, by key
}

// life is all there is to a key but its subscriptions. What is equal in it is one key to
// us; a shared key that is paused in one subscription alone is two.
type life struct {
	hash                     Hash
	created, expires         time.Time
	revoked, paused, expired bool
}

func newHarvest() *harvest { return &harvest{lists: map[life]map[string]bool{}} }

func (h *harvest) add(s Subscription, keys []keyEntity) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answered++
	for _, k := range keys {
		l := life{
			k.Key.hash, k.CreatedAt.Time, k.ExpireAt.Time,
			k.Revoked, k.Paused || s.Paused, k.Expired,
		}
		list := h.lists[l]
		if list == nil {
			list = map[string]bool{}
			h.lists[l] = list
		}
		list[s.ID] = true
		if k.Subscription != "" {
			list[k.Subscription] = true
		}
		for _, other := range k.Subscriptions {
			list[other.ID] = true
		}
	}
}

// keys returns what was gathered, newest first. That not one subscription's
// keys could be found means that their address has a third spelling.
func (h *harvest) keys(subscriptions int) ([]Key, error) {
	if h.answered == 0 && subscriptions > 0 {
		return nil, fail(NotFound, "the API manager has the subscriptions, but no keys below them: is this Gravitee 3.5 to 4.x?")
	}
	if len(h.lists) > maxKeys {
		return nil, fail(Invalid, "the application has more than %d keys", maxKeys)
	}
	keys := make([]Key, 0, len(h.lists))
	for l, list := range h.lists {
		keys = append(keys, Key{
			Hash: l.hash, Subscriptions: slices.Sorted(maps.Keys(list)),
			Created: l.created, Expires: l.expires, Revoked: l.revoked, Paused: l.paused, Expired: l.expired,
		})
	}
	slices.SortFunc(keys, func(a, b Key) int {
		return cmp.Or(b.Created.Compare(a.Created), slices.Compare(a.Hash[:], b.Hash[:]))
	})
	return keys, nil
}
