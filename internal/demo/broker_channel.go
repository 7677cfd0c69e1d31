package demo

import "github.com/integra-exporter/integra_exporter/internal/amqpspec"

// messageMax is the largest body of a published message, in bytes.
const messageMax = 64 << 10

// brokerChannel is an open channel of a connection.
type brokerChannel struct {
	*brokerSession
	number    uint16
	ended     bool // by the broker; the client has not confirmed it yet
	confirms  bool
	confirmed uint64
	message   *message // on its way in; nil: none
}

// message is what a client publishes.
type message struct {
	exchange, key string
	mandatory     bool
	header, body  []byte
	size          uint64 // of the body; valid with header
}

// channelMethods are the methods that a client may call on a channel. Each reports
// whether the connection goes on.
var channelMethods = map[amqpspec.Method]func(*brokerChannel, decoder) bool{
	amqpspec.ChannelClose:    (*brokerChannel).close,
	amqpspec.ExchangeDeclare: (*brokerChannel).declareExchange,
	amqpspec.QueueDeclare:    (*brokerChannel).declareQueue,
	amqpspec.ConfirmSelect:   (*brokerChannel).confirm,
	amqpspec.BasicPublish:    (*brokerChannel).publish,
}

func (c *brokerChannel) answer(f frame) bool {
	if f.kind != amqpspec.FrameMethod {
		return c.ended || c.content(f)
	}
	arguments := decoder(f.payload)
	m := amqpspec.Method(arguments.long())
	method, known := channelMethods[m]
	switch {
	case c.ended && m == amqpspec.ChannelCloseOK:
		delete(c.channels, c.number)
		return true
	case c.ended && m != amqpspec.ChannelClose:
		return true
	case c.message != nil:
		return c.refuse(505, "UNEXPECTED_FRAME - expected the content of a message")
	case !known:
		return c.refuse(540, "NOT_IMPLEMENTED - the simulation cannot do this")
	}
	return method(c, arguments)
}

func (c *brokerChannel) declareExchange(arguments decoder) bool {
	arguments.next(2)
	name := arguments.shortString()
	arguments.shortString() // type
	switch {
	case arguments.octet()&1 == 0:
		return c.refuseToCreate()
	case !c.client.hasExchange(name, c.faultFor(c.client)):
		return c.notFound(amqpspec.ExchangeDeclare, "exchange", name)
	}
	return c.reply(amqpspec.ExchangeDeclareOK, nil)
}

func (c *brokerChannel) declareQueue(arguments decoder) bool {
	arguments.next(2)
	name := arguments.shortString()
	q, found := c.queue(c.client, name)
	switch {
	case arguments.octet()&1 == 0:
		return c.refuseToCreate()
	case !found:
		return c.notFound(amqpspec.QueueDeclare, "queue", name)
	}
	return c.reply(amqpspec.QueueDeclareOK, encoder{}.shortString(name).long(q.ready).long(q.consumers))
}

func (c *brokerChannel) refuseToCreate() bool {
	return c.refuse(540, "NOT_IMPLEMENTED - the simulation creates nothing: declare passively")
}

func (c *brokerChannel) confirm(decoder) bool {
	c.confirms = true
	return c.reply(amqpspec.ConfirmSelectOK, nil)
}

func (c *brokerChannel) publish(arguments decoder) bool {
	arguments.next(2)
	m := &message{exchange: arguments.shortString(), key: arguments.shortString()}
	m.mandatory = arguments.octet()&1 != 0
	c.message = m
	return true
}

// content takes the frames that follow a publish: a header, and bodies up to the size in it.
func (c *brokerChannel) content(f frame) bool {
	m := c.message
	switch {
	case m != nil && m.header == nil && f.kind == amqpspec.FrameHeader:
		arguments := decoder(f.payload)
		arguments.long() // class and weight
		m.header, m.size = f.payload, arguments.longlong()
	case m != nil && m.header != nil && f.kind == amqpspec.FrameBody:
		m.body = append(m.body, f.payload...)
	default:
		return c.refuse(505, "UNEXPECTED_FRAME - expected a method")
	}
	switch received := uint64(len(m.body)); {
	case m.size > messageMax || received > m.size:
		return c.refuse(501, "FRAME_ERROR - more than a message may hold")
	case received < m.size:
		return true
	}
	c.message = nil
	return c.accept(m)
}

// accept routes a whole message. One that has a way to a queue is dropped, for the
// simulation delivers nothing.
func (c *brokerChannel) accept(m *message) bool {
	fault := c.faultFor(c.client)
	_, queued := c.queue(c.client, m.key)
	switch {
	case !c.client.hasExchange(m.exchange, fault):
		return c.notFound(amqpspec.BasicPublish, "exchange", m.exchange)
	case fault == BrokerBlocked:
		// From here on RabbitMQ reads nothing from this connection.
		c.sendMethod(0, amqpspec.ConnectionBlocked, encoder{}.shortString("low on memory"))
		c.discard(idleTimeout)
		return false
	case m.mandatory && m.exchange == "" && !queued && !c.returnMessage(m):
		return false
	case !c.confirms:
		return true
	}
	c.confirmed++
	return c.reply(amqpspec.BasicAck, encoder{}.longlong(c.confirmed).octet(0))
}

func (c *brokerChannel) returnMessage(m *message) bool {
	arguments := encoder{}.long(uint32(amqpspec.BasicReturn)).short(312).shortString("NO_ROUTE").shortString(m.exchange).shortString(m.key)
	frames := []frame{{amqpspec.FrameMethod, c.number, arguments}, {amqpspec.FrameHeader, c.number, m.header}}
	if len(m.body) > 0 {
		frames = append(frames, frame{amqpspec.FrameBody, c.number, m.body})
	}
	return c.send(frames...)
}

// notFound closes the channel, as RabbitMQ does when a name does not exist.
func (c *brokerChannel) notFound(asked amqpspec.Method, what, name string) bool {
	c.ended = true
	text := "NOT_FOUND - no " + what + " '" + name + "' in vhost '" + c.client.Name + "'"
	return c.reply(amqpspec.ChannelClose, encoder{}.short(404).shortString(text).long(uint32(asked)))
}

func (c *brokerChannel) close(decoder) bool {
	delete(c.channels, c.number)
	return c.reply(amqpspec.ChannelCloseOK, nil)
}

func (c *brokerChannel) reply(m amqpspec.Method, arguments encoder) bool {
	return c.sendMethod(c.number, m, arguments)
}
