package exporter

import (
	"crypto/sha256"
	"errors"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/gravitee"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

const (
	day   = 24 * time.Hour
	grace = 2 * time.Hour // of a renewed key
)

// life is a key and its subscription, as the API manager holds them, and what the gateway makes of them.
type life struct {
	reading gravitee.Reading
	subs    *gravitee.Subscription // ours
	keys    []gravitee.Key         // newest first
}

// born returns a subscription to /lonn with one key; if shared, the key is also that of a subscription to /fs.
func born(shared bool) *life {
	l := &life{reading: gravitee.Reading{
		Subscriptions: []gravitee.Subscription{{ID: "lonn", API: "lonn"}, {ID: "fs", API: "fs"}},
		APIs: map[string]gravitee.API{
			"lonn": {Entrances: []gravitee.Entrance{{Path: "/lonn"}}}, "fs": {Entrances: []gravitee.Entrance{{Path: "/fs"}}},
		},
	}}
	l.subs = &l.reading.Subscriptions[0]
	holders := []string{"lonn"}
	if shared {
		holders = append(holders, "fs")
	}
	l.keys = []gravitee.Key{{Hash: sha256.Sum256([]byte("first")), Subscriptions: holders, Created: time.Now()}}
	return l
}

// read is the API manager's present state.
func (l *life) read() gravitee.Reading {
	r := l.reading
	r.At, r.Keys = time.Now(), append([]gravitee.Key(nil), l.keys...)
	r.Subscriptions = append([]gravitee.Subscription(nil), l.reading.Subscriptions...)
	if l.subs.Closed {
		r.Subscriptions, r.Closed = r.Subscriptions[1:], r.Subscriptions[:1]
	}
	return r
}

func (l *life) renew() {
	l.keys[0].Expires = time.Now().Add(grace)
	l.keys = append([]gravitee.Key{{Hash: sha256.Sum256([]byte("second")), Subscriptions: l.keys[0].Subscriptions, Created: time.Now()}}, l.keys...)
}

// endAt moves the subscription's end. The end of a key of its own follows, unless it has passed; a shared key has none.
func (l *life) endAt(at time.Time) {
	l.subs.Ends = at
	k := &l.keys[0]
	if len(k.Subscriptions) == 1 && (k.Expires.IsZero() || time.Now().Before(k.Expires)) {
		k.Expires = at
	}
}

// A year of a key, with a subscription of its own and shared: what is said of it when the gateway refuses it.
func TestAYearOfAKey(t *testing.T) {
	for name, shared := range map[string]bool{"exclusive": false, "shared": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			file := testkit.WriteFile(t, dir, "key", "first\n")
			synctest.Test(t, func(t *testing.T) {
				l := born(shared)
				e, log := withKey(t, file, l.read())
				used := e.keys.used[org]
				used.address = &url.URL{Scheme: "https", Host: "gw", Path: "/lonn/v1"}
				e.keys.used[org] = used
				for _, s := range yearOf(l, dir, shared) {
					s.do(t)
					e.keys.readings["uio"] = l.read()
					s.check(t, e)
					time.Sleep(s.wait)
				}
				if strings.Contains(log.String(), "first") || strings.Contains(log.String(), "second") {
					t.Errorf("a key is in the log:\n%s", log)
				}
			})
		})
	}
}

// step is what happens, what is then said of the key if the gateway refuses it, and how long that lasts.
type step struct {
	name   string
	do     func(*testing.T)
	reason probe.Reason
	said   string // in the API manager
	next   string
	ends   bool // an end of the key is known
	wait   time.Duration
}

