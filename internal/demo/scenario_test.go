package demo

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// These are the faults at the start; everything else is healthy.
func TestPermanentFaults(t *testing.T) {
	p := start(t, Options{DeadAfter: time.Millisecond, SlowAfter: time.Millisecond})
	want := map[Target]answer{
		{"ntnu", "fs-gemini"}:     {Status: 200, Body: page},
		{"ntnu", "krr"}:           {Status: 401, Body: `{"error":"invalid_token"}`},
		{"uib", "inspera"}:        {Status: 429, Body: wantAnswers[RateLimited][0].Body},
		{"uib", "freg"}:           {Status: 404, Body: wantAnswers[UnknownContextPath][0].Body},
		{"uio", "ansatte"}:        {Status: 504},
		{"uit", "organisasjoner"}: {Status: 401, Body: wantAnswers[KeyRejected][0].Body},
		{"uit", "fs-emner"}:       {Status: 200, Body: page[:len(page)/2], Err: "unexpected EOF"},
		{"himolde", "inspera"}:    {Status: 403, Body: wantAnswers[ResourceForbidden][0].Body},
	}
	got := map[Target]answer{}
	for _, target := range p.Targets() {
		r := documented(t, p, target.Institution, target.API)
		r.Close = true // else a gateway keeps the connection whose backend broke off
		a := mustSend(t, client(t, p, target.Institution, false), r)
		if a.Status != 200 || a.Body != apiNamed(target.API).answer {
			got[target] = answer{Status: a.Status, Body: a.Body, Err: a.Err}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("faulty targets (-want +got):\n%s", diff)
	}
	if f := p.gateway("ntnu").api("stillinger").fault; f != Slow {
		t.Errorf("ntnu stillinger is %v, want slow", f)
	}
}

func TestIntermittentFaultsAreDue(t *testing.T) {
	e := intermittentFault{first: 40 * time.Second, lasts: 20 * time.Second, period: 2 * time.Minute}
	for seconds, want := range map[int]bool{
		-1: false, 0: false, 39: false, 40: true, 59: true, 60: false, 159: false, 160: true, 179: true, 180: false, 3640: true,
	} {
		if got := e.due(time.Duration(seconds) * time.Second); got != want {
			t.Errorf("at %ds: %v, want %v", seconds, got, want)
		}
	}
}

// The end of an intermittent fault clears any other, so there must be none.
func TestIntermittentFaultsMeetNoOther(t *testing.T) {
	p := start(t, Options{})
	for _, e := range intermittentFaults {
		for _, s := range permanentFaults {
			if e.Target == s.Target {
				t.Errorf("%v has a permanent fault too", e.Target)
			}
		}
		if e.lasts >= e.period || e.first < 30*time.Second {
			t.Errorf("%v: %+v never ends or begins at once", e.Target, e)
		}
		p.Set(e.Institution, e.API, e.fault) // panics on an unknown name
	}
}

func TestPlay(t *testing.T) {
	p := start(t, quick())
	inForce := make([]bool, len(intermittentFaults))
	status := func() int {
		t.Helper()
		a, err := send(client(t, p, "himolde", false), documented(t, p, "himolde", "fs-emner"))
		if errors.Is(err, syscall.ECONNREFUSED) {
			return 0
		}
		if err != nil {
			t.Fatal(err)
		}
		return a.Status
	}
	for _, step := range []struct {
		at   time.Duration
		want int
	}{{0, 200}, {39 * time.Second, 200}, {40 * time.Second, 0}, {41 * time.Second, 0}, {60 * time.Second, 200}, {160 * time.Second, 0}} {
		p.play(inForce, step.at)
		if got := status(); got != step.want {
			t.Errorf("at %v: status %d, want %d", step.at, got, step.want)
		}
	}
	p.play(inForce, -1)
	if got := status(); got != 200 {
		t.Errorf("after the end: status %d, want 200", got)
	}
	p.Set("uio", "fs-emner", EmptyBody)
	p.play(inForce, time.Second)
	if f := p.gateway("uio").api("fs-emner").fault; f != EmptyBody {
		t.Errorf("a fault set by hand became %v", f)
	}
}

// Run on fake time, over gateways without listeners: real ones would hold the clock.
func TestRunKeepsToTheScenario(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := withoutListeners()
		ctx, cancel := context.WithCancel(t.Context())
		go p.Run(ctx)
		emner := p.gateway("uio").api("fs-emner")
		fault := func() Fault {
			g := p.gateway("uio")
			g.mu.Lock()
			defer g.mu.Unlock()
			return emner.fault
		}
		at := time.Duration(0)
		for _, step := range []struct {
			at   time.Duration
			want Fault
		}{{68, Healthy}, {72, BackendRefused}, {98, BackendRefused}, {102, Healthy}, {162, BackendRefused}} {
			time.Sleep(step.at*time.Second - at)
			at = step.at * time.Second
			if got := fault(); got != step.want {
				t.Errorf("at %v: %v, want %v", at, got, step.want)
			}
		}
		cancel()
		synctest.Wait()
		if got := fault(); got != Healthy {
			t.Errorf("after the end: %v", got)
		}
	})
}

