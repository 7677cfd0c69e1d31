package probe

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/integra-exporter/integra_exporter/internal/tlsfault"
)

// failed turns the error of a request that got no complete answer into its
// cause, by the phase in which it happened. A canceled probe has no cause: it
// returns context.Canceled, which nobody reports.
func failed(ctx context.Context, phase Phase, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) {
		return context.Canceled
	}
	sentence, isTLS := tlsfault.Describe(err)
	var ours *Failure
	switch {
	case errors.As(err, &ours): // our own files
		return ours
	case errors.Is(err, errTooManyDials): // a dial before it may still go on: the phase says nothing
		return Fail(ReasonInvalidResponse, closedEarly)
	case isExhausted(err):
		return Fail(ReasonResources, "no descriptor, port or memory for a connection")
	case isTimeout(ctx, err):
		return timedOut(phase)
	case isDNS(err):
		return Fail(ReasonDNS, "%s", dnsFault(err))
	case isTLS:
		return Fail(ReasonTLS, "%s", sentence)
	case phase == PhaseTLS:
		return Fail(ReasonTLS, "%s", handshakeFault(err))
	case phase == PhaseConnect:
		return Fail(ReasonConnect, "%s", connectFault(err))
	case phase == PhaseTransfer:
		return Fail(ReasonInvalidResponse, "the answer is not HTTP, or was cut off in its header")
	case phase == PhaseProcessing:
		return Fail(ReasonInvalidResponse, closedEarly)
	}
	return Fail(ReasonInternal, "the request could not be made")
}

const closedEarly = "the connection was closed before an answer, or the answer is not HTTP"

func isDNS(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns)
}

func dnsFault(err error) string {
	var dns *net.DNSError
	errors.As(err, &dns)
	name := strings.TrimSuffix(dns.Name, ".") // of the configuration
	if dns.IsNotFound {
		return name + ": no such host"
	}
	return name + ": the resolver answered with an error or not at all"
}

func isNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// handshakeFault names the end of a handshake that no alert, certificate or deadline explains.
func handshakeFault(err error) string {
	var system syscall.Errno
	if isEnd(err) || errors.As(err, &system) || errors.Is(err, net.ErrClosed) {
		return "the connection was closed during the handshake"
	}
	return "the handshake breaks the rules of TLS, or no version or cipher is in common"
}

func connectFault(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "no route to the host"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	}
	return "no connection"
}

// silentClose tells a refused login from a broker that went away: RabbitMQ
// waits 3 s, and then closes without a word.
const silentClose = 2500 * time.Millisecond

// cause names why a step failed. It never passes on what the library or the broker wrote.
func (s *session) cause(err error) error {
	phase, ctx := s.trace.end(), s.trace.ctx
	var (
		failure *Failure
		said    *amqp.Error
	)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case errors.As(err, &failure):
		return failure
	case phase <= PhaseTLS:
		return unreached(ctx, phase, err)
	case errors.As(err, &said) && said.Server:
		return closedWith(said.Code, said.Reason)
	case errors.Is(err, amqp.ErrSASL):
		return Fail(ReasonProtocol, "the broker offers no login with user name and password")
	}
	return s.lost(phase)
}

// unreached is the cause of a failure before the first AMQP frame.
func unreached(ctx context.Context, phase Phase, err error) error {
	if phase == PhaseTLS && ctx.Err() == nil && errors.Is(err, syscall.ECONNRESET) {
		return Fail(ReasonDisconnected, "connection reset during the TLS handshake")
	}
	err = failed(ctx, phase, err)
	var failure *Failure
	if errors.As(err, &failure) && failure.Reason == ReasonTLS {
		failure.Layer = LayerBroker
	}
	return err
}

// lost is the cause of a connection that ended, or went silent, without the broker saying why.
func (s *session) lost(phase Phase) error {
	after, err := s.tap.ending()
	sentence, isTLS := tlsfault.Describe(err)
	var ours *Failure
	switch {
	case errors.As(err, &ours): // our own files
		return ours
	case errors.Is(err, errNotAMQP):
		return Fail(ReasonProtocol, "the answer is not AMQP 0-9-1")
	case isTLS: // a client certificate is refused only after the handshake
		return &Failure{Reason: ReasonTLS, Layer: LayerBroker, Detail: sentence}
	case isExhausted(err):
		return Fail(ReasonResources, "no buffer or memory for the connection")
	case isEnd(err) && phase == PhaseLogin && after >= silentClose:
		return Fail(ReasonLoginRefused, "")
	case err != nil && !isTimeout(context.Background(), err):
		return Fail(ReasonDisconnected, "%s while %s", howItEnded(err), s.waiting(phase))
	case isTimeout(s.trace.ctx, err):
		return Fail(ReasonBrokerTimeout, "%s", s.waiting(phase))
	}
	return Fail(ReasonProtocol, "a frame that AMQP 0-9-1 does not allow, while %s", s.waiting(phase))
}

func howItEnded(err error) string {
	if isEnd(err) {
		return "connection closed"
	}
	return "connection reset"
}

