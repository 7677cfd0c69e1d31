package demo

// messageMax is what a published message may hold at most.
const messageMax = 64 << 10

// brokerChannel is an open channel of a connection.
type brokerChannel struct {
	*brokerSession
	number    uint16
	ended     bool // by us: the client has not noticed yet
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

// requests are what a client may ask for on a channel. Each reports whether the
// connection goes on.
var requests = map[amqpMethod]func(*brokerChannel, reading) bool{
	channelClose:    (*brokerChannel).end,
	exchangeDeclare: (*brokerChannel).declareExchange,
	queueDeclare:    (*brokerChannel).declareQueue,
	confirmSelect:   (*brokerChannel).confirm,
	basicPublish:    (*brokerChannel).publish,
}

func (c *brokerChannel) answer(f frame) bool {
	if f.kind != frameMethod {
		return c.ended || c.content(f)
	}
	arguments := reading(f.payload)
	m := amqpMethod(arguments.long())
	request, known := requests[m]
	switch {
	case c.ended && m == channelCloseOK:
		delete(c.channels, c.number)
		return true
	case c.ended && m != channelClose:
		return true
	case c.message != nil:
		return c.refuse(505, "UNEXPECTED_FRAME - expected the content of a message")
	case !known:
		return c.refuse(540, "NOT_IMPLEMENTED - the simulation cannot do this")
	}
	return request(c, arguments)
}

func (c *brokerChannel) reply(m amqpMethod, arguments writing) bool {
	return c.say(c.number, m, arguments)
}

func (c *brokerChannel) end(reading) bool {
	delete(c.channels, c.number)
	return c.reply(channelCloseOK, nil)
}

// notFound closes the channel, as RabbitMQ does when a name is not there.
func (c *brokerChannel) notFound(asked amqpMethod, what, name string) bool {
	c.ended = true
	text := "NOT_FOUND - no " + what + " '" + name + "' in vhost '" + c.client.Name + "'"
	return c.reply(channelClose, writing{}.short(404).shortString(text).long(uint32(asked)))
}

func (c *brokerChannel) onlyLooks() bool {
	return c.refuse(540, "NOT_IMPLEMENTED - the simulation makes nothing: declare passively")
}

func (c *brokerChannel) declareExchange(arguments reading) bool {
	arguments.next(2)
	name := arguments.shortString()
	arguments.shortString() // type
	switch {
	case arguments.octet()&1 == 0:
		return c.onlyLooks()
	case !c.client.exchange(name, c.shows(c.client)):
		return c.notFound(exchangeDeclare, "exchange", name)
	}
	return c.reply(exchangeDeclareOK, nil)
}

func (c *brokerChannel) declareQueue(arguments reading) bool {
	arguments.next(2)
	name := arguments.shortString()
	q, there := c.finds(c.client, name)
	switch {
	case arguments.octet()&1 == 0:
		return c.onlyLooks()
	case !there:
		return c.notFound(queueDeclare, "queue", name)
	}
	return c.reply(queueDeclareOK, writing{}.shortString(name).long(q.ready).long(q.consumers))
}

func (c *brokerChannel) confirm(reading) bool {
	c.confirms = true
	return c.reply(confirmSelectOK, nil)
}

func (c *brokerChannel) publish(arguments reading) bool {
	arguments.next(2)
	m := &message{exchange: arguments.shortString(), key: arguments.shortString()}
	m.mandatory = arguments.octet()&1 != 0
	c.message = m
	return true
}

// content takes the frames that follow a publish: a header, and bodies up to the size it says.
func (c *brokerChannel) content(f frame) bool {
	m := c.message
	switch {
	case m != nil && m.header == nil && f.kind == frameHeader:
		arguments := reading(f.payload)
		arguments.long() // class and weight
		m.header, m.size = f.payload, arguments.longlong()
	case m != nil && m.header != nil && f.kind == frameBody:
		m.body = append(m.body, f.payload...)
	default:
		return c.refuse(505, "UNEXPECTED_FRAME - expected a method")
	}
	switch had := uint64(len(m.body)); {
	case m.size > messageMax || had > m.size:
		return c.refuse(501, "FRAME_ERROR - more than a message may hold")
	case had < m.size:
		return true
	}
	c.message = nil
	return c.take(m)
}

// take is what the broker does with a whole message. What has a way to a queue
// is lost: nobody reads here.
func (c *brokerChannel) take(m *message) bool {
	fault := c.shows(c.client)
	_, queued := c.finds(c.client, m.key)
	switch {
	case !c.client.exchange(m.exchange, fault):
		return c.notFound(basicPublish, "exchange", m.exchange)
	case fault == BrokerBlocked:
		// From here on RabbitMQ takes nothing from this connection.
		c.say(0, connectionBlocked, writing{}.shortString("low on memory"))
		c.ignore(brokerIdle)
		return false
	case m.mandatory && m.exchange == "" && !queued && !c.giveBack(m):
		return false
	case !c.confirms:
		return true
	}
	c.confirmed++
	return c.reply(basicAck, writing{}.longlong(c.confirmed).octet(0))
}

func (c *brokerChannel) giveBack(m *message) bool {
	why := writing{}.long(uint32(basicReturn)).short(312).shortString("NO_ROUTE").shortString(m.exchange).shortString(m.key)
	frames := []frame{{frameMethod, c.number, why}, {frameHeader, c.number, m.header}}
	if len(m.body) > 0 {
		frames = append(frames, frame{frameBody, c.number, m.body})
	}
	return c.send(frames...)
}
