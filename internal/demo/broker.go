package demo

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/amqpspec"
)

const (
	loginFailureDelay = 3 * time.Second // RabbitMQ answers a wrong password with silence for so long

	brokerHeartbeat = 60 // seconds
	brokerChannels  = 16 // at once, on a connection
)

// broker is one institution's RabbitMQ. It knows as much as a client needs that
// logs in, looks for its exchange and queues and publishes a message.
type broker struct {
	state *brokerState
	*endpoint
}

func newBroker(institution string, options Options, ca *authority, closing <-chan struct{}) (*broker, error) {
	certificate, err := ca.issue(brokerName(institution), certificateLife)
	if err != nil {
		return nil, err
	}
	state := &brokerState{name: "mq-" + institution}
	for _, a := range applicationsOf(institution) {
		u := &brokerUser{brokerApplication: a, password: rand.Text()}
		if !options.WithoutFaults {
			u.fault = a.permanent
		}
		state.users = append(state.users, u)
	}
	config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	serve := func(raw net.Conn) {
		conn := tls.Server(raw, config)
		newBrokerSession(state, conn).run()
		_ = conn.Close()
	}
	e, err := newEndpoint(func(address string) (listener, error) { return listenTCP(address, serve) }, closing)
	return &broker{state, e}, err
}

func (b *broker) set(application string, f BrokerFault) {
	b.state.set(application, f)
	switch {
	case application != "":
	case f == BrokerRefused:
		b.shut()
	default:
		b.reopen()
	}
}

// brokerSession is one client's connection.
type brokerSession struct {
	*brokerState
	amqpConn
	expected amqpspec.Method // the client's next of the handshake; 0: the handshake is over
	client   *brokerUser     // nil: not logged in
	channels map[uint16]*brokerChannel
}

func newBrokerSession(state *brokerState, conn net.Conn) *brokerSession {
	return &brokerSession{brokerState: state, amqpConn: amqpConn{conn}, channels: map[uint16]*brokerChannel{}}
}

func (s *brokerSession) run() {
	goesOn := s.greet()
	for goesOn {
		_ = s.SetReadDeadline(time.Now().Add(idleTimeout))
		f, err := readFrame(s)
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
	if s.faultFor(nil).beforeLogin() {
		s.discard(idleTimeout)
		return false
	}
	header := make([]byte, len(protocolHeader))
	_ = s.SetDeadline(time.Now().Add(idleTimeout))
	_, err := io.ReadFull(s, header)
	if err != nil {
		return false
	}
	if string(header) != protocolHeader { // answers with its own version, and leaves
		_, _ = s.Write([]byte(protocolHeader))
		s.discard(closeTimeout)
		return false
	}
	s.expected = amqpspec.ConnectionStartOK
	return s.sendMethod(0, amqpspec.ConnectionStart, encoder{0, 9}.longString(serverProperties(s.name)).longString("PLAIN").longString("en_US"))
}

func serverProperties(cluster string) string {
	var table encoder
	for _, property := range [...][2]string{
		{"product", "RabbitMQ"}, {"version", "3.12.14"}, {"platform", "Erlang/OTP 25.3.2"}, {"cluster_name", cluster},
	} {
		table = table.shortString(property[0]).octet('S').longString(property[1])
	}
	var capabilities encoder
	for _, name := range [...]string{"publisher_confirms", "connection.blocked"} {
		capabilities = capabilities.shortString(name).octet('t').octet(1)
	}
	return string(table.shortString("capabilities").octet('F').longString(string(capabilities)))
}

func (s *brokerSession) answer(f frame) bool {
	switch {
	case f.kind == amqpspec.FrameHeartbeat:
		return true
	case f.channel != 0 && s.expected == 0:
		return s.answerChannel(f)
	case f.channel != 0, f.kind != amqpspec.FrameMethod:
		return s.refuse(505, "UNEXPECTED_FRAME - not on this channel")
	}
	arguments := decoder(f.payload)
	m := amqpspec.Method(arguments.long())
	step, known := handshakes[m]
	switch {
	case m == amqpspec.ConnectionClose:
		s.sendMethod(0, amqpspec.ConnectionCloseOK, nil)
		return false
	case !known || m != s.expected:
		return s.refuse(503, "COMMAND_INVALID - not now")
	}
	return step(s, arguments)
}

// handshakes are the steps of the handshake, in the client's order. Each reports
// whether the connection goes on.
var handshakes = map[amqpspec.Method]func(*brokerSession, decoder) bool{
	amqpspec.ConnectionStartOK: (*brokerSession).start,
	amqpspec.ConnectionTuneOK:  (*brokerSession).tune,
	amqpspec.ConnectionOpen:    (*brokerSession).open,
}

func (s *brokerSession) start(arguments decoder) bool {
	arguments.longString() // the client's properties
	mechanism, response := arguments.shortString(), arguments.longString()
	_, login, _ := strings.Cut(response, "\x00")
	name, password, _ := strings.Cut(login, "\x00")
	if mechanism == "PLAIN" {
		s.client = s.logIn(name, password)
	}
	if s.client == nil {
		s.discard(loginFailureDelay)
		return false
	}
	s.expected = amqpspec.ConnectionTuneOK
	return s.sendMethod(0, amqpspec.ConnectionTune, encoder{}.short(brokerChannels).long(frameMax).short(brokerHeartbeat))
}

func (s *brokerSession) tune(decoder) bool {
	s.expected = amqpspec.ConnectionOpen
	return true
}

func (s *brokerSession) open(arguments decoder) bool {
	vhost, fault := arguments.shortString(), s.faultFor(s.client)
	switch {
	case fault == BrokerVhostMissing || s.user(vhost) == nil:
		return s.refuse(530, "NOT_ALLOWED - vhost "+vhost+" not found")
	case fault == BrokerVhostRefused || vhost != s.client.Name:
		return s.refuse(530, "NOT_ALLOWED - access to vhost '"+vhost+"' refused for user '"+s.client.Name+"'")
	}
	s.expected = 0
	return s.sendMethod(0, amqpspec.ConnectionOpenOK, encoder{}.shortString(""))
}

func (s *brokerSession) answerChannel(f frame) bool {
	c, open := s.channels[f.channel]
	if open {
		return c.answer(f)
	}
	arguments := decoder(f.payload)
	m := amqpspec.Method(arguments.long())
	switch {
	case f.kind == amqpspec.FrameMethod && m == amqpspec.ChannelCloseOK: // the broker's close and the client's have crossed
		return true
	case f.kind != amqpspec.FrameMethod || m != amqpspec.ChannelOpen || len(s.channels) >= brokerChannels:
		return s.refuse(504, "CHANNEL_ERROR - no such channel")
	}
	s.channels[f.channel] = &brokerChannel{brokerSession: s, number: f.channel}
	return s.sendMethod(f.channel, amqpspec.ChannelOpenOK, encoder{}.long(0))
}
