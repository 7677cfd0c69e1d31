package demo

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"
)

// Every answer of the broker to a declare, in its words.
func TestBrokerDeclares(t *testing.T) {
	p := start(t, quick())
	conn, err := dial(t, p, login{iga, p.Password("ntnu", iga), iga})
	if err != nil {
		t.Fatal(err)
	}
	exchange := func(ch *amqp.Channel, name string) error {
		return ch.ExchangeDeclarePassive(name, "topic", true, false, false, false, nil)
	}
	queue := func(ch *amqp.Channel, name string) error {
		q, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
		want := amqp.Queue{Name: "from_" + studentSystem, Messages: 3, Consumers: 1}
		if err == nil && q != want {
			t.Errorf("queue %+v, want %+v", q, want)
		}
		return err
	}
	for _, c := range []struct {
		declare func(*amqp.Channel, string) error
		name    string
		want    said
	}{
		{queue, "from_" + studentSystem, said{}},
		{queue, "from_rolf", said{404, "NOT_FOUND - no queue 'from_rolf' in vhost '" + iga + "'"}},
		{exchange, "", said{}},
		{exchange, exch, said{404, "NOT_FOUND - no exchange '" + exch + "' in vhost '" + iga + "'"}}, // another's
	} {
		ch, err := conn.Channel() // the last one's channel may be gone, the connection is not
		if err != nil {
			t.Fatal(err)
		}
		diff := cmp.Diff(c.want, saidBy(c.declare(ch, c.name)))
		if diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.name, diff)
		}
	}
	err = exchange(channel(t, p, dfoSAP), exch)
	if err != nil {
		t.Errorf("its own exchange: %v", err)
	}
}

// A client cannot create anything, and an unknown method ends the connection.
func TestBrokerMakesNothing(t *testing.T) {
	p := start(t, quick())
	for name, call := range map[string]func(*amqp.Channel) error{
		"exchange": func(ch *amqp.Channel) error { return ch.ExchangeDeclare("x", "topic", true, false, false, false, nil) },
		"queue": func(ch *amqp.Channel) error {
			_, err := ch.QueueDeclare("x", true, false, false, false, nil)
			return err
		},
		"delete": func(ch *amqp.Channel) error { return ch.ExchangeDelete(exch, false, false) },
	} {
		ch := channel(t, p, dfoSAP)
		got := saidBy(call(ch))
		if got.Code != 540 {
			t.Errorf("%s: %+v, want code 540", name, got)
		}
	}
}

// outcome is what becomes of a published message.
type outcome struct {
	Returned string // code, text, routing key and body
	Tag      uint64
	Acked    bool
	Closed   said
}

func TestBrokerTakesMessages(t *testing.T) {
	p := start(t, quick())
	for _, c := range []struct {
		name, exchange, key string
		mandatory           bool
		want                []outcome // of two alike
	}{
		{"unroutable", "", "nobody", true, []outcome{
			{Returned: "312 NO_ROUTE nobody hei", Tag: 1, Acked: true}, {Returned: "312 NO_ROUTE nobody hei", Tag: 2, Acked: true},
		}},
		{"unroutable, nobody cares", "", "nobody", false, []outcome{{Tag: 1, Acked: true}, {Tag: 2, Acked: true}}},
		{"a queue", "", "from_" + studentSystem, true, []outcome{{Tag: 1, Acked: true}, {Tag: 2, Acked: true}}},
		{"no exchange", "outgoing_rolf", "x", true, []outcome{
			{Closed: said{404, "NOT_FOUND - no exchange 'outgoing_rolf' in vhost '" + iga + "'"}},
		}},
	} {
		ch := channel(t, p, iga)
		err := ch.Confirm(false)
		if err != nil {
			t.Fatal(err)
		}
		returns, acks := ch.NotifyReturn(make(chan amqp.Return, 2)), ch.NotifyPublish(make(chan amqp.Confirmation, 2))
		closed := ch.NotifyClose(make(chan *amqp.Error, 1))
		var got []outcome
		for range c.want {
			err = ch.Publish(c.exchange, c.key, c.mandatory, false, amqp.Publishing{Body: []byte("hei")})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, arrived(returns, acks, closed))
		}
		diff := cmp.Diff(c.want, got)
		if diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func arrived(returns <-chan amqp.Return, acks <-chan amqp.Confirmation, closed <-chan *amqp.Error) (o outcome) {
	select {
	case ack, open := <-acks:
		if !open { // with the channel, which has said why
			o.Closed = saidBy(<-closed)
			break
		}
		o.Tag, o.Acked = ack.DeliveryTag, ack.Ack
	case err := <-closed:
		o.Closed = saidBy(err)
	}
	select {
	case r, ok := <-returns:
		if ok {
			o.Returned = fmt.Sprintf("%d %s %s %s", r.ReplyCode, r.ReplyText, r.RoutingKey, r.Body)
		}
	default:
	}
	return o
}

// A message without a body, one of several frames, and one too large.
func TestBrokerMessageSizes(t *testing.T) {
	p := start(t, quick())
	for size, want := range map[int]said{
		0: {}, 1: {}, messageMax: {}, messageMax + 1: {501, "FRAME_ERROR - more than a message may hold"},
	} {
		ch := channel(t, p, iga)
		returns, closed := ch.NotifyReturn(make(chan amqp.Return, 1)), ch.NotifyClose(make(chan *amqp.Error, 1))
		err := ch.Publish("", "nobody", true, false, amqp.Publishing{Body: make([]byte, size)})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case r := <-returns:
			if want.Code != 0 || len(r.Body) != size {
				t.Errorf("%d bytes: %d came back", size, len(r.Body))
			}
		case err := <-closed:
			if got := saidBy(err); got != want {
				t.Errorf("%d bytes: %+v, want %+v", size, got, want)
			}
		}
	}
}

// inspect looks for the queue of this name as a client of the application does.
func inspect(t *testing.T, p *Platform, application, name string) (amqp.Queue, said) {
	t.Helper()
	q, err := channel(t, p, application).QueueDeclarePassive(name, true, false, false, false, nil)
	return q, saidBy(err)
}

func TestSetQueue(t *testing.T) {
	p := start(t, quick())
	p.SetQueue(Access{"ntnu", iga}, dfoSAP, 7, 0)
	for name, want := range map[string]amqp.Queue{
		"from_" + dfoSAP:        {Name: "from_" + dfoSAP, Messages: 7},
		"from_" + studentSystem: {Name: "from_" + studentSystem, Messages: 3, Consumers: 1}, // as it was
	} {
		got, _ := inspect(t, p, iga, name)
		diff := cmp.Diff(want, got)
		if diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	p.SetBroker("ntnu", iga, BrokerQueueMissing)
	_, got := inspect(t, p, iga, "from_"+dfoSAP)
	if got.Code != 404 {
		t.Errorf("a missing queue: %+v, want code 404", got)
	}
}
