package probe

import (
	"context"
	"errors"
	"net"
	"net/http/httptrace"
	"net/netip"
	"sync"
	"time"
)

// Phase is a stretch of a probe. The phases of one probe follow each other without a gap.
type Phase uint8

// The phases, in the order in which a probe can reach them.
const (
	PhaseNone Phase = iota // before the first
	PhaseResolve
	PhaseConnect
	PhaseTLS
	PhaseProcessing
	PhaseTransfer
	PhaseLogin
	PhaseOpen
	PhaseDeclare
	PhaseRoundTrip
	phaseCount
)

// String returns the label value.
func (p Phase) String() string {
	return [phaseCount]string{
		"", "resolve", "connect", "tls", "processing", "transfer", "login", "open", "declare", "roundtrip",
	}[p]
}

// Phases holds how long each phase lasted; zero: not reached.
type Phases [phaseCount]time.Duration

// errTooManyDials ends a probe whose connections keep being taken away.
var errTooManyDials = errors.New("more than two connections for one probe")

const maxDials = 2

// errTooManyInfos ends a probe whose server sends nothing but 1xx.
var errTooManyInfos = errors.New("more than 16 informational answers")

const maxInfos = 16

// binding is a connection that ends with its probe, until stop.
type binding struct {
	close func()
	stop  func() bool // false: the probe ended it already
}

// trace follows one probe through its phases.
//
// net/http dials in a goroutine of its own and detaches its context, so what
// it reports may come late: the lock and the guards keep that out.
type trace struct {
	ctx    context.Context
	start  time.Time
	secure bool // a TLS handshake follows the dial
	hooks  httptrace.ClientTrace

	mu        sync.Mutex
	phase     Phase
	since     time.Time
	phases    Phases
	dials     int
	infos     int
	connected bool // the request has its connection
	ended     bool
	cert      Certificate
	ip        int // version of the last connection's address
	bound     []binding
	conn      net.Conn // of the request
}

type traceKey struct{}

// newTrace starts the clock. The trace's own context is ctx with the trace in it.
func newTrace(ctx context.Context) *trace {
	now := time.Now()
	t := &trace{start: now, since: now}
	parent := traceOf(ctx)
	if parent != nil { // a run's second request: its connections count, too
		t.dials = parent.dialed()
	}
	t.ctx = context.WithValue(ctx, traceKey{}, t)
	return t
}

func traceOf(ctx context.Context) *trace {
	t, _ := ctx.Value(traceKey{}).(*trace)
	return t
}

// enterDialing is enter for the steps of a dial, which may still go on when
// the request already has another connection.
func (t *trace) enterDialing(p Phase) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.connected {
		t.enterLocked(p, time.Now())
	}
}

// dialing counts a dial and refuses the third.
func (t *trace) dialing() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dials >= maxDials {
		return errTooManyDials
	}
	t.dials++
	return nil
}

func (t *trace) dialed() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dials
}

// reached notes to which kind of address there is a connection.
func (t *trace) reached(remote net.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tcp, isTCP := remote.(*net.TCPAddr)
	if isTCP && !t.ended && !t.connected {
		t.ip = ipVersion(tcp.AddrPort().Addr())
	}
}

// wantsConnection notes that the request is about to get a connection: its
// first, or another because net/http tries once more.
func (t *trace) wantsConnection() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.connected = false
}

// hasConnection opens the processing phase.
func (t *trace) hasConnection(conn net.Conn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	keptOf(t.conn).leave() // of an attempt before
	keptOf(conn).take(conn)
	t.connected, t.conn = true, conn
	t.enterLocked(PhaseProcessing, time.Now())
}

// sent says whether the request had a connection to go over.
func (t *trace) sent() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn != nil
}

// robbed says whether the request got a connection that the probe which dialed it closed at that moment.
func (t *trace) robbed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return keptOf(t.conn).wasAborted()
}

// informed takes a 1xx, which is not yet the answer.
func (t *trace) informed() error {
	t.enter(PhaseProcessing)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.infos++
	if t.infos > maxInfos {
		return errTooManyInfos
	}
	return nil
}

// enter closes the phase before and opens p. What passed before the first
// phase belongs to it, so that the sum is the duration.
func (t *trace) enter(p Phase) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.enterLocked(p, time.Now())
}

// bind calls close when the probe ends, until unbind.
func (t *trace) bind(close func()) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		close()
		return net.ErrClosed
	}
	t.bound = append(t.bound, binding{close, context.AfterFunc(t.ctx, close)})
	return nil
}

// unbind leaves the connections to net/http: other probes may use them too.
func (t *trace) unbind() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range t.bound {
		b.stop()
	}
	t.bound = nil
}

// release closes what is still bound: nobody else waits for it.
func (t *trace) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	keptOf(t.conn).leave()
	for _, b := range t.bound {
		if b.stop() {
			b.close()
		}
	}
}

// end stops the clock and returns the phase in which the probe ended.
// Whatever is reported later is ignored.
func (t *trace) end() Phase {
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.phase
	t.enterLocked(PhaseNone, time.Now())
	t.ended = true
	return last
}

// observe writes what was measured into o. Valid after end.
func (t *trace) observe(o *Observation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o.Phases, o.Certificate, o.IPVersion = t.phases, t.cert, t.ip
	for _, d := range t.phases {
		o.Elapsed += d
	}
}

// handshook records the certificates that the server showed, accepted or not.
// What fails after a handshake that is done is no fault of TLS.
func (t *trace) handshook(c Certificate, done bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.connected {
		return // nobody waits for this dial any more
	}
	t.certifyLocked(c)
	if done {
		t.enterLocked(PhaseProcessing, time.Now())
	}
}

func (t *trace) enterLocked(p Phase, now time.Time) {
	if t.ended {
		return
	}
	if t.phase != PhaseNone {
		t.phases[t.phase] += max(now.Sub(t.since), 1)
		t.since = now
	}
	t.phase = p
}

// certify records the certificates behind the answer, which another probe may have been shown.
func (t *trace) certify(c Certificate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.certifyLocked(c)
}

func (t *trace) certifyLocked(c Certificate) {
	if !t.ended && !c.Expiry.IsZero() {
		t.cert = c
	}
}

func ipVersion(addr netip.Addr) int {
	if isIPv4(addr) {
		return 4
	}
	return 6
}

// isIPv4 says so also of the long form in which /etc/hosts is read.
func isIPv4(addr netip.Addr) bool { return addr.Unmap().Is4() }
