// Package demo simulates the platform: the gateways of six institutions, each
// with its APIs, which answer on loopback as Gravitee 3.x and its backends do, and
// for each a broker that answers as RabbitMQ does. Faults of every layer can be
// switched on and off. The demo command runs the exporter against it, and tests
// use it as the server.
//
// It never logs and never prints.
package demo

import (
	"cmp"
	"context"
	"crypto/x509"
	"sync"
	"time"
)

// Options of a Platform. The zero value is the demo as a newcomer sees it.
type Options struct {
	WithoutFaults bool          // every target healthy, no certificate about to end; Set still works
	DeadAfter     time.Duration // how long a dead backend takes to become a 504; zero: 2s
	SlowAfter     time.Duration // how long a slow backend takes to answer, or a slow API manager; zero: 1.5s
	KeyGrace      time.Duration // how long a key works after its renewal; zero: 2h, as on the platform
	Subscriptions int           // each application has at least so many; zero: those of its APIs alone
	Gravitee      Dialect       // of the API managers; zero: 3.20
	Engine        Engine        // of the gateways; zero: that of 3.20
}

// Target names one API of one institution.
type Target struct{ Institution, API string }

// Access names one application's access to its institution's broker.
type Access struct{ Institution, Application string }

// Platform is a running simulation. Its methods may be called at the same time.
type Platform struct {
	ca          *authority
	gateways    map[string]*gateway
	managements map[string]*management
	brokers     map[string]*broker
	done        chan struct{}
	close       sync.Once
}

// Start issues certificates and keys and opens the TLS listeners of each
// institution on 127.0.0.1, each at a free port. Its error names what could not be opened.
func Start(options Options) (*Platform, error) {
	ca, err := newAuthority(time.Now())
	if err != nil {
		return nil, err
	}
	p := &Platform{
		ca: ca, gateways: map[string]*gateway{}, managements: map[string]*management{}, brokers: map[string]*broker{},
		done: make(chan struct{}),
	}
	for _, i := range institutions {
		err = p.open(i, options.withDefaults())
		if err != nil {
			_ = p.Close()
			return nil, err
		}
	}
	if !options.WithoutFaults {
		for _, f := range permanentFaults {
			p.Set(f.Institution, f.API, f.fault)
		}
		p.SetManagement(unreadable, ManagementForbidden)
	}
	for _, e := range expiries {
		if e.left > 0 {
			p.EndAt(e.Institution, e.API, p.endOf(e.left))
		}
	}
	return p, nil
}

func (o Options) withDefaults() Options {
	o.DeadAfter = cmp.Or(o.DeadAfter, 2*time.Second)
	o.SlowAfter = cmp.Or(o.SlowAfter, 1500*time.Millisecond)
	o.KeyGrace = cmp.Or(o.KeyGrace, 2*time.Hour)
	return o
}

// open opens what an institution has. What it has opened before an error, Close closes.
func (p *Platform) open(i institution, options Options) error {
	g, err := newGateway(i, options, p.ca, p.done)
	if err != nil {
		return err
	}
	p.gateways[i.Name] = g
	m, err := newManagement(i.Name, options, g.subscriptions, p.ca)
	if err != nil {
		return err
	}
	p.managements[i.Name] = m
	b, err := newBroker(i.Name, options, p.ca, p.done)
	if err != nil {
		return err
	}
	p.brokers[i.Name] = b
	return nil
}

// Close ends everything: when it returns, no listener and no connection is
// left. It always returns nil and may be called again.
func (p *Platform) Close() error {
	p.close.Do(func() {
		close(p.done)
		for _, g := range p.gateways {
			g.shut()
		}
		for _, m := range p.managements {
			m.listener.close()
		}
		for _, b := range p.brokers {
			b.shut()
		}
	})
	return nil
}

