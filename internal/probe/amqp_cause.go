package probe

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

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
	sentence, isTLS := tlsFault(err)
	switch {
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

func isEnd(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

func howItEnded(err error) string {
	if isEnd(err) {
		return "connection closed"
	}
	return "connection reset"
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
	{amqp.NotAllowed, "NOT_ALLOWED - access to vhost", "", ReasonVhostRefused, ""},
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
