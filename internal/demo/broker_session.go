package demo

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strings"
	"time"
)

const (
	brokerIdle    = 30 * time.Second // for a client's next frame, heartbeats included
	brokerWrite   = 5 * time.Second
	brokerGoodbye = time.Second     // for a client to answer when it is thrown out
	brokerSulks   = 3 * time.Second // RabbitMQ's answer to a wrong password is to say nothing for so long

	brokerHeartbeat = 60 // seconds
	brokerChannels  = 16 // at once, on a connection
)

// brokerSession is one client's connection.
type brokerSession struct {
	*broker
	conn     net.Conn
	expected amqpMethod  // the client's next of the handshake; 0: it is through
	client   *brokerUser // nil: not logged in
	channels map[uint16]*brokerChannel
}

// handshakes are the steps of the handshake, as the client takes them one after
// the other. Each reports whether the connection goes on.
var handshakes = map[amqpMethod]func(*brokerSession, reading) bool{
	connectionStartOK: (*brokerSession).logIn,
	connectionTuneOK:  (*brokerSession).tune,
	connectionOpen:    (*brokerSession).enter,
}

func (s *brokerSession) run() {
	goesOn := s.greet()
	for goesOn {
		_ = s.conn.SetReadDeadline(time.Now().Add(brokerIdle))
		f, err := readFrame(s.conn)
		switch {
		case errors.Is(err, errFrame):
			goesOn = s.refuse(501, "FRAME_ERROR - too large, or without its end")
		case err != nil:
			goesOn = false
		default:
			goesOn = s.answer(f)
		}
	}
}

func (s *brokerSession) greet() bool {
	if s.shows(nil).ofAll() {
		s.ignore(brokerIdle)
		return false
	}
	header := make([]byte, len(protocolHeader))
	_ = s.conn.SetDeadline(time.Now().Add(brokerIdle))
	_, err := io.ReadFull(s.conn, header)
	if err != nil {
		return false
	}
	if string(header) != protocolHeader { // says which one it speaks, and leaves
		_, _ = s.conn.Write([]byte(protocolHeader))
		s.ignore(brokerGoodbye)
		return false
	}
	s.expected = connectionStartOK
	return s.say(0, connectionStart, writing{0, 9}.longString(serverProperties(s.name)).longString("PLAIN").longString("en_US"))
}

func serverProperties(cluster string) string {
	var table writing
	for _, property := range [...][2]string{
		{"product", "RabbitMQ"}, {"version", "3.12.14"}, {"platform", "Erlang/OTP 25.3.2"}, {"cluster_name", cluster},
	} {
		table = table.shortString(property[0]).octet('S').longString(property[1])
	}
	var capabilities writing
	for _, name := range [...]string{"publisher_confirms", "connection.blocked"} {
		capabilities = capabilities.shortString(name).octet('t').octet(1)
	}
	return string(table.shortString("capabilities").octet('F').longString(string(capabilities)))
}

// say sends a method and reports whether that went well.
func (s *brokerSession) say(channel uint16, m amqpMethod, arguments writing) bool {
	return s.send(frame{frameMethod, channel, append(writing{}.long(uint32(m)), arguments...)})
}

func (s *brokerSession) send(frames ...frame) bool {
	var all bytes.Buffer
	for _, f := range frames {
		all.Write(f.bytes())
	}
	_ = s.conn.SetWriteDeadline(time.Now().Add(brokerWrite))
	_, err := s.conn.Write(all.Bytes())
	return err == nil
}

// ignore lets the client talk, for so long or until it leaves.
func (s *brokerSession) ignore(d time.Duration) {
	_ = s.conn.SetDeadline(time.Now().Add(d))
	_, _ = io.Copy(io.Discard, s.conn)
}

// refuse closes the connection with a code and the broker's sentence. What the
// client still sends is read: it would become a reset.
func (s *brokerSession) refuse(code uint16, text string) bool {
	s.say(0, connectionClose, writing{}.short(code).shortString(text).long(0))
	s.ignore(brokerGoodbye)
	return false
}

func (s *brokerSession) answer(f frame) bool {
	switch {
	case f.kind == frameHeartbeat:
		return true
	case f.channel != 0 && s.expected == 0:
		return s.answerChannel(f)
	case f.channel != 0, f.kind != frameMethod:
		return s.refuse(505, "UNEXPECTED_FRAME - not on this channel")
	}
	arguments := reading(f.payload)
	m := amqpMethod(arguments.long())
	step, known := handshakes[m]
	switch {
	case m == connectionClose:
		s.say(0, connectionCloseOK, nil)
		return false
	case !known || m != s.expected:
		return s.refuse(503, "COMMAND_INVALID - not now")
	}
	return step(s, arguments)
}

func (s *brokerSession) logIn(arguments reading) bool {
	arguments.longString() // what the client says of itself
	mechanism, response := arguments.shortString(), arguments.longString()
	s.client = s.accepts(mechanism, response)
	if s.client == nil {
		s.ignore(brokerSulks)
		return false
	}
	s.expected = connectionTuneOK
	return s.say(0, connectionTune, writing{}.short(brokerChannels).long(frameMax).short(brokerHeartbeat))
}

// accepts returns whose user name and password these are, nil if nobody's.
func (b *broker) accepts(mechanism, response string) *brokerUser {
	_, login, _ := strings.Cut(response, "\x00")
	name, password, _ := strings.Cut(login, "\x00")
	u := b.named(name)
	if u == nil || mechanism != "PLAIN" || password != u.password {
		return nil
	}
	b.mu.Lock()
	u.logins++
	b.mu.Unlock()
	if b.shows(u) == BrokerLoginRefused {
		return nil
	}
	return u
}

func (s *brokerSession) tune(reading) bool {
	s.expected = connectionOpen
	return true
}

func (s *brokerSession) enter(arguments reading) bool {
	vhost, fault := arguments.shortString(), s.shows(s.client)
	switch {
	case fault == BrokerVhostMissing || s.named(vhost) == nil:
		return s.refuse(530, "NOT_ALLOWED - vhost "+vhost+" not found")
	case fault == BrokerVhostRefused || vhost != s.client.Name:
		return s.refuse(530, "NOT_ALLOWED - access to vhost '"+vhost+"' refused for user '"+s.client.Name+"'")
	}
	s.expected = 0
	return s.say(0, connectionOpenOK, writing{}.shortString(""))
}

func (s *brokerSession) answerChannel(f frame) bool {
	c, there := s.channels[f.channel]
	if there {
		return c.answer(f)
	}
	arguments := reading(f.payload)
	m := amqpMethod(arguments.long())
	switch {
	case f.kind == frameMethod && m == channelCloseOK: // ours and the client's have crossed
		return true
	case f.kind != frameMethod || m != channelOpen || len(s.channels) >= brokerChannels:
		return s.refuse(504, "CHANNEL_ERROR - no such channel")
	}
	s.channels[f.channel] = &brokerChannel{brokerSession: s, number: f.channel}
	return s.say(f.channel, channelOpenOK, writing{}.long(0))
}