// Run begins and ends the scenario's intermittent faults until ctx ends or the
// platform is closed; it then clears those in force. When it begins, one key is
// renewed for good.
func (p *Platform) Run(ctx context.Context) {
	start := time.Now()
	for _, r := range renewed {
		p.Renew(r.Institution, r.API)
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	inForce := make([]bool, len(intermittentFaults))
	defer p.play(inForce, -1)
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.done:
			return
		case <-ticker.C:
			p.play(inForce, time.Since(start))
		}
	}
}

// play switches the intermittent faults that begin or end at elapsed. It sets only
// those that change, so that a fault set by hand stays.
func (p *Platform) play(inForce []bool, elapsed time.Duration) {
	for i, f := range intermittentFaults {
		due := f.due(elapsed)
		if due == inForce[i] {
			continue
		}
		inForce[i] = due
		if due {
			p.Set(f.Institution, f.API, f.fault)
		} else {
			p.Clear(f.Institution, f.API)
		}
	}
}

// Clear is Set with Healthy: it also clears what the scenario had set. A refusing
// gateway listens again, on the port it had.
func (p *Platform) Clear(institution, api string) { p.Set(institution, api, Healthy) }

// Set makes one API show f, or with an empty api the whole gateway, which then
// wins over the faults of its APIs. Refused exists for a whole gateway only. Set
// returns when f is in force; a name outside the scenario panics.
func (p *Platform) Set(institution, api string, f Fault) {
	p.gateway(institution).set(api, f)
}

// SetBroker makes one application's access show f, or with an empty application
// the whole broker, which then wins over the faults of its applications.
// BrokerRefused and BrokerSilent exist for whole brokers only. It returns when f
// is in force, also for open connections; a name outside the scenario panics.
// BrokerHealthy also clears what the scenario had set.
func (p *Platform) SetBroker(institution, application string, f BrokerFault) {
	p.broker(institution).set(application, f)
}

// SetQueue makes the application's queue from_<producer> hold so many ready
// messages and have so many consumers. A name outside the scenario panics.
func (p *Platform) SetQueue(a Access, producer string, ready, consumers uint32) {
	p.broker(a.Institution).state.setQueue(a.Application, producer, ready, consumers)
}

// SetManagement makes the API manager show f; the gateway goes on as before.
func (p *Platform) SetManagement(institution string, f ManagementFault) {
	p.management(institution).setFault(f)
}

// EndCertificate gives the institution's gateway a new certificate that ends at
// end, for new handshakes. A name outside the scenario panics.
func (p *Platform) EndCertificate(institution string, end time.Time) error {
	g := p.gateway(institution)
	certificate, err := p.ca.issue(serverName(institution), end.Sub(p.ca.now))
	if err == nil {
		g.setCertificate(certificate)
	}
	return err
}

// Renew does what the button in the API manager does: it returns a new key, and
// the gateway accepts the old ones for two more hours (Options.KeyGrace).
func (p *Platform) Renew(institution, api string) string {
	return p.gateway(institution).api(api).subscription.renew()
}

// Revoke ends an API's newest key at once.
func (p *Platform) Revoke(institution, api string) {
	p.gateway(institution).api(api).subscription.revoke()
}

// Pause and Resume do what the buttons in the API manager do to a subscription: its keys are refused meanwhile.
func (p *Platform) Pause(institution, api string) {
	p.gateway(institution).api(api).subscription.change(func(s *subscription) { s.paused = true })
}

// Resume ends a pause.
func (p *Platform) Resume(institution, api string) {
	p.gateway(institution).api(api).subscription.change(func(s *subscription) { s.paused = false })
}

// CloseSubscription ends a subscription for good, and revokes its keys.
func (p *Platform) CloseSubscription(institution, api string) {
	p.gateway(institution).api(api).subscription.close()
}

// BeginAt lets a subscription begin later.
func (p *Platform) BeginAt(institution, api string, at time.Time) {
	p.gateway(institution).api(api).subscription.change(func(s *subscription) { s.begins = at.Truncate(time.Millisecond) })
}