func withoutListeners() *Platform {
	closing := make(chan struct{})
	close(closing)
	p := &Platform{gateways: map[string]*gateway{}, done: make(chan struct{})}
	for _, i := range institutions {
		g := &gateway{endpoint: &endpoint{closing: closing}}
		keys := &subscriptions{grace: 2 * time.Hour}
		for _, name := range i.apis {
			s := keys.subscribe(name, name, newAPIKey(time.Now(), time.Time{}))
			g.apis = append(g.apis, &deployedAPI{api: apiNamed(name), subscription: s})
		}
		p.gateways[i.Name] = g
	}
	return p
}

func TestDelaysOfTheDemo(t *testing.T) {
	g := start(t, Options{}).gateway("ntnu")
	if g.options.DeadAfter != 2*time.Second || g.options.SlowAfter != 1500*time.Millisecond {
		t.Errorf("dead after %v, slow after %v", g.options.DeadAfter, g.options.SlowAfter)
	}
	if !strings.Contains(configTemplate, "timeout: 4s") || apiNamed("stillinger").MaxDuration != "1s" {
		t.Error("a dead backend must show as one, and a slow one as slow")
	}
}

func TestRunEnds(t *testing.T) {
	p := start(t, quick())
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { p.Run(ctx); close(ended) }()
	cancel()
	<-ended
	go func() { p.Run(t.Context()) }()
	_ = p.Close() // goleak would see the second one
}

// When Run begins, the configured key of one API has been renewed.
func TestRunChangesKeys(t *testing.T) {
	p := start(t, Options{})
	configured := p.Key("uib", "stillinger")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.Run(ctx)
	states := map[string]ManagedKey{}
	for _, k := range p.ManagedKeys("uib") {
		states[k.Value] = k
	}
	old := states[configured]
	if !old.Superseded || old.Expired || time.Until(old.Expires) < time.Hour {
		t.Errorf("the renewed key is %+v", old)
	}
	if fault := p.management("himolde").currentFault(); fault != ManagementForbidden {
		t.Errorf("every API manager can be read: %v", fault)
	}
}

func TestUnknownNamesPanic(t *testing.T) {
	p := start(t, quick())
	for name, f := range map[string]func(){
		"institution":            func() { p.Set("nord", "", Silent) },
		"API":                    func() { p.Set("uio", "rolf", Silent) },
		"API of another":         func() { p.Set("himolde", "krr", Silent) },
		"refusing API":           func() { p.Set("uio", "krr", Refused) },
		"request of an API":      func() { p.Request("rolf") },
		"fault outside the set":  func() { _ = Fault(len(faults)).String() },
		"key of an API not held": func() { p.Key("himolde", "krr") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
