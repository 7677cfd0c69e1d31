package probe

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/integra-exporter/integra_exporter/internal/amqpspec"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// Broker is one application's access to a RabbitMQ broker, and what is looked for there.
type Broker struct {
	URL            *url.URL // amqp or amqps, host:port and nothing else
	Vhost          string
	Username       string
	Password       secret.Source
	TLS            TLS
	Exchanges      []string // must exist
	Queues         []string // must exist
	RoundTrip      bool     // publish a message that nobody can receive, and wait for its confirmation
	ConnectionName string   // shown in the broker's list of connections; empty: none
}

// AMQP is the Prober of kind rabbitmq.
type AMQP struct {
	broker Broker
	tls    *tls.Config // nil: plain
	shared *Shared
}

// NewAMQP returns the prober that logs in to b as the application's own client would.
// It reads the files of b.TLS; its error names the file, never its content.
func NewAMQP(b Broker, shared *Shared) (*AMQP, error) {
	a := &AMQP{broker: b, shared: shared}
	if b.URL.Scheme != "amqps" {
		return a, nil
	}
	config, err := b.TLS.Config()
	if err != nil {
		return nil, err
	}
	if config.ServerName == "" {
		config.ServerName = b.URL.Hostname()
	}
	a.tls = config
	return a, nil
}

// Probe implements Prober.
func (a *AMQP) Probe(ctx context.Context) (Observation, error) {
	var seen Observation
	password, err := a.broker.Password.Read()
	if err != nil {
		return seen, noSecret("the password", err)
	}
	seen.KeyEnds = a.keyEnds(password)
	s := &session{AMQP: a, password: password, trace: newTrace(ctx), seen: &seen}
	defer s.trace.release()
	err = s.run()
	s.trace.end()
	s.trace.observe(&seen)
	s.leave()
	return seen, err
}

// keyEnds returns when the login ends, where a token or certificate says so.
func (a *AMQP) keyEnds(password secret.Value) (ends []KeyEnd) {
	token, problem := jwtEnd(password.Reveal())
	if problem == "" {
		ends = append(ends, token)
	}
	if a.tls != nil && a.broker.TLS.CertFile != "" {
		certificate := EarliestEnd(a.broker.TLS.CertFile)
		if !certificate.IsZero() {
			ends = append(ends, KeyEnd{SourceCertificate, certificate})
		}
	}
	return ends
}

// session is one probe.
//
// The library has no contexts, and its deadlines cannot be relied on: the
// session ends by closing the connection below it, which ends every call.
type session struct {
	*AMQP
	password secret.Value
	trace    *trace
	seen     *Observation

	raw  net.Conn         // the TCP connection; nil: not connected
	tap  *tap             // above TLS
	conn *amqp.Connection // nil: not reached
	ch   *amqp.Channel    // the last one; nil: none
	open bool             // logged in and in the vhost
	stop func() bool      // keeps hangUp from being called; beside conn
}

func (s *session) run() error {
	for _, step := range [...]func() error{s.connect, s.logIn, s.declare, s.roundTrip} {
		err := step()
		if err != nil {
			return s.cause(err)
		}
	}
	return nil
}

func (s *session) connect() error {
	// A resolver of its own: in a shared one, lookups of the same name would wait for each other.
	conn, err := dial(s.trace, &net.Resolver{PreferGo: true, Dial: dialNameServer}, s.broker.URL.Host)
	if err != nil {
		return err
	}
	s.raw = conn
	err = s.trace.bind(func() { _ = conn.Close() })
	if err != nil {
		return err
	}
	if s.tls == nil {
		s.tap = newTap(conn, s.proceed)
		return nil
	}
	s.trace.enter(PhaseTLS)
	client := tls.Client(conn, s.tls)
	err = client.HandshakeContext(s.trace.ctx)
	s.trace.handshook(shown(client.ConnectionState(), err), false) // the next phase is login
	s.tap = newTap(client, s.proceed)
	return err
}