// EndAt sets the end of a subscription, and of its newest key.
func (p *Platform) EndAt(institution, api string, at time.Time) {
	p.gateway(institution).api(api).subscription.endAt(at)
}

// endOf returns the midnight before left has passed: a configured date has no time of day.
func (p *Platform) endOf(left time.Duration) time.Time {
	return p.ca.now.Add(left).UTC().Truncate(day)
}

// URL returns the gateway's address, https://127.0.0.1:PORT. It stays the same
// until Close.
func (p *Platform) URL(institution string) string {
	return "https://" + p.gateway(institution).address
}

// ServerName returns the one name the gateway's certificate is for.
func (p *Platform) ServerName(institution string) string {
	return serverName(institution)
}

// CA returns a pool with the platform's own authority in it.
func (p *Platform) CA() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.ca.certificate)
	return pool
}

// Key returns the API key that the gateway accepts for this API, and for no
// other: the newest, where it has been renewed.
func (p *Platform) Key(institution, api string) string {
	return p.gateway(institution).api(api).subscription.newest()
}

// Requests returns how many requests for this API have arrived, whatever the answer.
func (p *Platform) Requests(institution, api string) int {
	all, _, _ := p.gateway(institution).requests(api)
	return all
}

// KeyedRequests returns how many of Requests carried a key that the gateway knew for this API, whatever the answer.
func (p *Platform) KeyedRequests(institution, api string) int {
	_, keyed, _ := p.gateway(institution).requests(api)
	return keyed
}

// KeylessRequests returns how many of Requests had no header for a key, whatever the answer.
func (p *Platform) KeylessRequests(institution, api string) int {
	_, _, keyless := p.gateway(institution).requests(api)
	return keyless
}

// Targets returns every pair of institution and API, in the scenario's order.
func (p *Platform) Targets() []Target {
	var targets []Target
	for _, i := range institutions {
		for _, a := range p.gateways[i.Name].apis {
			targets = append(targets, Target{i.Name, a.Name})
		}
	}
	return targets
}

// Request returns the verification request of an API: method, path, body.
func (p *Platform) Request(api string) (method, path, body string) {
	a := apiNamed(api)
	return a.Method, a.Path, a.Body
}

// Accesses returns every pair of institution and application, in the scenario's order.
func (p *Platform) Accesses() []Access {
	accesses := make([]Access, len(brokerApplications))
	for i, a := range brokerApplications {
		accesses[i] = Access{a.Institution, a.Name}
	}
	return accesses
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
	return p.broker(institution).state.mustUser(application).password
}

// Logins returns how often the application has logged in with its password, accepted or not.
func (p *Platform) Logins(institution, application string) int {
	return p.broker(institution).state.loginsOf(application)
}

// ManagementURL returns the base of the institution's Management API,
// https://127.0.0.1:PORT/management. Its certificate is for ServerName.
func (p *Platform) ManagementURL(institution string) string {
	return "https://" + p.management(institution).listener.address() + managementPath
}

// Application returns the id of the application that the exporter's keys belong to.
func (p *Platform) Application(institution string) string {
	return p.management(institution).application
}

// ManagementToken returns the personal access token that the API manager accepts.
func (p *Platform) ManagementToken(institution string) string {
	return p.management(institution).token
}

// AdministratorToken returns the personal access token of an administrator of the API manager.
func (p *Platform) AdministratorToken(institution string) string {
	return p.management(institution).admin
}

// ManagedKeys returns all keys of the application; a shared one comes once for each subscription.
func (p *Platform) ManagedKeys(institution string) []ManagedKey {
	return p.management(institution).managed()
}

func (p *Platform) gateway(institution string) *gateway       { return at(p.gateways, institution) }
func (p *Platform) management(institution string) *management { return at(p.managements, institution) }
func (p *Platform) broker(institution string) *broker         { return at(p.brokers, institution) }

func at[T any](parts map[string]*T, institution string) *T {
	part, ok := parts[institution]
	if !ok {
		panic("demo: no institution " + institution)
	}
	return part
}
