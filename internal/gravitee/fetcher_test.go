package gravitee

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

var dialects = map[string]demo.Dialect{
	"3.10": demo.Gravitee310, "3.15": demo.Gravitee315, "3.20": demo.Gravitee320, "4": demo.Gravitee4,
}

func TestReadInEveryDialect(t *testing.T) {
	for name, dialect := range dialects {
		t.Run(name, func(t *testing.T) {
			p := platform(t, demo.Options{Gravitee: dialect, Subscriptions: 250})
			reading := mustRead(t, New(options(t, p)))
			paused := 0
			for _, s := range reading.Subscriptions {
				if s.Paused {
					paused++
				}
				if s.APIName == "" || s.Plan == "" || s.API == "" {
					t.Errorf("subscription %+v", s)
				}
			}
			if len(reading.Subscriptions) != 250 || paused != 35 || time.Since(reading.At) > time.Minute {
				t.Errorf("%d subscriptions, %d paused, at %v", len(reading.Subscriptions), paused, reading.At)
			}
			seen := map[string]int{}
			for _, k := range p.ManagedKeys(uio) {
				got := reading.Match(secret.New(k.Value), nil)
				got.Begins = time.Time{}
				want := Match{Standing: standingOf(k), Expires: k.Expires.UTC(), Superseded: k.Superseded}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Fatalf("(-want +got):\n%s", diff)
				}
				count(seen, k)
			}
			want := map[string]int{"keys": 284, "never": 110, "revoked": 35, "expired": 35, "paused": 35, "superseded": 34, "shared": 35}
			if diff := cmp.Diff(want, seen); diff != "" {
				t.Errorf("what there was to read (-want +got):\n%s", diff)
			}
			if n := len(reading.Keys); n != 284-35+1 { // the shared one is one
				t.Errorf("%d keys", n)
			}
			wantNewestFirst(t, reading.Keys)
			for _, stranger := range []secret.Value{secret.New("stranger"), {}} {
				if (reading.Match(stranger, nil) != Match{}) {
					t.Error("a key that is not there was found")
				}
			}
		})
	}
}

func standingOf(k demo.ManagedKey) Standing {
	switch {
	case k.Revoked:
		return Revoked
	case k.Expired:
		return Expired
	case k.Paused:
		return Paused
	}
	return Usable
}

func count(seen map[string]int, k demo.ManagedKey) {
	for what, is := range map[string]bool{
		"keys": true, "revoked": k.Revoked, "expired": k.Expired, "paused": k.Paused, "superseded": k.Superseded, "shared": k.Shared,
		"never": k.Expires.IsZero() && !k.Revoked && !k.Paused,
	} {
		if is {
			seen[what]++
		}
	}
}

func wantNewestFirst(t *testing.T, keys []Key) {
	t.Helper()
	if !slices.IsSortedFunc(keys, func(a, b Key) int { return b.Created.Compare(a.Created) }) {
		t.Error("keys are not newest first")
	}
	shared := 0
	for _, k := range keys {
		if len(k.Subscriptions) > 1 {
			shared++
			if len(k.Subscriptions) != 35 || !slices.IsSorted(k.Subscriptions) {
				t.Errorf("a key is shared by %d subscriptions", len(k.Subscriptions))
			}
		}
	}
	if shared != 1 {
		t.Errorf("%d shared keys", shared)
	}
}

// What the client must send, and where to.
func TestRequests(t *testing.T) {
	var seen []string
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Method+" "+r.RequestURI)
		h := r.Header
		if h.Get("Authorization") != "Bearer "+token || h.Get("Accept") != "application/json" || h.Get("User-Agent") != "integra_exporter/1" {
			t.Errorf("header %v", h)
		}
		answering(map[string]string{list: oneSubscription, list + "/s/apikeys": "[]"})(w, r)
	})
	c.userAgent = "integra_exporter/1"
	_ = mustRead(t, c)
	want := []string{"GET " + list + "?page=1&size=100&status=ACCEPTED%2CPAUSED", "GET " + list + "/s/apikeys"}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if c.transport.Proxy != nil {
		t.Error("a proxy may be used")
	}
}

