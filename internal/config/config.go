// Package config turns a YAML file into checks, or tells every fault at once with file and line.
package config

import (
	"net/url"
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
	checks := make([]probe.Check, len(c.apis))
	for i, a := range c.apis {
		checks[i] = a.Check
	}
	return checks
}

// API is a verification request of one institution.
type API struct {
	probe.Check
	Request         Request // as it may be shown
	KeyHeader       string
	Key             secret.Source
	KeyExpires      Expiry
	Unauthenticated Unauthenticated
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

// RabbitMQ is one application's access to its institution's broker. It has no Prober yet.
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

// Key is a credential that is watched for its end alone. Exactly one of
// Expires, CertificateFile and JWTFile is given.
type Key struct {
	probe.Target
	probe.Info
	Expires             Expiry
	CertificateFile     string
	CertificatePassword secret.Source // nil: none
	JWTFile             string
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
