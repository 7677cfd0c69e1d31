package demo

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"
)

const (
	iga  = "system-production-iga"
	exch = "outgoing_" + dfoSAP
)

// login is how a client of ntnu's broker introduces itself.
type login struct{ user, password, vhost string }

func dial(t *testing.T, p *Platform, l login) (*amqp.Connection, error) {
	t.Helper()
	conn, err := amqp.DialConfig(p.BrokerURL("ntnu"), amqp.Config{
		SASL: []amqp.Authentication{&amqp.PlainAuth{Username: l.user, Password: l.password}}, Vhost: l.vhost,
		TLSClientConfig: &tls.Config{RootCAs: p.CA(), ServerName: p.BrokerName("ntnu")},
	})
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
	}
	return conn, err
}

func channel(t *testing.T, p *Platform, user string) *amqp.Channel {
	t.Helper()
	conn, err := dial(t, p, login{user, p.Password("ntnu", user), user})
	if err != nil {
		t.Fatal(err)
	}
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// said is what the broker closes a connection or channel with.
type said struct {
	Code int
	Text string
}

func saidBy(err error) said {
	var e *amqp.Error
	if !errors.As(err, &e) || !e.Server {
		return said{}
	}
	return said{e.Code, e.Reason}
}

func TestBrokerVhosts(t *testing.T) {
	p := start(t, quick())
	mine := p.Password("ntnu", iga)
	for vhost, want := range map[string]said{
		iga:     {},
		"other": {530, "NOT_ALLOWED - vhost other not found"},
		dfoSAP:  {530, "NOT_ALLOWED - access to vhost '" + dfoSAP + "' refused for user '" + iga + "'"},
	} {
		_, err := dial(t, p, login{iga, mine, vhost})
		diff := cmp.Diff(want, saidBy(err))
		if diff != "" || (err == nil) != (want == said{}) {
			t.Errorf("vhost %s (-want +got):\n%s%v", vhost, diff, err)
		}
	}
}

// The broker answers a wrong login with three seconds of silence, and with nothing else.
func TestBrokerRefusesLogins(t *testing.T) {
	t.Parallel()
	p := start(t, quick())
	var clients sync.WaitGroup
	for _, l := range []login{
		{iga, "wrong", iga},
		{iga, "", iga},
		{iga, p.Password("ntnu", dfoSAP), iga},
		{iga, p.Password("ntnu", iga) + "\x00", iga},
		{"nobody", p.Password("ntnu", iga), iga},
		{"", "", iga},
	} {
		clients.Go(func() {
			began := time.Now()
			_, err := dial(t, p, l)
			took := time.Since(began)
			if !errors.Is(err, amqp.ErrCredentials) || took < 2900*time.Millisecond || took > 20*time.Second {
				t.Errorf("%+v: %v after %v", l, err, took)
			}
		})
	}
	clients.Wait()
}

func TestBrokerPasswordsAreNew(t *testing.T) {
	passwords := map[string]Access{}
	for range 2 {
		p := start(t, quick())
		for _, access := range p.Accesses() {
			password := p.Password(access.Institution, access.Application)
			if twin, there := passwords[password]; there || len(password) < 20 {
				t.Errorf("%v has the password of %v, or a short one", access, twin)
			}
			passwords[password] = access
		}
	}
}

func TestBrokerOffersWhatIsNeeded(t *testing.T) {
	p := start(t, Options{})
	if n := len(p.Accesses()); n < 6 || n > 10 {
		t.Errorf("%d applications", n)
	}
	for _, i := range institutions {
		if len(p.broker(i.Name).state.users) == 0 {
			t.Errorf("%s has none", i.Name)
		}
	}
	conn, err := dial(t, p, login{iga, p.Password("ntnu", iga), iga})
	if err != nil {
		t.Fatal(err)
	}
	want := amqp.Table{
		"product": "RabbitMQ", "version": "3.12.14", "platform": "Erlang/OTP 25.3.2", "cluster_name": "mq-ntnu",
		"capabilities": amqp.Table{"publisher_confirms": true, "connection.blocked": true},
	}
	diff := cmp.Diff(want, conn.Properties)
	if diff != "" {
		t.Errorf("the broker's properties (-want +got):\n%s", diff)
	}
}

// Connections at every step, one with a refused login and one that is blocked: Close ends them all.
func TestCloseLeavesNoBroker(t *testing.T) {
	here := goleak.IgnoreCurrent()
	p, err := Start(quick())
	if err != nil {
		t.Fatal(err)
	}
	address := strings.TrimPrefix(p.BrokerURL("ntnu"), "amqps://")
	handshaking, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer handshaking.Close()
	silent, err := tls.Dial("tcp", address, &tls.Config{RootCAs: p.CA(), ServerName: p.BrokerName("ntnu")})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	p.SetBroker("ntnu", dfoSAP, BrokerBlocked)
	ch := channel(t, p, dfoSAP)
	closed := ch.NotifyClose(make(chan *amqp.Error, 1))
	err = ch.Publish("", "x", false, false, amqp.Publishing{})
	if err != nil {
		t.Fatal(err)
	}
	var clients sync.WaitGroup
	clients.Go(func() { _, _ = dial(t, p, login{iga, "wrong", iga}) })
	time.Sleep(50 * time.Millisecond) // most likely within loginFailureDelay
	began := time.Now()
	_ = p.Close()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("Close took %v", took)
	}
	clients.Wait()
	cutOff(t, closed)
	goleak.VerifyNone(t, here)
	p.SetBroker("ntnu", "", BrokerHealthy) // must not open it again
	_, err = net.Dial("tcp", address)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after Close: %v, want connection refused", err)
	}
}

