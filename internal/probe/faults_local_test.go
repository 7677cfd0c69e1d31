package probe

import (
	"context"
	"net"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

func localFault(name string, reason Reason, layer Layer, inject func(*testing.T) Trial) Fault {
	return Fault{"Local", name, AtOnce, reason, layer, inject}
}

// proberFunc is a Prober.
type proberFunc func(context.Context) (Observation, error)

func (f proberFunc) Probe(ctx context.Context) (Observation, error) { return f(ctx) }

func localFaults() []Fault {
	return []Fault{
		inChild("no descriptor left, for a connection", ReasonResources, LayerExporter, "connection"),
		inChild("no descriptor left, for the resolver", ReasonResources, LayerExporter, "resolver"),
		inChild("no descriptor left, for the file of the key", ReasonResources, LayerExporter, "key"),
		inChild("GOMEMLIMIT of 64 MiB, and a gzip bomb of 1 GiB", ReasonTooLarge, LayerBackend, "bomb", "GOMEMLIMIT=64MiB"),
		inChild("GOMEMLIMIT of 64 MiB, and a jq expression that wants more", ReasonExpectation, LayerBackend, "jq", "GOMEMLIMIT=64MiB"),
		jqPlacesTaken(),
		localFault("a bug in jq that panics", ReasonPanic, LayerExporter, func(t *testing.T) Trial {
			l := newLab(t)
			p := l.plan(l.gateway(answers(response("200 OK", backendText))).port)
			p.JQ = &JQ{}
			return Trial{Prober: p.prober()}
		}),
		localFault("the wall clock is set an hour ahead: a key seems to have ended", ReasonKeyExpired, LayerKey,
			clockSet(time.Hour)),
		localFault("the wall clock is set back by that hour", "", "", clockSet(time.Hour, 0)),
		localFault("the wall clock steps an hour ahead while a probe runs", "", "", clockSteps(time.Hour)),
		localFault("the wall clock steps an hour back while a probe runs", "", "", clockSteps(-time.Hour)),
	}
}

func jqPlacesTaken() Fault {
	f := localFault("the places for jq are taken by expressions that do not end", ReasonResources, LayerExporter,
		func(t *testing.T) Trial {
			l := newLab(t)
			p := l.plan(l.gateway(answers(response("200 OK", backendText))).port)
			wants("true")(p)
			h := p.prober()
			for range maxDecodes {
				h.shared.jq <- struct{}{}
			}
			return Trial{Prober: h}
		})
	f.Pace = AtDeadline
	return f
}

// clockSet watches a key for half an hour's life, each time after the clock
// was set to so long after midnight: a new bubble of virtual time begins then.
func clockSet(at ...time.Duration) func(*testing.T) Trial {
	return func(t *testing.T) Trial {
		midnight := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		key := NewKey(Credential{Ends: &KeyEnd{SourceConfig, midnight.Add(30 * time.Minute)}})
		return Trial{Prober: proberFunc(func(context.Context) (seen Observation, err error) {
			for _, after := range at {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(after)
					seen, err = key.Probe(t.Context())
				})
			}
			return seen, err
		})}
	}
}

// clockSteps sets the wall clock by so much while the name is looked up, which takes a while.
func clockSteps(by time.Duration) func(*testing.T) Trial {
	return func(t *testing.T) Trial {
		const lookup = 60 * time.Millisecond
		l := newLab(t)
		l.nameServer = newNameServer(t, zone{gatewayName: {typeA: {addrs: here.addrs, delay: lookup}}})
		p := l.plan(l.gateway(answers(goodAnswer)).port)
		ask := l.nameServer
		var once sync.Once
		l.nameServer = func(ctx context.Context, network, addr string) (net.Conn, error) {
			once.Do(func() { traceOf(ctx).step(t, -by) })
			return ask(ctx, network, addr)
		}
		return Trial{p.prober(), func(seen Observation, err error) string {
			if took := seen.Phases[PhaseResolve]; took < lookup || took > ample {
				return "resolving took " + took.String()
			}
			return cmp.Diff(answered("", "", 200, 2), sightOf(seen, err))
		}}
	}
}

// step moves what the trace has read of the wall clock.
func (t *trace) step(of *testing.T, by time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.start, t.since = stepped(of, t.start, by), stepped(of, t.since, by)
}

// stepped is at, a reading of both clocks, as if the wall clock had stood elsewhere by so much.
func stepped(t *testing.T, at time.Time, by time.Duration) time.Time {
	moved := at
	// Package time keeps the wall clock's seconds above 30 bits of nanoseconds.
	*(*uint64)(unsafe.Pointer(&moved)) += uint64(by/time.Second) << 30
	if moved.Sub(at) != 0 || moved.Unix()-at.Unix() != int64(by/time.Second) {
		t.Errorf("%v is not %v moved by %v", moved, at, by)
	}
	return moved
}

// exhaust leaves this process without a descriptor, until give.
func exhaust(t *testing.T) (give func()) {
	t.Helper()
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	if err != nil {
		t.Fatal(err)
	}
	limit.Cur = 128
	err = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	if err != nil {
		t.Fatal(err)
	}
	var taken []int
	for {
		fd, err := syscall.Dup(0)
		if err != nil {
			break
		}
		taken = append(taken, fd)
	}
	return func() {
		for _, fd := range taken {
			_ = syscall.Close(fd)
		}
	}
}