// The spelling is learned once, and learned anew after an upgrade.
func TestSpelling(t *testing.T) {
	known := "keys"
	var asked []string
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if step, ok := strings.CutPrefix(r.URL.Path, list+"/s/"); ok {
			asked = append(asked, step)
		}
		answering(map[string]string{list: oneSubscription, list + "/s/" + known: "[]"})(w, r)
	})
	for _, step := range []struct {
		known string
		asked []string
	}{
		{"keys", []string{"apikeys", "keys"}},
		{"keys", []string{"keys"}},
		{"apikeys", []string{"keys", "apikeys"}},
		{"apikeys", []string{"apikeys"}},
	} {
		known, asked = step.known, nil
		_ = mustRead(t, c)
		if diff := cmp.Diff(step.asked, asked); diff != "" {
			t.Errorf("asked of a Gravitee that knows %s (-want +got):\n%s", known, diff)
		}
	}
}

func TestSubscriptionClosedMeanwhile(t *testing.T) {
	c := serving(t, answering(map[string]string{
		list:              `{"data":[{"id":"closed"},{"id":"s"},{"id":"s"}]}`,
		list + "/s/keys":  `[{"key":"k"}]`,
		list + "/s/other": "",
	}))
	reading := mustRead(t, c)
	if len(reading.Subscriptions) != 2 || len(reading.Keys) != 1 {
		t.Errorf("%d subscriptions, %d keys", len(reading.Subscriptions), len(reading.Keys))
	}
}

// Four requests meet at the server; a fifth would be seen while they wait for each other.
func TestAtMostFourRequestsAtATime(t *testing.T) {
	var now, most atomic.Int32
	var meeting sync.WaitGroup
	meeting.Add(concurrency)
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == list {
			_, _ = fmt.Fprintf(w, `{"data":[{"id":"0"}%s]}`, strings.Join(ids(19), ""))
			return
		}
		n := now.Add(1)
		defer now.Add(-1)
		most.Store(max(most.Load(), n))
		if id := strings.Split(strings.TrimPrefix(r.URL.Path, list+"/"), "/")[0]; len(id) == 1 && id < "4" {
			meeting.Done()
			meeting.Wait()
		}
		_, _ = w.Write([]byte("[]"))
	})
	_ = mustRead(t, c)
	if most.Load() != concurrency {
		t.Errorf("%d requests at a time", most.Load())
	}
}

func ids(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`,{"id":"%d"}`, i+1)
	}
	return list
}

// Nothing stays open until the next reading, an hour later.
func TestConnectionsAreClosed(t *testing.T) {
	var connections sync.WaitGroup
	server := httptest.NewUnstartedServer(answering(map[string]string{list: oneSubscription, list + "/s/keys": "[]"}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			connections.Add(1)
		case http.StateClosed:
			connections.Done()
		}
	}
	server.Start()
	defer server.Close()
	_ = mustRead(t, New(Options{URL: parse(t, server.URL+"/management"), Application: "app", Token: literal(token)}))
	closed := make(chan struct{})
	go func() {
		connections.Wait()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(10 * time.Second):
		t.Error("a connection is open")
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	arrived := make(chan struct{}, concurrency)
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == list {
			_, _ = w.Write([]byte(`{"data":[{"id":"0"},{"id":"1"},{"id":"2"},{"id":"3"},{"id":"4"}]}`))
			return
		}
		arrived <- struct{}{}
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for range concurrency {
			<-arrived
		}
		cancel()
	}()
	_, err := c.Read(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	c = serving(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	})
	_, err = c.Read(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("while reading the list: error %v", err)
	}
}

func TestReadEndsAtItsDeadline(t *testing.T) {
	c := serving(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == list {
			_, _ = w.Write([]byte(oneSubscription))
			return
		}
		<-r.Context().Done()
	})
	_, err := c.Read(within(t, 50*time.Millisecond))
	if kindOf(t, err) != Timeout || !strings.HasSuffix(err.Error(), "in time") {
		t.Errorf("error %v", err)
	}
}