// heartbeat also lets the broker find out that a connection which it does not read from is gone.
const heartbeat = 10 * time.Second

// frameMax is RabbitMQ's own.
const frameMax = 128 << 10

func (s *session) logIn() error {
	s.trace.enter(PhaseLogin)
	defer s.nudgeLate().Stop()
	// Everything in here is made anew: the library changes it.
	conn, err := amqp.Open(s.tap, amqp.Config{
		SASL:       []amqp.Authentication{&amqp.PlainAuth{Username: s.broker.Username, Password: s.password.Reveal()}},
		Vhost:      s.broker.Vhost,
		FrameSize:  frameMax,
		Heartbeat:  heartbeat,
		Properties: s.properties(),
		Locale:     "en_US",
	})
	s.conn, s.open = conn, err == nil
	s.stop = context.AfterFunc(s.trace.ctx, s.hangUp)
	s.seen.Broker = introduced(conn.Properties)
	return err
}

// hangUp ends every call of the library when the probe's time is over: the
// library does not always notice that the connection below it is closed.
func (s *session) hangUp() {
	_ = s.raw.Close() // first, so that nothing is waited for
	_ = s.conn.Close()
}

// nudgeTime is what is left for an answer when the silence cannot end well any more.
const nudgeTime = 250 * time.Millisecond

func (s *session) nudgeLate() *time.Timer {
	left := time.Hour
	deadline, ok := s.trace.ctx.Deadline()
	if ok {
		left = time.Until(deadline)
	}
	return time.AfterFunc(left-min(nudgeTime, left/4), s.tap.nudge)
}

func (s *session) properties() amqp.Table {
	product, version, _ := strings.Cut(s.shared.UserAgent, "/")
	table := amqp.Table{"product": product, "version": version, "platform": "Go"}
	if s.broker.ConnectionName != "" {
		table["connection_name"] = s.broker.ConnectionName
	}
	return table
}

// proceed opens the phase that follows a step of the handshake.
func (s *session) proceed(answer amqpspec.Method) {
	switch {
	case answer == amqpspec.ConnectionTune:
		s.trace.enter(PhaseOpen)
	case len(s.broker.Exchanges)+len(s.broker.Queues) > 0:
		s.trace.enter(PhaseDeclare)
	case s.broker.RoundTrip:
		s.trace.enter(PhaseRoundTrip)
	}
}

const (
	// closeGrace is how long the broker may take to say goodbye; it does not count for the result.
	closeGrace = time.Second
	// channelGrace is how long RabbitMQ has to clear a closed channel away: it
	// logs an error when the connection goes meanwhile.
	channelGrace = 20 * time.Millisecond
)

// leave closes the connection, where it can in a way that the broker does not
// log as a fault, and ends the library's goroutines in any case.
func (s *session) leave() {
	if s.raw == nil {
		return
	}
	if s.open && !s.tap.isBlocked() {
		late := time.AfterFunc(closeGrace, func() { _ = s.raw.Close() })
		defer late.Stop()
		s.closeChannel()
	} else {
		_ = s.raw.Close() // nobody would answer
	}
	if s.conn != nil {
		s.stop()
		_ = s.conn.Close() // also the one below, in any case
	}
}

func (s *session) closeChannel() {
	if s.ch == nil {
		return
	}
	_ = s.ch.Close()
	select {
	case <-time.After(channelGrace):
	case <-s.trace.ctx.Done():
	}
}

// infoBytes is the most of a broker's word about itself that becomes a label.
const infoBytes = 64

func introduced(properties amqp.Table) BrokerInfo {
	return BrokerInfo{
		Product: printable(properties["product"]),
		Version: printable(properties["version"]),
		Cluster: printable(properties["cluster_name"]),
	}
}

// printable keeps the printable ASCII of what should be a string.
func printable(value any) string {
	text, _ := value.(string)
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	return text[:min(len(text), infoBytes)]
}
