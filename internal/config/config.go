// Package config turns a YAML file into checks, or reports all its faults at once with file and line.
package config

import (
	"maps"
	"slices"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// Config is a configuration without faults: all defaults filled in, all levels
// merged, all paths resolved. Its lists are sorted by institution and name.
type Config struct {
	MaxConcurrent        int     // runs at once, at least 1
	MaxConcurrentPerHost int     // runs at once against one host:port, at least 1
	Institutions         int     // how many are configured
	Warnings             []Fault // by file and line

	RabbitMQ []RabbitMQ
	Keys     []Key
	Gravitee []Gravitee
	apis     []API
}

// APIs returns the resolved APIs, in the order of Checks.
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

// The grammar of a file. A struct tag holds the key, its default as the schema shows it, and its description.
type (
	// root is the main file.
	root struct {
		Defaults     defaults                 `yaml:"defaults" doc:"Defaults for all institutions, which they and their APIs can override."`
		Include      field[[]field[filename]] `yaml:"include" default:"[]" doc:"Further files, each with apis and institutions only. *, ? and [...] match parts of their names."`
		APIs         map[name]*api            `yaml:"apis" doc:"The documented verification requests, by name, shared by all institutions."`
		Institutions map[name]*institution    `yaml:"institutions" doc:"The institutions and the APIs that each of them uses, by name. The name is the label institution, and replaces {institution} in addresses."`
	}

	// included is a file that the main one includes.
	included struct {
		APIs         map[name]*api         `yaml:"apis" doc:"The documented verification requests, by name."`
		Institutions map[name]*institution `yaml:"institutions" doc:"The institutions and the APIs that each of them uses, by name."`
	}

	defaults struct {
		tuning
		platform
		MaxConcurrent        field[count] `yaml:"max_concurrent" default:"64" doc:"The most runs at once."`
		MaxConcurrentPerHost field[count] `yaml:"max_concurrent_per_host" default:"8" doc:"The most runs at once against one host and port."`
	}
)

const (
	defaultMaxConcurrent        = 64
	defaultMaxConcurrentPerHost = 8
)

// resolver merges the levels of the grammar and checks what no single value
// shows. All targets of a load share its caches.
type resolver struct {
	*report
	shared     *probe.Shared
	files      map[string]secretFile
	contents   map[string]fileContent
	identities map[tlsFiles]tlsIdentity
	transports map[probe.TransportOptions]*probe.Transport
}

// resolve returns the configuration that root describes. It is incomplete beside a fault.
func (root *root) resolve(report *report, shared *probe.Shared) *Config {
	r := &resolver{
		report: report, shared: shared,
		files: map[string]secretFile{}, contents: map[string]fileContent{},
		identities: map[tlsFiles]tlsIdentity{}, transports: map[probe.TransportOptions]*probe.Transport{},
	}
	c := &Config{
		MaxConcurrent:        int(root.Defaults.MaxConcurrent.or(defaultMaxConcurrent)),
		MaxConcurrentPerHost: int(root.Defaults.MaxConcurrentPerHost.or(defaultMaxConcurrentPerHost)),
		Institutions:         len(root.Institutions),
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
