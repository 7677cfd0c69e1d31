package config

import (
	"fmt"
	"net/url"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// Gravitee is an institution's API manager, which knows when keys expire.
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

type gravitee struct {
	At           position
	URL          field[restURL]  `yaml:"url" doc:"Base of the management API, such as https://api-mgmt.example.no/management."`
	Application  field[name]     `yaml:"application" doc:"Id of the monitoring application."`
	TokenFile    field[filename] `yaml:"token_file" doc:"File that holds a personal access token and nothing else."`
	TokenEnv     field[variable] `yaml:"token_env" doc:"Environment variable that holds the token."`
	Token        field[hidden]   `yaml:"token" doc:"The token itself. It causes a warning: token_file keeps it out of the configuration."`
	Interval     field[interval] `yaml:"interval" default:"1h" doc:"How often it is read, sooner after a failure: 1s to 1d."`
	Organization field[name]     `yaml:"organization" default:"DEFAULT" doc:"The organization of the API manager."`
	Environment  field[name]     `yaml:"environment" default:"DEFAULT" doc:"The environment of the API manager."`
}

const (
	defaultGraviteeInterval = time.Hour
	defaultGraviteeID       = "DEFAULT"
)

func (r *resolver) gravitee(c *Config, s *institutionScope) {
	e := s.Gravitee.value
	if !s.Gravitee.good() || e.At.nowhere() {
		return
	}
	if !e.Application.set {
		r.fault(e.At, "institution %q, gravitee: application is missing", s.id)
	}
	token := r.source(fmt.Sprintf("institution %q, gravitee", s.id), "token", e.At, e.TokenFile, e.TokenEnv, e.Token)
	files, _ := r.tls(&s.tuning.TLS)
	if !e.URL.set {
		r.fault(e.At, "institution %q, gravitee: url is missing", s.id)
		return
	}
	base := address(r, s, e.URL, "", "url")
	if base == nil {
		return
	}
	c.Gravitee = append(c.Gravitee, Gravitee{
		Institution:  s.id,
		URL:          base,
		Application:  string(e.Application.value),
		Token:        token,
		Interval:     time.Duration(e.Interval.or(interval(defaultGraviteeInterval))),
		Organization: string(e.Organization.or(defaultGraviteeID)),
		Environment:  string(e.Environment.or(defaultGraviteeID)),
		TLS:          files,
	})
}
