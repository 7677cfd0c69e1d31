package demo

import (
	"crypto/rand"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// broker is one institution's RabbitMQ: as much of it as a client sees that
// logs in, looks for its exchange and queues and publishes a message.
type broker struct {
	address     string // 127.0.0.1:PORT, the same also after a refusal
	name        string // of the cluster
	certificate tls.Certificate
	users       []*brokerUser
	closing     <-chan struct{}

	opening sync.Mutex  // one change of door at a time; never taken by a connection
	door    *brokerDoor // nil: connections are refused

	mu    sync.Mutex // faults and counts, here and in users
	fault BrokerFault
}

// brokerUser is an application with its password.
type brokerUser struct {
	brokerApplication
	password string
	fault    BrokerFault
	logins   int
	counts   map[string]queue // by producer, where set by hand
}

func newBroker(institution string, options Options, ca *authority, closing <-chan struct{}) (*broker, error) {
	certificate, err := ca.issue(brokerName(institution), certificateLife)
	if err != nil {
		return nil, err
	}
	b := &broker{name: "mq-" + institution, certificate: certificate, closing: closing}
	for _, a := range applicationsOf(institution) {
		u := &brokerUser{brokerApplication: a, password: rand.Text()}
		if !options.WithoutFaults {
			u.fault = a.standing
		}
		b.users = append(b.users, u)
	}
	b.door, err = openBrokerDoor("127.0.0.1:0", b.serve)
	if err != nil {
		return nil, err
	}
	b.address = b.door.listener.Addr().String()
	return b, nil
}

func brokerName(institution string) string { return "mq-" + institution + ".intark.uh-it.no" }

// named returns a user, nil if there is none of that name.
func (b *broker) named(application string) *brokerUser {
	for _, u := range b.users {
		if u.Name == application {
			return u
		}
	}
	return nil
}

func (b *broker) user(application string) *brokerUser {
	u := b.named(application)
	if u == nil {
		panic("demo: this institution has no application " + application)
	}
	return u
}

func (b *broker) set(application string, f BrokerFault) {
	if application != "" {
		if f.ofAll() {
			panic("demo: a broker does not know yet who asks when it is " + f.String())
		}
		u := b.user(application)
		b.mu.Lock()
		u.fault = f
		b.mu.Unlock()
		return
	}
	b.mu.Lock()
	b.fault = f
	b.mu.Unlock()
	if f == BrokerRefused {
		b.shut()
		return
	}
	b.reopen()
}

// shows returns the fault that a connection of u meets; nil: it has not said who it is.
func (b *broker) shows(u *brokerUser) BrokerFault {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fault != BrokerHealthy || u == nil {
		return b.fault
	}
	return u.fault
}

func (b *broker) shut() {
	b.opening.Lock()
	defer b.opening.Unlock()
	if b.door != nil {
		b.door.close()
		b.door = nil
	}
}

// reopen listens on the old port again. Somebody else may have the port for a
// moment, so it tries until it succeeds or the platform closes.
func (b *broker) reopen() {
	b.opening.Lock()
	defer b.opening.Unlock()
	for b.door == nil {
		select {
		case <-b.closing:
			return
		default:
		}
		door, err := openBrokerDoor(b.address, b.serve)
		if err == nil {
			b.door = door
			return
		}
		select {
		case <-b.closing:
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (b *broker) serve(raw net.Conn) {
	conn := tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{b.certificate}, MinVersion: tls.VersionTLS12})
	s := &brokerSession{broker: b, conn: conn, channels: map[uint16]*brokerChannel{}}
	s.run()
	_ = conn.Close()
}

// Access names one application's access to its institution's broker.
type Access struct{ Institution, Application string }

// Accesses returns every pair of institution and application, in the scenario's order.
func (p *Platform) Accesses() []Access {
	accesses := make([]Access, len(brokerApplications))
	for i, a := range brokerApplications {
		accesses[i] = Access{a.Institution, a.Name}
	}
	return accesses
}

// SetBroker makes one application's access show f, or with an empty application
// the whole broker, which then wins over what its applications show.
// BrokerRefused and BrokerSilent exist for whole brokers only. It returns when f
// is in force, also for the connections that are there; a name outside the
// scenario panics. BrokerHealthy takes away what the scenario had set, too.
func (p *Platform) SetBroker(institution, application string, f BrokerFault) {
	p.broker(institution).set(application, f)
}

// BrokerURL returns the broker's address, amqps://127.0.0.1:PORT. It stays the
// same until Close.
func (p *Platform) BrokerURL(institution string) string {
	return "amqps://" + p.broker(institution).address
}

// BrokerName returns the one name the broker's certificate is for.
func (p *Platform) BrokerName(institution string) string { return brokerName(institution) }

// Password returns the application's password. Its user name and vhost are its name.
func (p *Platform) Password(institution, application string) string {
	return p.broker(institution).user(application).password
}

// Logins returns how often the application has logged in with its password, let in or not.
func (p *Platform) Logins(institution, application string) int {
	b := p.broker(institution)
	u := b.user(application)
	b.mu.Lock()
	defer b.mu.Unlock()
	return u.logins
}

func (p *Platform) broker(institution string) *broker {
	b, ok := p.brokers[institution]
	if !ok {
		panic("demo: no institution " + institution)
	}
	return b
}
