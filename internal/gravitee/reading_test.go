package gravitee

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// key is one of subscription s, made on a day of January 1999; synctest's clock starts a year later.
func key(name string, made int, change ...func(*Key)) Key {
	k := Key{
		Hash: sha256.Sum256([]byte(name)), Subscriptions: []string{"s"},
		Created: time.Date(1999, 1, made, 0, 0, 0, 0, time.UTC),
	}
	for _, c := range change {
		c(&k)
	}
	return k
}

func in(d time.Duration) func(*Key) {
	return func(k *Key) { k.Expires = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d) }
}

func of(subscriptions ...string) func(*Key) { return func(k *Key) { k.Subscriptions = subscriptions } }
func revoked(k *Key)                        { k.Revoked = true }
func paused(k *Key)                         { k.Paused = true }
func expired(k *Key)                        { k.Expired = true }

func TestMatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		end := func(d time.Duration) time.Time { return time.Now().Add(d).UTC() }
		for name, test := range map[string]struct {
			keys []Key
			want Match
		}{
			"never":                         {[]Key{key("ours", 1)}, Match{Standing: Usable}},
			"dated":                         {[]Key{key("ours", 1, in(1))}, Match{Standing: Usable, Expires: end(1)}},
			"ends now, as read before":      {[]Key{key("ours", 1, in(0))}, Match{Standing: Expired, Expires: end(0)}},
			"expired, whatever the clock":   {[]Key{key("ours", 1, in(1), expired)}, Match{Standing: Expired, Expires: end(1)}},
			"revoked":                       {[]Key{key("ours", 1, revoked)}, Match{Standing: Revoked}},
			"paused":                        {[]Key{key("ours", 1, paused)}, Match{Standing: Paused}},
			"superseded":                    {[]Key{key("new", 2), key("ours", 1)}, Match{Standing: Usable, Superseded: true}},
			"superseded by a paused one":    {[]Key{key("new", 2, paused), key("ours", 1, paused)}, Match{Standing: Paused, Superseded: true}},
			"the newest":                    {[]Key{key("ours", 2), key("old", 1)}, Match{Standing: Usable}},
			"as old as another":             {[]Key{key("ours", 2), key("other", 2)}, Match{Standing: Usable}},
			"the newer one is revoked":      {[]Key{key("new", 2, revoked), key("ours", 1)}, Match{Standing: Usable}},
			"the newer one is expired":      {[]Key{key("new", 2, in(-1)), key("ours", 1)}, Match{Standing: Usable}},
			"newer, another subscription":   {[]Key{key("new", 2, of("t")), key("ours", 1)}, Match{Standing: Usable}},
			"newer, one shared":             {[]Key{key("new", 2, of("t", "u")), key("ours", 1, of("s", "u"))}, Match{Standing: Usable, Superseded: true}},
			"age unknown":                   {[]Key{key("new", 2), key("ours", 1, func(k *Key) { k.Created = time.Time{} })}, Match{Standing: Usable}},
			"twice: usable before revoked":  {[]Key{key("ours", 2, revoked), key("ours", 1, in(1))}, Match{Standing: Usable, Expires: end(1)}},
			"twice: paused before expired":  {[]Key{key("ours", 2, in(-1)), key("ours", 1, paused)}, Match{Standing: Paused}},
			"twice: expired before revoked": {[]Key{key("ours", 2, revoked), key("ours", 1, in(-1))}, Match{Standing: Expired, Expires: end(-1)}},
			"twice: a date, then never":     {[]Key{key("ours", 2, in(2)), key("ours", 1)}, Match{Standing: Usable, Expires: end(2)}},
			"twice: a date before never":    {[]Key{key("ours", 2), key("ours", 1, in(2)), key("ours", 1, in(3))}, Match{Standing: Usable, Expires: end(2)}},
		} {
			got := Reading{Keys: test.keys}.Match(secret.New("ours"), nil)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	})
}

func TestDates(t *testing.T) {
	at := time.Date(2026, 12, 31, 23, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"null": {}, "1798758000000": at, `"1798758000000"`: at, `"2026-12-31T23:00:00Z"`: at, `"2027-01-01T00:00:00.000+01:00"`: at,
		"1798758000": {}, "-1": {}, "0": {}, `""`: {}, `"never"`: {}, "{}": {}, "true": {}, "1.5": {}, "1e12": {}, "99999999999999999": {}, "[1]": {}, `"null"`: {},
	} {
		var document struct{ At timestamp }
		err := json.Unmarshal([]byte(`{"at":`+text+`}`), &document)
		if (err == nil) != (text == "null" || !want.IsZero()) || err != nil && kindOf(t, err) != Invalid {
			t.Errorf("%s: error %v", text, err)
		}
		if !document.At.Equal(want) {
			t.Errorf("%s is %v, want %v", text, document.At, want)
		}
	}
}

