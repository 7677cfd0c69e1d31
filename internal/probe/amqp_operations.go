package probe

import (
	"context"
	"errors"
	"strings"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"
)

// declare asks for each exchange and queue by name, and changes nothing.
func (s *session) declare() error {
	var exchanges, queues []string
	for _, name := range s.broker.Exchanges {
		err := s.look(func(ch *amqp.Channel) error {
			return ch.ExchangeDeclarePassive(name, amqp.ExchangeTopic, true, false, false, false, nil)
		})
		lacks, err := missing(name, err)
		if err != nil {
			return err
		}
		exchanges = append(exchanges, lacks...)
	}
	for _, name := range s.broker.Queues {
		err := s.look(func(ch *amqp.Channel) error {
			queue, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
			if err == nil {
				s.seen.Queues = append(s.seen.Queues, QueueSeen{
					Name: name, Ready: int64(queue.Messages), Consumers: int64(queue.Consumers),
				})
			}
			return err
		})
		lacks, err := missing(name, err)
		if err != nil {
			return err
		}
		queues = append(queues, lacks...)
	}
	return absent(exchanges, queues)
}

// look does one declare. A name that is missing closes its channel, which
// would hide the next: that one gets a new channel.
func (s *session) look(declare func(*amqp.Channel) error) error {
	ch, err := s.channel()
	if err != nil {
		return err
	}
	return declare(ch)
}

// missing returns the name if err says that it is not there. An exception of
// the channel that says anything else (403: not allowed to look, 405: another
// connection's own) leaves the question open; all others are returned.
func missing(name string, err error) ([]string, error) {
	var said *amqp.Error
	switch {
	case err == nil:
		return nil, nil
	case !errors.As(err, &said) || !said.Server || !said.Recover:
		return nil, err
	case said.Code != amqp.NotFound:
		return nil, nil
	case !strings.HasPrefix(said.Reason, "NOT_FOUND - no "):
		return []string{name + " (it exists, but its node is down)"}, nil
	}
	return []string{name}, nil
}

func absent(exchanges, queues []string) error {
	queueList := "queue " + strings.Join(queues, ", ")
	switch {
	case len(exchanges) > 0 && len(queues) > 0:
		return Fail(ReasonExchangeMissing, "exchange %s; %s", strings.Join(exchanges, ", "), queueList)
	case len(exchanges) > 0:
		return Fail(ReasonExchangeMissing, "exchange %s", strings.Join(exchanges, ", "))
	case len(queues) > 0:
		return Fail(ReasonQueueMissing, "%s", queueList)
	}
	return nil
}

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
	confirmed, err := ch.PublishWithDeferredConfirm("", unroutable+uuid.NewString(), true, false, amqp.Publishing{
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

// channel returns the channel that is open, or opens one.
func (s *session) channel() (*amqp.Channel, error) {
	if s.ch != nil && !s.ch.IsClosed() {
		return s.ch, nil
	}
	ch, err := s.conn.Channel()
	s.ch = ch // nil beside an error
	return ch, err
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
