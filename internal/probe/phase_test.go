package probe

import (
	"errors"
	"net"
	"testing"
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
	if tr.bind(handedOn) != nil {
		t.Fatal("cannot bind")
	}
	tr.unbind()
	if tr.bind(bound) != nil {
		t.Fatal("cannot bind")
	}
	tr.end()
	tr.release()
	if handedOn.isClosed() || !bound.isClosed() {
		t.Errorf("closed: what was handed on %v, what was bound %v", handedOn.isClosed(), bound.isClosed())
	}
	if !errors.Is(tr.bind(late), net.ErrClosed) || !late.isClosed() {
		t.Error("takes a connection after the end")
	}
}
