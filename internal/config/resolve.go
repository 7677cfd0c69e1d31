package config

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// The built-in values.
const (
	defaultGateway              = "https://gw-" + placeholder + ".intark.uh-it.no"
	defaultBroker               = "amqps://mq-" + placeholder + ".intark.uh-it.no:5671"
	defaultInterval             = time.Minute
	defaultTimeout              = 15 * time.Second
	defaultMaxBody              = 10 << 20
	defaultMaxBodyJQ            = 1 << 20
	defaultMaxConcurrent        = 64
	defaultMaxConcurrentPerHost = 8
	defaultKeyHeader            = "X-Gravitee-Api-Key"
	defaultUnauthenticatedEvery = 15 * time.Minute
	defaultGraviteeEvery        = time.Hour
	defaultGraviteeID           = "DEFAULT"
)

// resolver merges the levels of the grammar and checks what only the whole can show.
// What it caches is shared by all targets of a load.
type resolver struct {
	*report
	shared     *probe.Shared
	files      map[string]*secret.File
	secrets    map[string]error
	contents   map[string]content
	identities map[tlsFiles]identity
	transports map[probe.TransportOptions]*probe.Transport
}

func newResolver(r *report, shared *probe.Shared) *resolver {
	return &resolver{
		report: r, shared: shared,
		files: map[string]*secret.File{}, secrets: map[string]error{}, contents: map[string]content{},
		identities: map[tlsFiles]identity{}, transports: map[probe.TransportOptions]*probe.Transport{},
	}
}

func (r *resolver) config(root *root) *Config {
	c := &Config{
		MaxConcurrent:        int(root.Defaults.MaxConcurrent.or(defaultMaxConcurrent)),
		MaxConcurrentPerHost: int(root.Defaults.MaxConcurrentPerHost.or(defaultMaxConcurrentPerHost)),
	}
	r.unused(root)
	for _, id := range slices.Sorted(maps.Keys(root.Institutions)) {
		inst := r.institution(root, string(id))
		for _, api := range slices.Sorted(maps.Keys(inst.APIs)) {
			r.api(c, root, inst, string(api))
		}
		r.rabbitmqs(c, inst)
		r.keys(c, inst)
		r.gravitee(c, inst)
	}
	slices.SortStableFunc(c.RabbitMQ, func(a, b RabbitMQ) int { return a.Compare(b.Target) })
	slices.SortStableFunc(c.Keys, func(a, b Key) int { return a.Compare(b.Target) })
	return c
}

// place is an institution with what it inherits.
type place struct {
	*institution
	id      string
	tuning  tuning
	broker  field[brokerURL]
	gateway *url.URL // nil: told, or no API needs it
}

func (r *resolver) institution(root *root, id string) *place {
	p := &place{institution: root.Institutions[name(id)], id: id}
	p.tuning = root.Defaults.tuning
	merge(&p.tuning, &p.institution.tuning)
	p.broker = root.Defaults.Broker
	p.broker.override(p.Broker)
	gateway := root.Defaults.Gateway
	gateway.override(p.Gateway)
	if len(p.APIs) > 0 {
		p.gateway = address(r, p, gateway, defaultGateway, "gateway")
	}
	return p
}

// address returns the institution's URL, nil beside a fault; key is where it can be given.
func address[T ~string](r *resolver, p *place, template field[T], otherwise T, key string) *url.URL {
	if template.bad {
		return nil
	}
	u, ok := expand(string(template.or(otherwise)), p.id)
	if !ok {
		r.fault(p.At, "the institution's name cannot stand in a host name: name it otherwise or give its %s", key)
		return nil
	}
	if template.set {
		r.warnPlain(template.at, u)
	}
	return u
}

func (r *resolver) warnPlain(at position, u *url.URL) {
	switch u.Scheme {
	case "http":
		r.warn(at, plainHTTP)
	case "amqp":
		r.warn(at, plainAMQP)
	}
}

// pace returns interval and timeout, and tells a timeout that is too long.
func (r *resolver) pace(t *tuning) (every, timeout time.Duration) {
	every = time.Duration(t.Interval.or(interval(defaultInterval)))
	timeout = time.Duration(t.Timeout.or(span(min(defaultTimeout, every))))
	if timeout > every && !t.Interval.bad {
		r.fault(t.Timeout.at, "timeout: %s is longer than the %s", model.Duration(timeout), whichInterval(t, every))
	}
	return every, timeout
}

// whichInterval says where the interval stands, unless that is where the timeout stands.
func whichInterval(t *tuning, every time.Duration) string {
	switch {
	case !t.Interval.set:
		return fmt.Sprintf("built-in interval of %s", model.Duration(every))
	case t.Interval.at == t.Timeout.at:
		return fmt.Sprintf("interval of %s", model.Duration(every))
	}
	return fmt.Sprintf("interval of %s at %s", model.Duration(every), t.Interval.at)
}

// info fills in what people are shown about a target.
func (p *place) info(id string, title, contact field[line], address string) probe.Info {
	return probe.Info{
		InstitutionTitle: cmp.Or(string(p.Title.or("")), p.id),
		Title:            cmp.Or(string(title.or("")), id),
		Contact:          cmp.Or(string(contact.or("")), string(p.Contact.or(""))),
		Address:          address,
	}
}
