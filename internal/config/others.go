package config

import (
	"net/url"
	"time"

	"github.com/prometheus/common/model"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// shortLogin is the time a refused login takes: RabbitMQ holds its answer back.
const shortLogin = 5 * time.Second

func (r *resolver) rabbitmqs(c *Config, p *place) {
	first := map[name]position{}
	for _, e := range p.RabbitMQ.value {
		if e.At.nowhere() {
			continue
		}
		if !e.Application.set {
			r.fault(e.At, "application is missing")
		}
		if r.twice(first, e.Application, "application") {
			continue
		}
		r.rabbitmq(c, p, e)
	}
}

// twice tells a name that stands in the institution's list already.
func (r *resolver) twice(first map[name]position, id field[name], what string) bool {
	if !id.good() {
		return false
	}
	at, ok := first[id.value]
	if ok {
		r.fault(id.at, "%s %q stands at %s already", what, id.value, at)
		return true
	}
	first[id.value] = id.at
	return false
}

func (r *resolver) rabbitmq(c *Config, p *place, e *rabbitmq) {
	t := p.tuning
	t.Interval.override(e.Interval)
	t.Timeout.override(e.Timeout)
	merge(&t.TLS, &e.TLS)
	every, timeout := r.pace(&t)
	if timeout < shortLogin {
		at := e.At
		if e.Timeout.set {
			at = e.Timeout.at
		}
		r.warn(at, "timeout: %s is under 5s; a broker takes 3 s and more to refuse a login", model.Duration(timeout))
	}
	where := p.broker
	where.override(e.URL)
	broker := address(r, p, where, defaultBroker, "broker")
	password := r.source("this application", "password", e.At, e.PasswordFile, e.PasswordEnv, e.Password)
	files, digest := r.tls(&t.TLS)
	if broker == nil || password == nil || len(r.faults) > 0 {
		return
	}
	id := string(e.Application.value)
	resolved := RabbitMQ{
		Check: probe.Check{
			Target:   probe.Target{Institution: p.id, Kind: probe.KindRabbitMQ, Name: id},
			Info:     p.info(id, e.Title, e.Contact, broker.Scheme+"://"+hostPort(broker)),
			Interval: every, Timeout: timeout, Host: hostPort(broker),
		},
		URL:          &url.URL{Scheme: broker.Scheme, Host: hostPort(broker)},
		VHost:        string(e.VHost.or(name(id))),
		Username:     string(e.Username.or(name(id))),
		Password:     password,
		Publishes:    bool(e.Publishes.or(false)),
		SubscribesTo: names(e.SubscribesTo),
		Exchanges:    names(e.Exchanges),
		Queues:       names(e.Queues),
		RoundTrip:    bool(e.RoundTrip.or(false)),
		TLS:          files,
	}
	resolved.Version = version(
		resolved.Target, resolved.Info, every, timeout, resolved.VHost, resolved.Username, origin(password), resolved.Publishes,
		resolved.SubscribesTo, resolved.Exchanges, resolved.Queues, resolved.RoundTrip, files, digest,
	)
	c.RabbitMQ = append(c.RabbitMQ, resolved)
}

func names(list field[[]field[name]]) []string {
	result := make([]string, len(list.value))
	for i, n := range list.value {
		result[i] = string(n.value)
	}
	return result
}

func (r *resolver) keys(c *Config, p *place) {
	first := map[name]position{}
	for _, e := range p.Keys.value {
		if e.At.nowhere() {
			continue
		}
		if !e.Name.set {
			r.fault(e.At, "name is missing")
		}
		if !r.twice(first, e.Name, "name") {
			r.key(c, p, e)
		}
	}
}

func (r *resolver) key(c *Config, p *place, e *credential) {
	given := 0
	for _, set := range []bool{e.Expires.set, e.CertificateFile.set, e.JWTFile.set} {
		if set {
			given++
		}
	}
	if given != 1 {
		r.fault(e.At, "give exactly one of expires, certificate_file and jwt_file")
	}
	if e.CertificatePasswordFile.set && !e.CertificateFile.set {
		r.fault(e.CertificatePasswordFile.at, "certificate_password_file belongs to a certificate_file")
	}
	r.read(e.CertificateFile, "certificate_file")
	r.read(e.JWTFile, "jwt_file")
	id := string(e.Name.value)
	resolved := Key{
		Target:          probe.Target{Institution: p.id, Kind: probe.KindKey, Name: id},
		Info:            p.info(id, e.Title, e.Contact, ""),
		Expires:         e.Expires.or(Expiry{}),
		CertificateFile: e.CertificateFile.path(),
		JWTFile:         e.JWTFile.path(),
	}
	if e.CertificatePasswordFile.good() {
		resolved.CertificatePassword = r.readable(e.CertificatePasswordFile, "certificate_password_file")
	}
	c.Keys = append(c.Keys, resolved)
}

func (r *resolver) gravitee(c *Config, p *place) {
	e := p.Gravitee.value
	if !p.Gravitee.good() || e.At.nowhere() {
		return
	}
	if !e.Application.set {
		r.fault(e.At, "application is missing")
	}
	token := r.source("gravitee", "token", e.At, e.TokenFile, e.TokenEnv, e.Token)
	files, _ := r.tls(&p.tuning.TLS)
	if !e.URL.set {
		r.fault(e.At, "url is missing")
		return
	}
	base := address(r, p, e.URL, "", "url")
	if base == nil {
		return
	}
	c.Gravitee = append(c.Gravitee, Gravitee{
		Institution:  p.id,
		URL:          base,
		Application:  string(e.Application.value),
		Token:        token,
		Interval:     time.Duration(e.Interval.or(interval(defaultGraviteeEvery))),
		Organization: string(e.Organization.or(defaultGraviteeID)),
		Environment:  string(e.Environment.or(defaultGraviteeID)),
		TLS:          files,
	})
}