func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// waiting says what the probe was waiting for.
func (s *session) waiting(phase Phase) string {
	switch {
	case phase == PhaseLogin && !s.tap.greeted():
		return "waiting for the broker's greeting"
	case phase == PhaseLogin:
		return "waiting for the answer to the login (a refused one takes 3 s)"
	case phase == PhaseOpen:
		return "opening the vhost"
	case phase == PhaseDeclare:
		return "looking for exchanges and queues"
	}
	return "preparing the round trip"
}

// closings says what it means when the broker closes a connection with this
// code and a text that begins and ends so; the first that fits counts.
var closings = []struct {
	code         int
	begins, ends string
	reason       Reason
	detail       string
}{
	{amqp.NotAllowed, "NOT_ALLOWED - connection refused for user", "is reached", ReasonConnectionLimit, "the user's limit"},
	{amqp.NotAllowed, "NOT_ALLOWED - connection refused: node", "is reached", ReasonConnectionLimit, "the node's limit"},
	{amqp.NotAllowed, "NOT_ALLOWED - access to vhost", "is reached", ReasonConnectionLimit, "the vhost's limit"},
	{amqp.NotAllowed, "NOT_ALLOWED - number of channels opened", "", ReasonConnectionLimit, "the limit of channels"},
	{amqp.NotAllowed, "NOT_ALLOWED - vhost ", " not found", ReasonVhostMissing, ""},
	{amqp.NotAllowed, "NOT_ALLOWED - access to vhost", "'", ReasonVhostRefused, ""},
	{amqp.NotAllowed, "NOT_ALLOWED - access to vhost", "", ReasonDisconnected, "the service that decides who may use the vhost has failed"},
	{amqp.NotAllowed, "NOT_ALLOWED - negotiated ", "", ReasonProtocol, "the broker rejects the limits that were agreed on"},
	{amqp.AccessRefused, "ACCESS_REFUSED - Login", "", ReasonLoginRefused, ""},
	{amqp.AccessRefused, "", "", ReasonVhostRefused, ""},
	{amqp.InternalError, "", " is down", ReasonDisconnected, "the vhost is down on this node"},
	{amqp.ConnectionForced, "", "", ReasonDisconnected, "the broker shuts down, or an administrator closed the connection"},
	{amqp.FrameError, "", "", ReasonProtocol, "the broker rejects a frame"},
	{amqp.SyntaxError, "", "", ReasonProtocol, "the broker rejects a frame"},
	{amqp.CommandInvalid, "", "", ReasonProtocol, "the broker rejects a frame"},
	{amqp.ChannelError, "", "", ReasonProtocol, "the broker rejects a frame"},
	{amqp.UnexpectedFrame, "", "", ReasonProtocol, "the broker rejects a frame"},
	{amqp.NotImplemented, "", "", ReasonProtocol, "the broker lacks something that AMQP 0-9-1 has"},
}

func closedWith(code int, text string) *Failure {
	for _, c := range closings {
		if c.code == code && strings.HasPrefix(text, c.begins) && strings.HasSuffix(text, c.ends) {
			return Fail(c.reason, "%s", c.detail)
		}
	}
	return Fail(ReasonDisconnected, "the broker closed the connection with code %d", code)
}

// unreadable is the cause of an error while reading the body.
func unreadable(ctx context.Context, err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case isTimeout(ctx, err):
		return timedOut(PhaseTransfer)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return Fail(ReasonInvalidResponse, "the answer says it is gzip, but it is not")
	}
	return Fail(ReasonBody, "the answer was cut off")
}

// timedOut is the cause of a deadline in phase.
func timedOut(phase Phase) *Failure {
	switch phase {
	case PhaseNone:
		return Fail(ReasonTimeout, "before anything was sent")
	case PhaseResolve:
		return Fail(ReasonDNS, "no answer from the resolver in time")
	case PhaseProcessing:
		return Fail(ReasonGatewayTimeout, "")
	case PhaseTransfer:
		return Fail(ReasonBody, "the answer did not end in time")
	}
	return Fail(ReasonTimeout, "while in phase %s", phase)
}

// isTimeout says whether the probe's time is up, or the system gave up connecting.
func isTimeout(ctx context.Context, err error) bool {
	return errors.Is(ctx.Err(), context.DeadlineExceeded) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, syscall.ETIMEDOUT)
}

// noSecret is the cause of an error of a secret's source; what says in words which secret it is.
func noSecret(what string, err error) error {
	if isExhausted(err) {
		return Fail(ReasonResources, "no descriptor to read %s", what)
	}
	return Fail(ReasonKeyUnreadable, "%v", err)
}

// isExhausted says whether this machine, not the other side, lacks something.
func isExhausted(err error) bool {
	for _, lack := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS} {
		if errors.Is(err, lack) {
			return true
		}
	}
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return !lacksFamily(err) // out of ports
	}
	// The resolver keeps only the text of the error that stopped it.
	var dns *net.DNSError
	return errors.As(err, &dns) && strings.Contains(dns.Err, syscall.EMFILE.Error())
}

// lacksFamily says whether this machine has no address of the family that it
// tried to connect from: what the other family says counts then.
func lacksFamily(err error) bool {
	var op *net.OpError
	if !errors.As(err, &op) {
		return false
	}
	addr, ok := op.Addr.(*net.TCPAddr)
	unavailable := errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.ENETUNREACH) ||
		errors.Is(err, syscall.EAFNOSUPPORT)
	return unavailable && ok && addr.IP.To4() == nil
}
