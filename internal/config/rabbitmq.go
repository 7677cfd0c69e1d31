package config

import (
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// RabbitMQ is one application's access to its institution's broker.
type RabbitMQ struct {
	probe.Check
	URL          *url.URL // scheme and host, without path or user information
	VHost        string
	Username     string
	Password     secret.Source
	Publishes    bool     // outgoing_<application> must exist
	SubscribesTo []string // from_<producer> must exist for each
	Exchanges    []string
	Queues       []string
	RoundTrip    bool
	TLS          probe.TLS
}

type rabbitmq struct {
	At           position
	Application  field[name]          `yaml:"application" doc:"The application, as the portal names it. It is also the virtual host and the user, unless those are set."`
	Title        field[line]          `yaml:"title" doc:"Its name for people."`
	Contact      field[line]          `yaml:"contact" doc:"The contact that alert texts name. By default that of the institution."`
	PasswordFile field[filename]      `yaml:"password_file" doc:"File that holds the password and nothing else. It is read again when it changes."`
	PasswordEnv  field[variable]      `yaml:"password_env" doc:"Environment variable that holds the password."`
	Password     field[hidden]        `yaml:"password" doc:"The password itself. It causes a warning: password_file keeps it out of the configuration."`
	URL          field[brokerURL]     `yaml:"url" doc:"The broker, if not that of the institution: amqp or amqps, without a path."`
	VHost        field[name]          `yaml:"vhost" doc:"The virtual host, if it is not the application."`
	Username     field[name]          `yaml:"username" doc:"The user, if it is not the application."`
	Publishes    field[flag]          `yaml:"publishes" default:"false" doc:"The exchange outgoing_<application> must exist."`
	SubscribesTo field[[]field[name]] `yaml:"subscribes_to" default:"[]" doc:"Producers: for each the queue from_<producer> must exist."`
	Exchanges    field[[]field[name]] `yaml:"exchanges" default:"[]" doc:"Further exchanges that must exist."`
	Queues       field[[]field[name]] `yaml:"queues" default:"[]" doc:"Further queues that must exist."`
	RoundTrip    field[flag]          `yaml:"roundtrip" default:"false" doc:"Publish a message with confirm and receive it back."`
	Interval     field[interval]      `yaml:"interval" doc:"How often: 1s to 1d. By default that of the institution."`
	Timeout      field[span]          `yaml:"timeout" doc:"How long one run may take. Under 5s causes a warning: a broker takes 3 s to refuse a login."`
	TLS          tlsFiles             `yaml:"tls" doc:"How to verify the broker, and the client certificate. By default that of the institution."`
}

// minLoginTimeout leaves time for a refused login: RabbitMQ delays that answer.
const minLoginTimeout = 5 * time.Second

func (r *resolver) rabbitmqs(c *Config, s *institutionScope) {
	seen := map[name]position{}
	for i, e := range s.RabbitMQ.value {
		if !e.At.nowhere() && r.checkName(s, "rabbitmq", i, e.At, "application", e.Application, seen) {
			r.rabbitmq(c, s, e)
		}
	}
}

func (r *resolver) rabbitmq(c *Config, s *institutionScope, e *rabbitmq) {
	t := s.tuning
	t.Interval.override(e.Interval)
	t.Timeout.override(e.Timeout)
	merge(&t.TLS, &e.TLS)
	every, timeout := r.intervalAndTimeout(&t)
	if timeout < minLoginTimeout {
		at := e.At
		if e.Timeout.set {
			at = e.Timeout.at
		}
		r.warn(at, "timeout: %s is under 5s, but a broker takes at least 3 s to refuse a login", model.Duration(timeout))
	}
	template := s.broker
	template.override(e.URL)
	broker := address(r, s, template, defaultBroker, "broker")
	password := r.source(fmt.Sprintf("institution %q, application %q", s.id, e.Application.value), "password", e.At, e.PasswordFile, e.PasswordEnv, e.Password)
	files, digest := r.tls(&t.TLS)
	if broker == nil || password == nil || len(r.faults) > 0 {
		return
	}
	id := string(e.Application.value)
	resolved := RabbitMQ{
		Check: probe.Check{
			Target:   probe.Target{Institution: s.id, Kind: probe.KindRabbitMQ, Name: id},
			Info:     s.info(id, e.Title, e.Contact, broker.Scheme+"://"+hostPort(broker)),
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
	probed := resolved.broker()
	for _, object := range slices.Concat(probed.Exchanges, probed.Queues) {
		if len(object) > maxAMQPName {
			r.fault(e.At, "%s… is longer than the %d bytes that AMQP allows for a name", object[:20], maxAMQPName)
		}
	}
	prober, err := probe.NewAMQP(probed, r.shared)
	if err != nil {
		r.fault(e.At, "tls: %v", err)
		return
	}
	resolved.Prober = prober
	c.RabbitMQ = append(c.RabbitMQ, resolved)
}

// maxAMQPName is what fits into a short string of AMQP 0-9-1.
const maxAMQPName = 255

// broker adds the exchange and the queues that the platform names after the
// application and its producers. A name is asked for once, because two would
// make two series with the same labels.
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
	b.Exchanges, b.Queues = unique(b.Exchanges), unique(b.Queues)
	return b
}

// unique returns names without repetitions, in the order of their first occurrence.
func unique(names []string) (different []string) {
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
