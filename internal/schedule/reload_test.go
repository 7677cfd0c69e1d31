package schedule

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// A reload that lowers the caps must not let new runs in beside those that are inside.
func TestLowerCapsHoldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		s := New(l.options())
		var checks []probe.Check
		for i := range 20 {
			checks = append(checks, checkOf(fmt.Sprint(i), "hangs:443", time.Minute, time.Minute, hanging()))
		}
		s.Replace(checks, Caps{Total: 64, PerHost: 8})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go s.Run(ctx)
		time.Sleep(time.Minute + time.Nanosecond)
		if n := s.InFlight(); n != 8 {
			t.Fatalf("%d in flight, want the cap of 8", n)
		}
		s.Replace(checks, Caps{Total: 64, PerHost: 4})
		for range 180 {
			time.Sleep(time.Second)
			if n := s.InFlight(); n > 8 {
				t.Fatalf("%d in flight after the cap went down from 8 to 4", n)
			}
		}
		if n := s.InFlight(); n != 4 {
			t.Errorf("%d in flight at last, want the cap of 4", n)
		}
	})
}

// A changed target's run is canceled, and may take a moment to end: the new check waits for it.
func TestChangedTargetNeverRunsTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		s := New(l.options())
		defer s.Close()
		running, most := 0, 0
		slow := proberFunc(func(ctx context.Context) (probe.Observation, error) {
			l.locked(func() { running++; most = max(most, running) })
			wait(ctx, 10*time.Second)
			time.Sleep(100 * time.Millisecond)
			l.locked(func() { running-- })
			return probe.Observation{}, ctx.Err()
		})
		check := checkOf("a", "h", time.Minute, time.Minute, slow)
		for version := range 3 {
			check.Version = fmt.Sprint(version)
			s.Replace([]probe.Check{check}, roomy())
			go func() { _, _ = s.Now(t.Context(), check.Target) }()
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Minute)
		reported := l.runs("a")
		l.locked(func() {
			if most != 1 || reported != 1 {
				t.Errorf("%d runs at once and %d reported, want 1 and 1", most, reported)
			}
		})
	})
}

// Who gives up waiting leaves no place taken behind.
func TestPlacesAreGivenBack(t *testing.T) {
	p := newPlaces()
	p.resize(Caps{Total: 1, PerHost: 1})
	leave, err := p.enter(t.Context(), seat{host: "a"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = p.enter(ctx, seat{host: "a", asked: true})
	if err == nil {
		t.Error("entered a full house")
	}
	leave()
	leave, err = p.enter(t.Context(), seat{host: "b", asked: true})
	if err != nil {
		t.Error(err)
	}
	leave()
	if p.all.taken+p.asked.taken+len(p.all.hosts)+len(p.asked.hosts)+len(p.waiting) != 0 {
		t.Errorf("left behind: %+v", p)
	}
}
