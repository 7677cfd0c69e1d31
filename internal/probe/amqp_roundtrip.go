package probe

import (
	"context"
	"errors"

	amqp "github.com/rabbitmq/amqp091-go"
)

// unroutable begins the routing keys of round trips: the default exchange routes
// to the queue of that name, and no queue has one with a fresh UUID in it.
const unroutable = "integra_exporter.roundtrip."

// roundTrip publishes a message that no queue takes to the default exchange,
// has it returned and confirmed. Nothing is declared, stored or bound.
func (s *session) roundTrip() error {
	if !s.broker.RoundTrip {
		return nil
	}
	s.trace.enter(PhaseRoundTrip)
	ch, err := s.channel()
	if err != nil {
		return err
	}
	err = ch.Confirm(false)
	if err != nil {
		return err
	}
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	confirmed, err := ch.PublishWithDeferredConfirm("", unroutable+newUUID(), true, false, amqp.Publishing{
		ContentType: "text/plain",
		AppId:       s.shared.UserAgent,
		Body:        []byte("integra_exporter round trip"),
	})
	if err != nil {
		return err
	}
	select {
	case <-confirmed.Done():
	case <-s.tap.blocked:
	}
	return s.returned(confirmed, closed)
}

// returned judges a round trip that is over, or that nobody waits for any more.
func (s *session) returned(confirmed *amqp.DeferredConfirmation, closed <-chan *amqp.Error) error {
	refusal := received(closed)
	switch {
	case s.tap.isBlocked():
		s.seen.Blocked = Count{N: 1, OK: true}
		return Fail(ReasonBlocked, "")
	case refusal != nil && refusal.Code == amqp.AccessRefused:
		return Fail(ReasonNotPermitted, "")
	case refusal != nil && refusal.Recover:
		return Fail(ReasonRoundTrip, "the broker rejects the message")
	case errors.Is(s.trace.ctx.Err(), context.DeadlineExceeded) && !confirmed.Acked():
		return Fail(ReasonRoundTrip, "no confirmation in time")
	case refusal != nil:
		return refusal
	case !confirmed.Acked():
		return Fail(ReasonRoundTrip, "the broker could not take the message")
	case !s.tap.cameBack():
		return Fail(ReasonRoundTrip, "confirmed, but it did not come back")
	}
	s.seen.Blocked = Count{N: 0, OK: true}
	return nil
}

// received returns what has arrived already.
func received(closed <-chan *amqp.Error) *amqp.Error {
	select {
	case err := <-closed:
		return err
	default:
		return nil
	}
}