func (s step) check(t *testing.T, e *Exporter) {
	t.Helper()
	e.report(org, probe.Result{Err: probe.Fail(probe.ReasonKeyRejected, "HTTP status 401")})
	row, _ := e.store.Target(org)
	reason, layer := probe.ReasonOf(row.Last.Err)
	explained, detail := probe.ExplainError(row.Last.Err), probe.DetailOf(row.Last.Err)
	meaning := "The gateway does not accept the API key: in the API manager " + s.said + "."
	if reason != s.reason || layer != probe.LayerKey || explained.Meaning != meaning || !strings.Contains(explained.Next, s.next) {
		t.Errorf("%s: %s at %s: %+v; want %s: %s -> %s", s.name, reason, layer, explained, s.reason, s.said, s.next)
	}
	if told := detail != "HTTP status 401"; told != strings.HasPrefix(s.said, "the subscription ") || told && !strings.Contains(s.said, detail[len("HTTP status 401, "):]) {
		t.Errorf("%s: detail %q", s.name, detail)
	}
	if ends := row.Key.Info.Ends; len(ends) != 1 || ends[0].At.IsZero() == s.ends {
		t.Errorf("%s: ends %v", s.name, ends)
	}
	if inOrder := s.said == "the key and its subscription are in order"; inOrder != (row.Key.Info.Standing == "") {
		t.Errorf("%s: remark %q", s.name, row.Key.Info.Standing)
	}
}

func yearOf(l *life, dir string, shared bool) []step {
	nothing := func(*testing.T) {}
	const inOrder, wait = "the key and its subscription are in order", "wait for the gateway"
	late := step{
		"extended too late", func(*testing.T) { l.endAt(time.Now().Add(100 * day)) }, probe.ReasonKeyExpired,
		"the key has expired", "Renew the key in the API manager", true, day,
	}
	if shared { // nothing in the API manager tells that the gateway has dropped the subscription
		late.reason, late.said, late.next = probe.ReasonKeyRejected, inOrder, wait
	}
	return []step{
		{
			"not begun", func(*testing.T) { l.subs.Begins = time.Now().Add(day) }, probe.ReasonKeyRejected,
			"the subscription has not begun: it begins on 2000-01-02T00:00:00Z", "Wait until it begins", false, day,
		},
		{"begun", nothing, probe.ReasonKeyRejected, inOrder, wait, false, 60 * day},
		{"renewed, in grace", func(*testing.T) { l.renew() }, probe.ReasonKeyRejected, inOrder, wait, true, grace},
		{"after the grace", nothing, probe.ReasonKeyExpired, "the key has expired", "Renew the key", true, time.Hour},
		{
			"replaced", func(t *testing.T) { testkit.WriteFile(t, dir, "key", "second\n") }, probe.ReasonKeyRejected,
			inOrder, wait, false, 60 * day,
		},
		{
			"paused", func(*testing.T) { l.subs.Paused = true }, probe.ReasonKeyRejected,
			"the subscription is paused", "Resume the subscription", false, 30 * day,
		},
		{"resumed", func(*testing.T) { l.subs.Paused = false }, probe.ReasonKeyRejected, inOrder, wait, false, 60 * day},
		{
			"an end is set", func(*testing.T) { l.endAt(time.Now().Add(30 * day)) }, probe.ReasonKeyRejected,
			inOrder, wait, true, 30 * day,
		},
		{
			"ended", nothing, probe.ReasonKeyExpired,
			"the subscription has ended", "Subscribe to the API again", true, day,
		},
		late,
		{
			"revoked", func(*testing.T) { l.keys[0].Revoked = true }, probe.ReasonKeyRevoked,
			"the key is revoked", "Ask the API's owner why", true, day,
		},
		{
			"closed", func(*testing.T) { l.subs.Closed = true }, probe.ReasonKeyRevoked,
			"the subscription is closed", "then subscribe again", true, day,
		},
	}
}

// What the API manager says changes no other reason, and nothing at all where it was not read.
func TestRefineReason(t *testing.T) {
	unread := probe.Fail(probe.ReasonKeyRejected, "HTTP status 401")
	got := RefineReason(unread, KeyReport{})
	if !errors.Is(got, unread) {
		t.Errorf("not read: %v", got)
	}
	revoked := KeyReport{true, gravitee.Match{Standing: gravitee.Revoked}}
	for _, err := range []error{nil, probe.Fail(probe.ReasonForbidden, "HTTP status 403"), probe.Fail(probe.ReasonKeyUnreadable, "x")} {
		got = RefineReason(err, revoked)
		if !errors.Is(got, err) {
			t.Errorf("%v became %v", err, got)
		}
	}
	reason, _ := probe.ReasonOf(RefineReason(probe.Fail(probe.ReasonKeyExpired, "x"), revoked))
	if reason != probe.ReasonKeyRevoked {
		t.Errorf("the gateway's word for an expired key, of a revoked one: %s", reason)
	}
}
