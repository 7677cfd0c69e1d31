// Package config turns a YAML file into checks, or tells every fault at once with file and line.
package config

import (
	"net/url"
	"slices"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// Config is a configuration without faults: all defaults filled in, all levels
// merged, all paths resolved. Its lists are sorted by institution and name.
type Config struct {
	MaxConcurrent        int     // runs at once, at least 1
	MaxConcurrentPerHost int     // runs at once against one host:port, at least 1
	Warnings             []Fault // by file and line

	RabbitMQ []RabbitMQ
	Keys     []Key
	Gravitee []Gravitee
	apis     []API
}

// APIs returns what is resolved of kind api, sorted as Checks are.
func (c *Config) APIs() []API { return c.apis }

// Checks returns all checks, sorted by institution, kind and name.
func (c *Config) Checks() []probe.Check {
	checks := make([]probe.Check, 0, 2*len(c.apis))
	for _, a := range c.apis {
		checks = append(checks, a.Check)
		if a.Unauthenticated.On {
			checks = append(checks, a.Auth)
		}
	}
	for _, m := range c.RabbitMQ {
		checks = append(checks, m.Check)
	}
	for _, k := range c.Keys {
		checks = append(checks, k.Check)
	}
	slices.SortFunc(checks, func(a, b probe.Check) int { return a.Target.Compare(b.Target) })
	return checks
}

// CAFiles returns by institution the ca_files it uses; an institution without one has an empty list.
func (c *Config) CAFiles() map[string][]string {
	files := map[string][]string{}
	note := func(institution, file string) {
		known := files[institution]
		if file != "" && !slices.Contains(known, file) {
			known = append(known, file)
		}
		files[institution] = known
	}
	for _, a := range c.apis {
		note(a.Institution, a.TLS.CAFile)
	}
	for _, m := range c.RabbitMQ {
		note(m.Institution, m.TLS.CAFile)
	}
	for _, k := range c.Keys {
		note(k.Institution, "")
	}
	for _, g := range c.Gravitee {
		note(g.Institution, g.TLS.CAFile)
	}
	return files
}

// API is a verification request of one institution.
type API struct {
	probe.Check
	Request         Request // as it may be shown
	KeyHeader       string
	Key             secret.Source
	KeyExpires      Expiry
	Unauthenticated Unauthenticated
	Auth            probe.Check // of kind auth, only where Unauthenticated is On
	TLS             probe.TLS
	wire            func() wire
}

// wire is what goes over the wire and must not be shown: API keeps it behind a
// function, where fmt does not look under any verb.
type wire struct {
	request   probe.Request
	expect    probe.Expect
	transport *probe.Transport
}

// Request describes a verification request for people: nothing in it is secret or private.
type Request struct {
	Method  string
	Path    string   // with the gateway's prefix and the query; "…" where private
	Headers []Header // by name, the key's and other secret ones included, not those that every request carries
	Body    string   // "…", or empty where none is sent
}

// Header is a header as it may be shown.
type Header struct{ Name, Value string }

// Unauthenticated is the documented negative test of an API.
type Unauthenticated struct {
	On                bool
	Status            []int // what refuses properly
	Interval, Timeout time.Duration
}

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

// Key is a credential that is watched for its end alone.
type Key struct {
	probe.Check
	Files []string // a change of one of them is worth a look
}

// Gravitee is where an institution's API manager tells the expiry of keys.
type Gravitee struct {
	Institution  string
	URL          *url.URL
	Application  string // id of the monitoring application
	Token        secret.Source
	Interval     time.Duration
	Organization string
	Environment  string
	TLS          probe.TLS
}
