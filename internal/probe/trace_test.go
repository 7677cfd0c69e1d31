package probe

import (
	"errors"
	"net"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func (p *pipe) isClosed() bool {
	select {
	case <-p.closed:
		return true
	default:
		return false
	}
}

// What a probe bound and did not hand on ends with it, also if it comes late.
func TestTraceEndsWhatItBound(t *testing.T) {
	t.Parallel()
	handedOn, bound, late := newPipe(), newPipe(), newPipe()
	tr := newTrace(t.Context())
	if tr.bind(func() { _ = handedOn.Close() }) != nil {
		t.Fatal("cannot bind")
	}
	tr.unbind()
	if tr.bind(func() { _ = bound.Close() }) != nil {
		t.Fatal("cannot bind")
	}
	tr.end()
	tr.release()
	if handedOn.isClosed() || !bound.isClosed() {
		t.Errorf("closed: what was handed on %v, what was bound %v", handedOn.isClosed(), bound.isClosed())
	}
	if !errors.Is(tr.bind(func() { _ = late.Close() }), net.ErrClosed) || !late.isClosed() {
		t.Error("takes a connection after the end")
	}
}

// net/http may have given the request another connection, and finish the dial all the same.
func TestLateDialSaysNothing(t *testing.T) {
	t.Parallel()
	v4, v6 := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, &net.TCPAddr{IP: net.IPv6loopback}
	good, bad := Certificate{time.Unix(2, 0), true}, Certificate{time.Unix(1, 0), false}
	for _, done := range []bool{true, false} {
		tr := newTrace(t.Context())
		tr.reached(v4)
		tr.handshook(good, true)
		tr.hasConnection(nil)
		tr.enter(PhaseTransfer)
		for _, late := range []func(){
			func() { tr.enterDialing(PhaseConnect) },
			func() { tr.reached(v6) },
			func() { tr.handshook(bad, done) },
		} {
			late()
		}
		var seen Observation
		last := tr.end()
		tr.observe(&seen)
		if last != PhaseTransfer || seen.IPVersion != 4 {
			t.Errorf("ended in phase %s, IP version %d", last, seen.IPVersion)
		}
		if diff := cmp.Diff(good, seen.Certificate); diff != "" {
			t.Errorf("certificate (-want +got):\n%s", diff)
		}
	}
}
