package config

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// defaultKeyEvery is how often a watched credential is looked at, besides when its file changes.
const defaultKeyEvery = time.Hour

// shortLogin is the time a refused login takes: RabbitMQ holds its answer back.
const shortLogin = 5 * time.Second

func (r *resolver) rabbitmqs(c *Config, p *place) {
	first := map[name]position{}
	for i, e := range p.RabbitMQ.value {
		if e.At.nowhere() {
			continue
		}
		if !e.Application.set {
			r.fault(e.At, "institution %q, rabbitmq entry %d: application is missing", p.id, i+1)
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
	password := r.source(fmt.Sprintf("institution %q, application %q", p.id, e.Application.value), "password", e.At, e.PasswordFile, e.PasswordEnv, e.Password)
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
	prober, err := probe.NewAMQP(resolved.broker(), r.shared)
	if err != nil {
		r.fault(e.At, "tls: %v", err)
		return
	}
	resolved.Prober = prober
	c.RabbitMQ = append(c.RabbitMQ, resolved)
}

// broker spells out which names the platform gives an application's exchange and queues.
func (m *RabbitMQ) broker() probe.Broker {
	b := probe.Broker{
		URL: m.URL, Vhost: m.VHost, Username: m.Username, Password: m.Password, TLS: m.TLS,
		Exchanges: slices.Clone(m.Exchanges), Queues: slices.Clone(m.Queues), RoundTrip: m.RoundTrip,
		ConnectionName: "integra_exporter " + m.Institution,
	}
	if m.Publishes {
		b.Exchanges = append(b.Exchanges, "outgoing_"+m.Name)
	}
	for _, producer := range m.SubscribesTo {
		b.Queues = append(b.Queues, "from_"+producer)
	}
	b.Exchanges, b.Queues = once(b.Exchanges), once(b.Queues)
	return b
}

// once returns the names in their order, each the first time only.
func once(names []string) (different []string) {
	for _, name := range names {
		if !slices.Contains(different, name) {
			different = append(different, name)
		}
	}
	return different
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
	for i, e := range p.Keys.value {
		if e.At.nowhere() {
			continue
		}
		if !e.Name.set {
			r.fault(e.At, "institution %q, keys entry %d: name is missing", p.id, i+1)
		}
		if !r.twice(first, e.Name, "name") {
			r.key(c, p, e)
		}
	}
}

func (r *resolver) key(c *Config, p *place, e *credential) {
	before := len(r.faults)
	credential := r.credential(p, e)
	if len(r.faults) > before {
		return
	}
	every := time.Duration(e.Interval.or(interval(defaultKeyEvery)))
	certificate, password, token := e.CertificateFile.path(), e.CertificatePasswordFile.path(), e.JWTFile.path()
	resolved := Key{
		Check: probe.Check{
			Target:   probe.Target{Institution: p.id, Kind: probe.KindKey, Name: string(e.Name.value)},
			Info:     p.info(string(e.Name.value), e.Title, e.Contact, ""),
			Interval: every, Timeout: min(defaultTimeout, every),
			Prober: probe.NewKey(credential),
		},
		Files: slices.DeleteFunc([]string{certificate, token, password}, func(file string) bool { return file == "" }),
	}
	resolved.Version = version(resolved.Target, resolved.Info, every, certificate, password, token, e.Expires.value)
	c.Keys = append(c.Keys, resolved)
	r.legible(e, resolved.Prober)
}

func (r *resolver) credential(p *place, e *credential) probe.Credential {
	given := 0
	for _, set := range []bool{e.Expires.set, e.CertificateFile.set, e.JWTFile.set} {
		if set {
			given++
		}
	}
	if given != 1 {
		r.fault(e.At, "institution %q, key %q: give exactly one of expires, certificate_file and jwt_file", p.id, e.Name.value)
	}
	if e.CertificatePasswordFile.set && !e.CertificateFile.set {
		r.fault(e.CertificatePasswordFile.at, "certificate_password_file belongs to a certificate_file")
	}
	r.read(e.CertificateFile, "certificate_file")
	if e.JWTFile.good() {
		r.readable(e.JWTFile, "jwt_file")
	}
	watched := probe.Credential{CertificateFile: e.CertificateFile.path(), JWTFile: e.JWTFile.path()}
	if e.Expires.good() {
		watched.Ends = &probe.KeyEnd{Source: probe.SourceConfig, At: e.Expires.value.Date}
	}
	if e.CertificatePasswordFile.good() {
		watched.CertificatePassword = r.readable(e.CertificatePasswordFile, "certificate_password_file")
	}
	return watched
}

// legible warns of a file that can be read, but says no end: it may be put right
// without a reload, and then needs none. One that has ended is no fault of the configuration.
func (r *resolver) legible(e *credential, prober probe.Prober) {
	_, err := prober.Probe(context.Background())
	reason, _ := probe.ReasonOf(err)
	switch {
	case reason != probe.ReasonKeyUnreadable:
	case e.CertificateFile.good():
		r.warn(e.CertificateFile.at, "certificate_file: %s: %s", shownPath(e.CertificateFile), probe.DetailOf(err))
	case e.JWTFile.good():
		r.warn(e.JWTFile.at, "jwt_file: %s: %s", shownPath(e.JWTFile), probe.DetailOf(err))
	}
}

func (r *resolver) gravitee(c *Config, p *place) {
	e := p.Gravitee.value
	if !p.Gravitee.good() || e.At.nowhere() {
		return
	}
	if !e.Application.set {
		r.fault(e.At, "institution %q, gravitee: application is missing", p.id)
	}
	token := r.source(fmt.Sprintf("institution %q, gravitee", p.id), "token", e.At, e.TokenFile, e.TokenEnv, e.Token)
	files, _ := r.tls(&p.tuning.TLS)
	if !e.URL.set {
		r.fault(e.At, "institution %q, gravitee: url is missing", p.id)
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
