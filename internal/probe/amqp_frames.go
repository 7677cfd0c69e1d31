package probe

import (
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/amqpspec"
)

// errNotAMQP ends a connection whose other side speaks something else.
var errNotAMQP = errors.New("not AMQP 0-9-1")

// tap is the connection as the library gets it. It watches what comes in and
// remembers what the library does not tell: when, and why it ended.
//
// It has no deadlines to set, on purpose: the library would set its own. That
// it is blocked is seen here and not through the library's NotifyBlocked, which
// may send on a channel that closing has closed, and would end the program.
type tap struct {
	conn    net.Conn
	proceed func(amqpspec.Method) // called with tune and open-ok, once each and in this order
	scan    scanner
	blocked chan struct{} // closed when the broker says it takes no messages

	mu       sync.Mutex
	heard    bool              // anything at all
	steps    []amqpspec.Method // of the handshake, still to come
	started  time.Time
	returned bool
	err      error // the first that does not come from closing it ourselves
	erredAt  time.Time
}

func newTap(conn net.Conn, proceed func(amqpspec.Method)) *tap {
	return &tap{
		conn: conn, proceed: proceed,
		blocked: make(chan struct{}),
		steps:   []amqpspec.Method{amqpspec.ConnectionStart, amqpspec.ConnectionTune, amqpspec.ConnectionOpenOK},
	}
}

// Read implements io.Reader.
func (t *tap) Read(p []byte) (int, error) {
	n, err := t.conn.Read(p)
	if !t.scan.feed(p[:n], t.note) {
		n, err = 0, errNotAMQP // at once: the library would wait for the rest of a frame
	}
	t.keep(n, err)
	return n, err
}

// Write implements io.Writer.
func (t *tap) Write(p []byte) (int, error) {
	n, err := t.conn.Write(p)
	t.keep(0, err)
	return n, err
}

// Close implements io.Closer.
func (t *tap) Close() error { return t.conn.Close() }

// nudge ends the line for a server that has not said a word and may be waiting
// for that: one of HTTP answers then.
func (t *tap) nudge() {
	t.mu.Lock()
	heard := t.heard
	t.mu.Unlock()
	if !heard {
		_, _ = t.conn.Write([]byte("\r\n\r\n"))
	}
}

func (t *tap) keep(read int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heard = t.heard || read > 0
	if err != nil && t.err == nil && !errors.Is(err, net.ErrClosed) {
		t.err, t.erredAt = err, time.Now()
	}
}

func (t *tap) note(m amqpspec.Method) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case m == amqpspec.ConnectionBlocked && !t.isBlocked():
		close(t.blocked)
	case m == amqpspec.BasicReturn:
		t.returned = true
	case len(t.steps) > 0 && m == t.steps[0]:
		t.steps = t.steps[1:]
		if m == amqpspec.ConnectionStart {
			t.started = time.Now()
			return
		}
		t.proceed(m)
	}
}

func (t *tap) isBlocked() bool {
	select {
	case <-t.blocked:
		return true
	default:
		return false
	}
}

// cameBack says whether the broker has returned a message.
func (t *tap) cameBack() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.returned
}

// ending says how long after the broker's greeting (zero: there was none) the
// connection ended, and why; nil: it did not, or we closed it.
func (t *tap) ending() (time.Duration, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err == nil || t.started.IsZero() {
		return 0, t.err
	}
	return t.erredAt.Sub(t.started), t.err
}

// greeted says whether the broker has begun the handshake.
func (t *tap) greeted() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.started.IsZero()
}

// The lengths in a frame.
const (
	frameHeaderBytes = 7 // type, channel, size
	methodBytes      = 4
	frameEndBytes    = 1
)

// scanner finds the methods in a stream of frames, however it is cut into pieces.
type scanner struct {
	head [frameHeaderBytes + methodBytes]byte
	have int   // of head
	skip int64 // of the frame, after its head
}

// feed reports each method in p whose frame is complete; false: this is no AMQP.
func (s *scanner) feed(p []byte, report func(amqpspec.Method)) bool {
	for len(p) > 0 {
		if s.skip == 0 {
			s.head[s.have] = p[0]
			s.have++
			p = p[1:]
			if !s.step() {
				return false
			}
			continue
		}
		n := min(s.skip, int64(len(p)))
		p, s.skip = p[n:], s.skip-n
		if s.skip > 0 {
			return true
		}
		if s.have == len(s.head) {
			report(amqpspec.Method(binary.BigEndian.Uint32(s.head[frameHeaderBytes:])))
		}
		s.have = 0
	}
	return true
}

// step looks at what there is of the head, and finds the length of what follows; false: not the head of a frame.
func (s *scanner) step() bool {
	kind := s.head[0]
	if s.have == 1 {
		return kind == amqpspec.FrameMethod || kind == amqpspec.FrameHeader || kind == amqpspec.FrameBody || kind == amqpspec.FrameHeartbeat
	}
	if s.have < frameHeaderBytes {
		return true
	}
	channel := binary.BigEndian.Uint16(s.head[1:])
	size := int64(binary.BigEndian.Uint32(s.head[3:]))
	switch {
	case kind == amqpspec.FrameHeartbeat && channel != 0:
		return false // the library would panic
	case kind != amqpspec.FrameMethod || size < methodBytes:
		s.skip = size + frameEndBytes
	case s.have == len(s.head):
		s.skip = size - methodBytes + frameEndBytes
	}
	return true
}
