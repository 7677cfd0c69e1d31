package config

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// What the kinds of checks share: the grammar of an institution, and what its checks inherit.
type (
	// tuning can be set at every level; the level nearest to the target wins.
	tuning struct {
		Interval    field[interval] `yaml:"interval" default:"1m" doc:"How often a verification runs: 1s to 1d. The level nearest to the target wins."`
		Timeout     field[span]     `yaml:"timeout" doc:"How long one run may take, at most the interval. By default 15s or the interval, whichever is shorter: longer than the 10 s that the gateway waits for a backend."`
		Connection  field[mode]     `yaml:"connection" default:"fresh" doc:"fresh: DNS, TCP and TLS each time, as the documented curl does. reuse: keep connections between runs."`
		HTTP2       field[flag]     `yaml:"http2" default:"false" doc:"Offer HTTP/2."`
		MaxBodySize field[size]     `yaml:"max_body_size" doc:"The most that is read of an answer, such as 512KiB, after decompression; a longer answer is a failure. By default 10MiB, with jq 1MiB."`
		TLS         tlsFiles        `yaml:"tls" doc:"How to verify servers, and the client certificate. There is no switch to skip verification."`
		Headers     graviteeHeaders `yaml:"gravitee_headers" doc:"The names of the gateway's own headers, where its configuration renames them."`
		ProxyURL    field[proxyURL] `yaml:"proxy_url" doc:"An http:// or socks5:// proxy. The proxies of the environment are ignored."`
	}

	// graviteeHeaders is what the gateway's configuration calls the headers that it puts on answers.
	graviteeHeaders struct {
		TransactionID    field[header] `yaml:"transaction_id" default:"X-Gravitee-Transaction-Id" doc:"The id of a request, which the exporter sends and the gateway repeats."`
		RequestID        field[header] `yaml:"request_id" default:"X-Gravitee-Request-Id" doc:"The gateway's own id of a request."`
		ClientIdentifier field[header] `yaml:"client_identifier" default:"X-Gravitee-Client-Identifier" doc:"The subscription, once the key has been accepted. Never shown."`
	}

	// platform is the addresses of an institution.
	platform struct {
		Gateway field[gatewayURL] `yaml:"gateway" default:"https://gw-{institution}.intark.uh-it.no" doc:"Base URL of the gateway. Its path is put before the path of every request."`
		Broker  field[brokerURL]  `yaml:"broker" default:"amqps://mq-{institution}.intark.uh-it.no:5671" doc:"URL of the RabbitMQ broker, without a path."`
	}

	institution struct {
		At position
		tuning
		platform
		Title    field[line]          `yaml:"title" doc:"Its name for people."`
		Contact  field[line]          `yaml:"contact" doc:"The contact that alert texts name."`
		APIs     map[name]*ownAPI     `yaml:"apis" doc:"Its APIs, by name: the name of one under apis at the top of the file, or of an API of its own, which sets request.path itself."`
		RabbitMQ field[[]*rabbitmq]   `yaml:"rabbitmq" doc:"Its applications at the broker."`
		Keys     field[[]*credential] `yaml:"keys" doc:"Other credentials whose expiry is watched."`
		Gravitee field[*gravitee]     `yaml:"gravitee" doc:"Reads from the API manager when keys expire."`
	}
)

const (
	defaultGateway  = "https://gw-" + placeholder + ".intark.uh-it.no"
	defaultBroker   = "amqps://mq-" + placeholder + ".intark.uh-it.no:5671"
	defaultInterval = time.Minute
	defaultTimeout  = 15 * time.Second
)

// DefaultGateway returns the URL of the gateway of an institution for which none is configured.
func DefaultGateway(institution string) string {
	return strings.ReplaceAll(defaultGateway, placeholder, institution)
}

// institutionScope is an institution with what it inherits from defaults.
type institutionScope struct {
	*institution
	id      string
	tuning  tuning
	broker  field[brokerURL]
	gateway *url.URL // nil if its fault is reported or no API needs it
}

func (r *resolver) institution(root *root, id string) *institutionScope {
	s := &institutionScope{institution: root.Institutions[name(id)], id: id}
	s.tuning = root.Defaults.tuning
	merge(&s.tuning, &s.institution.tuning)
	s.broker = root.Defaults.Broker
	s.broker.override(s.Broker)
	gateway := root.Defaults.Gateway
	gateway.override(s.Gateway)
	if len(s.APIs) > 0 {
		s.gateway = address(r, s, gateway, defaultGateway, "gateway")
	}
	return s
}

// address returns the institution's URL, nil beside a fault; key is the key that sets it.
func address[T ~string](r *resolver, s *institutionScope, template field[T], otherwise T, key string) *url.URL {
	if template.bad {
		return nil
	}
	u, ok := expand(string(template.or(otherwise)), s.id)
	if !ok {
		r.fault(s.At, "the institution's name is not valid in a host name: rename the institution or give its %s", key)
		return nil
	}
	if template.set {
		switch u.Scheme {
		case "http":
			r.warn(template.at, plainHTTP)
		case "amqp":
			r.warn(template.at, plainAMQP)
		}
	}
	return u
}

// intervalAndTimeout returns both with their defaults, and reports a timeout that is longer than the interval.
func (r *resolver) intervalAndTimeout(t *tuning) (every, timeout time.Duration) {
	every = time.Duration(t.Interval.or(interval(defaultInterval)))
	timeout = time.Duration(t.Timeout.or(span(min(defaultTimeout, every))))
	if timeout > every && !t.Interval.bad {
		r.fault(t.Timeout.at, "timeout: %s is longer than the %s", model.Duration(timeout), describeInterval(t, every))
	}
	return every, timeout
}

// describeInterval adds where the interval is set, unless that is the line of the timeout.
func describeInterval(t *tuning, every time.Duration) string {
	switch {
	case !t.Interval.set:
		return fmt.Sprintf("built-in interval of %s", model.Duration(every))
	case t.Interval.at == t.Timeout.at:
		return fmt.Sprintf("interval of %s", model.Duration(every))
	}
	return fmt.Sprintf("interval of %s at %s", model.Duration(every), t.Interval.at)
}

// info returns the texts that describe a target to people.
func (s *institutionScope) info(id string, title, contact field[line], address string) probe.Info {
	return probe.Info{
		InstitutionTitle: cmp.Or(string(s.Title.or("")), s.id),
		Title:            cmp.Or(string(title.or("")), id),
		Contact:          cmp.Or(string(contact.or("")), string(s.Contact.or(""))),
		Address:          address,
	}
}

// checkName reports that entry i of a list of the institution has no name, or that of an earlier entry, whose
// positions are in seen. It returns false for the latter: two checks must not share a target.
func (r *resolver) checkName(s *institutionScope, list string, i int, at position, key string, id field[name], seen map[name]position) bool {
	if !id.set {
		r.fault(at, "institution %q, %s entry %d: %s is missing", s.id, list, i+1, key)
	}
	first, ok := seen[id.value]
	switch {
	case !id.good():
		return true
	case ok:
		r.fault(id.at, "%s %q is already used at %s", key, id.value, first)
		return false
	}
	seen[id.value] = id.at
	return true
}

// version returns a digest of parts, by which a reload tells whether a check has
// changed. It is the same in every process.
func version(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil {
		panic("config: a version of what JSON cannot hold") // callers pass plain values only
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
