// Package demo simulates the platform: the gateways of six institutions, each
// with its APIs, answering on loopback as Gravitee 3.x and the backends behind
// it do, and beside each a broker that answers as RabbitMQ does. Faults of every
// layer can be switched on. The demo command runs the exporter against it, and
// tests use it as their other side.
//
// It never logs and never prints.
package demo

import (
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
}

// Target names one API of one institution.
type Target struct{ Institution, API string }

// Platform is a running simulation. Its methods may be called at the same time.
type Platform struct {
	ca       *authority
	gateways map[string]*gateway
	brokers  map[string]*broker
	done     chan struct{}
	close    sync.Once
}

// Start issues certificates and keys and opens the TLS listeners of each
// institution on 127.0.0.1, each at a free port. Its error says what could not be opened.
func Start(options Options) (*Platform, error) {
	ca, err := newAuthority(time.Now())
	if err != nil {
		return nil, err
	}
	p := &Platform{ca: ca, gateways: map[string]*gateway{}, brokers: map[string]*broker{}, done: make(chan struct{})}
	for _, i := range institutions {
		g, err := newGateway(i, options, ca, p.done)
		if err != nil {
			_ = p.Close()
			return nil, err
		}
		p.gateways[i.Name] = g
		p.brokers[i.Name], err = newBroker(i.Name, options, ca, p.done)
		if err != nil {
			delete(p.brokers, i.Name)
			_ = p.Close()
			return nil, err
		}
	}
	if !options.WithoutFaults {
		for _, s := range standing {
			p.Set(s.Institution, s.API, s.fault)
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

// Close ends everything: when it returns, no listener and no connection is
// left. It always returns nil and may be called again.
func (p *Platform) Close() error {
	p.close.Do(func() {
		close(p.done)
		for _, g := range p.gateways {
			g.shut()
			g.management.door.close()
		}
		for _, b := range p.brokers {
			b.shut()
		}
	})
	return nil
}

// Set makes one API show f, or with an empty api the whole gateway, which then
// wins over what its APIs show. Refused exists for a whole gateway only. Set
// returns when f is in force; a name outside the scenario panics.
func (p *Platform) Set(institution, api string, f Fault) {
	p.gateway(institution).set(api, f)
}

// Clear is Set with Healthy: also what the scenario had set is gone. A refusing
// gateway listens again, on the port it had.
func (p *Platform) Clear(institution, api string) { p.Set(institution, api, Healthy) }

// Run lets the scenario's passing faults come and go until ctx ends or the
// platform is closed; those still in force are then cleared. When it begins,
// one key is renewed, for good.
func (p *Platform) Run(ctx context.Context) {
	start := time.Now()
	for _, r := range renewed {
		p.Renew(r.Institution, r.API)
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	now := make([]bool, len(passing))
	defer p.play(now, -1)
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.done:
			return
		case <-ticker.C:
			p.play(now, time.Since(start))
		}
	}
}

// play switches the passing faults that begin or end at elapsed. Only changes
// are acted on, so that a fault set by hand stays.
func (p *Platform) play(now []bool, elapsed time.Duration) {
	for i, e := range passing {
		due := e.due(elapsed)
		if due == now[i] {
			continue
		}
		now[i] = due
		f := Healthy
		if due {
			f = e.fault
		}
		p.Set(e.Institution, e.API, f)
	}
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
	return p.gateway(institution).subscription(api).access.newest()
}

// Requests returns how many requests for this API have arrived, whatever became of them.
func (p *Platform) Requests(institution, api string) int {
	all, _, _ := p.gateway(institution).requests(api)
	return all
}

// KeyedRequests returns how many of Requests carried a key that the gateway knew for this API, whatever became of them.
func (p *Platform) KeyedRequests(institution, api string) int {
	_, keyed, _ := p.gateway(institution).requests(api)
	return keyed
}

// KeylessRequests returns how many of Requests had no header for a key at all, whatever became of them.
func (p *Platform) KeylessRequests(institution, api string) int {
	_, _, keyless := p.gateway(institution).requests(api)
	return keyless
}

// Targets returns every pair of institution and API, in the scenario's order.
func (p *Platform) Targets() []Target {
	var targets []Target
	for _, i := range institutions {
		for _, s := range p.gateways[i.Name].subscriptions {
			targets = append(targets, Target{i.Name, s.Name})
		}
	}
	return targets
}

// Request returns the verification request of an API: method, path, body.
func (p *Platform) Request(api string) (method, path, body string) {
	a := apiNamed(api)
	return a.Method, a.Path, a.Body
}

func (p *Platform) gateway(institution string) *gateway {
	g, ok := p.gateways[institution]
	if !ok {
		panic("demo: no institution " + institution)
	}
	return g
}