// A refusing broker cuts its connections, and listens again at its address when the port is free.
func TestBrokerRefusesAndReturns(t *testing.T) {
	p := start(t, quick())
	closed := channel(t, p, iga).NotifyClose(make(chan *amqp.Error, 1))
	url := p.BrokerURL("ntnu")
	p.SetBroker("ntnu", "", BrokerRefused)
	cutOff(t, closed)
	taken, err := net.Listen("tcp", strings.TrimPrefix(url, "amqps://"))
	if err != nil {
		t.Fatal(err)
	}
	cleared := make(chan struct{})
	go func() { p.SetBroker("ntnu", "", BrokerHealthy); close(cleared) }()
	select {
	case <-cleared:
		t.Fatal("reopened a port that is taken")
	case <-time.After(120 * time.Millisecond):
	}
	_ = taken.Close()
	<-cleared
	channel(t, p, iga)
	if p.BrokerURL("ntnu") != url {
		t.Errorf("came back at %s, was at %s", p.BrokerURL("ntnu"), url)
	}
}

// cutOff waits for a connection to end, which the broker must not explain.
func cutOff(t *testing.T, closed <-chan *amqp.Error) {
	t.Helper()
	err := <-closed
	if err == nil || err.Server {
		t.Errorf("the connection ended with %v", err)
	}
}

func TestUnknownBrokerNamesPanic(t *testing.T) {
	p := start(t, quick())
	for name, f := range map[string]func(){
		"institution":            func() { p.SetBroker("nord", "", BrokerSilent) },
		"application":            func() { p.SetBroker("ntnu", "rolf", BrokerBlocked) },
		"application of another": func() { p.SetBroker("himolde", iga, BrokerBlocked) },
		"refusing application":   func() { p.SetBroker("ntnu", iga, BrokerRefused) },
		"silent application":     func() { p.SetBroker("ntnu", iga, BrokerSilent) },
		"fault outside the set":  func() { _ = BrokerFault(len(brokerFaults)).String() },
		"password":               func() { p.Password("himolde", iga) },
		"queue of another":       func() { p.SetQueue(Access{"ntnu", dfoSAP}, studentSystem, 1, 1) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