// A shared key that is paused with one of its subscriptions still works for the others.
func TestSharedKeyPausedInOneSubscription(t *testing.T) {
	c := serving(t, answering(map[string]string{
		list:                `{"data":[{"id":"s","status":"PAUSED"},{"id":"t"}]}`,
		list + "/s/apikeys": `[{"key":"ours","subscriptions":[{"id":"s"},{"id":"t"}]}]`,
		list + "/t/apikeys": `[{"key":"ours","subscriptions":[{"id":"s"},{"id":"t"}]}]`,
	}))
	reading := mustRead(t, c)
	match := reading.Match(secret.New("ours"), nil)
	if match.Standing != Usable || len(reading.Keys) != 1 {
		t.Errorf("%+v, %d keys", match, len(reading.Keys))
	}
}

// The oldest form of an answer names no subscription that it was not asked for; and a key may be empty.
func TestBareKeys(t *testing.T) {
	c := serving(t, answering(map[string]string{
		list:             oneSubscription,
		list + "/s/keys": `[{"key":"new","created_at":1798758000001},{"key":"ours","created_at":1798758000000},{"key":""}]`,
	}))
	reading := mustRead(t, c)
	match := reading.Match(secret.New("ours"), nil)
	if match.Standing != Usable || !match.Superseded || len(reading.Keys) != 3 {
		t.Errorf("%+v, %d keys", match, len(reading.Keys))
	}
	if (reading.Match(secret.Value{}, nil) != Match{}) {
		t.Error("no key matches an empty one")
	}
}

// Somebody presses "renew": the old key is superseded and ends in two hours, the
// gateway begins to refuse it, and the new one is found as soon as it is in use.
func TestRenewal(t *testing.T) {
	for name, dialect := range dialects {
		p := platform(t, demo.Options{Gravitee: dialect})
		c := New(options(t, p))
		old := secret.New(p.Key(uio, "krr"))
		wantMatch(t, name, c, old, Match{Standing: Usable})
		renewed := secret.New(p.Renew(uio, "krr"))
		reading := mustRead(t, c)
		match := reading.Match(old, nil)
		if left := time.Until(match.Expires); !match.Superseded || match.Standing != Usable || left < 119*time.Minute || left > 2*time.Hour {
			t.Errorf("%s: after the renewal: %+v", name, match)
		}
		wantMatch(t, name, c, renewed, Match{Standing: Usable})
		p.Revoke(uio, "krr") // the newest: the old one is the best there is
		wantMatch(t, name, c, renewed, Match{Standing: Revoked})
		match = mustRead(t, c).Match(old, nil)
		if match.Superseded {
			t.Errorf("%s: superseded by a revoked key", name)
		}
	}
	p := platform(t, demo.Options{KeyGrace: time.Nanosecond})
	old := secret.New(p.Key(uio, "krr"))
	p.Renew(uio, "krr")
	match := mustRead(t, New(options(t, p))).Match(old, nil)
	if match.Standing != Expired || !match.Superseded {
		t.Errorf("after the grace: %+v", match)
	}
}

func wantMatch(t *testing.T, name string, c *Client, key secret.Value, want Match) {
	t.Helper()
	got := mustRead(t, c).Match(key, nil)
	got.Begins = time.Time{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// The other way to compare would be to send the key; strings of an address end in logs.
func TestKeyIsNeverSent(t *testing.T) {
	const ours = "canary-key"
	var sent strings.Builder
	c := serving(t, recording(&sent, answering(map[string]string{list: oneSubscription, list + "/s/apikeys": `[{"key":"canary-key"}]`})))
	match := mustRead(t, c).Match(secret.New(ours), nil)
	_ = mustRead(t, c)
	if match.Standing != Usable || strings.Contains(sent.String(), ours) || strings.Contains(sent.String(), "api_key") || !strings.Contains(sent.String(), token) {
		t.Errorf("%+v; the key was sent, or nothing", match)
	}
}

func TestNewest(t *testing.T) {
	now := time.Now()
	of := func(ids ...string) Key { return Key{Subscriptions: ids} }
	named := func(name string, k Key) Key { k.Hash = sha256.Sum256([]byte(name)); return k }
	revoked, expired, past, future, paused := of("s"), of("s"), of("s"), of("s"), of("s")
	revoked.Revoked, expired.Expired, past.Expires, future.Expires, paused.Paused = true, true, now.Add(-time.Second), now.Add(time.Hour), true
	for _, c := range []struct {
		name string
		keys []Key // newest first, as a reading has them
		want int   // -1: none
	}{
		{"none", nil, -1},
		{"another subscription's", []Key{of("t")}, -1},
		{"the newest", []Key{of("s"), of("s")}, 0},
		{"shared", []Key{of("t"), of("t", "s")}, 1},
		{"not revoked, not expired", []Key{revoked, expired, past, future, of("s")}, 3},
		{"paused", []Key{paused, of("s")}, 0},
		{"all at an end", []Key{revoked, expired, past}, -1},
	} {
		for i := range c.keys {
			c.keys[i] = named(fmt.Sprint(i), c.keys[i])
		}
		got, ok := Reading{Keys: c.keys}.Newest(Subscription{ID: "s"})
		if ok != (c.want >= 0) || ok && got.Hash != c.keys[c.want].Hash {
			t.Errorf("%s: %t, or another key", c.name, ok)
		}
	}
}
