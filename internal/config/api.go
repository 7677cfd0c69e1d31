package config

import (
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// API is a verification request of one institution.
type API struct {
	probe.Check
	Request         Request // redacted
	KeyHeader       string
	Key             secret.Source
	KeyExpires      Expiry
	Unauthenticated Unauthenticated
	Auth            probe.Check // of kind auth, only where Unauthenticated is On
	TLS             probe.TLS
	sealed          func() sealedRequest
}

// URL returns where the request goes. It may hold what must not be shown.
func (a API) URL() *url.URL { return a.sealed().request.URL }

// sealedRequest is the request with everything that must not be shown. API keeps
// it behind a function, because fmt prints unexported fields, but calls no function.
type sealedRequest struct {
	request   probe.Request
	expect    probe.Expect
	transport *probe.Transport
}

// Unauthenticated is the documented negative test of an API.
type Unauthenticated struct {
	On                bool
	Status            []int // that count as refused
	Interval, Timeout time.Duration
}

type (
	// api is a documented verification request.
	api struct {
		At position
		tuning
		Title           field[line]   `yaml:"title" doc:"Its name for people."`
		Contact         field[line]   `yaml:"contact" doc:"The contact that alert texts name. By default that of the institution."`
		Request         request       `yaml:"request" doc:"The request that is sent."`
		Expect          expect        `yaml:"expect" doc:"What the answer must be."`
		KeyHeader       field[header] `yaml:"key_header" default:"X-Gravitee-Api-Key" doc:"The header that carries the key."`
		Unauthenticated negative      `yaml:"unauthenticated" default:"true" doc:"The documented negative test: the gateway must refuse the request without a key and with a wrong one. false switches it off, a mapping changes its settings."`
	}

	// ownAPI is an institution's use of an api. Only it has a key, because a key
	// of the shared api would be sent to every institution's gateway.
	ownAPI struct {
		api
		KeyFile    field[filename] `yaml:"key_file" doc:"File that holds the key and nothing else. It is read again when it changes."`
		KeyEnv     field[variable] `yaml:"key_env" doc:"Environment variable that holds the key."`
		Key        field[hidden]   `yaml:"key" doc:"The key itself. It causes a warning: key_file keeps it out of the configuration."`
		KeyExpires field[Expiry]   `yaml:"key_expires" doc:"When the key expires: a date, an RFC 3339 time or never."`
	}

	// negative is the documented negative test: false, true or a mapping of the settings that differ.
	negative struct {
		On       field[flag]
		Status   field[[]field[status]] `yaml:"status" default:"[401]" doc:"The statuses that count as refused."`
		Interval field[interval]        `yaml:"interval" default:"15m" doc:"How often: 1s to 1d."`
	}
)

const (
	defaultKeyHeader        = "X-Gravitee-Api-Key"
	defaultNegativeInterval = 15 * time.Minute
)

// decode implements node: a scalar switches the test on or off, a mapping switches it on and sets it up.
func (u *negative) decode(d *decoder, n *yaml.Node, at position) outcome {
	target := n
	if n.Kind == yaml.AliasNode {
		target = n.Alias
	}
	if target.Kind == yaml.ScalarNode {
		if target.ShortTag() == "!!null" {
			return absent
		}
		return u.On.decode(d, n, at)
	}
	u.On = field[flag]{value: true, set: true, at: at}
	type mapping negative // without this method, which would call itself
	return d.value(reflect.ValueOf((*mapping)(u)).Elem(), n, at)
}

// api resolves one API of one institution. It goes on after a fault, so that
// the others are reported too, and adds the API only if there is none at all.
func (r *resolver) api(c *Config, root *root, s *institutionScope, id string) {
	own, common := s.APIs[name(id)], root.APIs[name(id)]
	if own.At.nowhere() || common != nil && common.At.nowhere() {
		return // its fault is reported
	}
	if common == nil && !own.Request.Path.set {
		r.undefined(root, own.At, id)
		return
	}
	var a ownAPI
	a.tuning = s.tuning
	if common != nil {
		merge(&a.api, common)
	}
	merge(&a, own)

	every, timeout := r.intervalAndTimeout(&a.tuning)
	resolved := API{
		Check: probe.Check{
			Target:   probe.Target{Institution: s.id, Kind: probe.KindAPI, Name: id},
			Interval: every, Timeout: timeout,
		},
		KeyHeader:       string(a.KeyHeader.or(defaultKeyHeader)),
		KeyExpires:      a.KeyExpires.or(Expiry{}),
		Unauthenticated: a.Unauthenticated.resolve(timeout),
	}
	resolved.Key = r.source(fmt.Sprintf("institution %q, api %q", s.id, id), "key", own.At, own.KeyFile, own.KeyEnv, own.Key)
	request := r.request(&a.api, &a.tuning.Headers, resolved.Key)
	request.URL = r.url(s, id, &a)
	expect := r.expect(&a.api, timeout)
	options, digest := r.transportOptions(&a.tuning)
	resolved.TLS = options.TLS
	var transport *probe.Transport
	if digest != "" {
		transport = r.transport(&a.tuning, options)
	}
	if request.URL == nil || resolved.Key == nil || len(r.faults) > 0 {
		return
	}
	resolved.Info = s.info(id, a.Title, a.Contact, request.URL.Scheme+"://"+hostPort(request.URL))
	resolved.Host = hostPort(request.URL)
	resolved.Request = redactRequest(request, bool(a.Request.Private.or(false)))
	sent := requestVersion(request, options, digest)
	if resolved.Unauthenticated.On {
		request.Refusals = r.shared.Refusals(resolved.Target, sent)
	}
	resolved.Version = version(
		resolved.Target, resolved.Info, every, timeout, resolved.KeyHeader, resolved.KeyExpires, sent, resolved.Request,
		resolved.Unauthenticated.On, expect.Status, expect.JSON, a.Expect.JQ.value.text, expect.Headers, expect.MaxDuration, expect.MaxBody,
	)
	resolved.sealed = func() sealedRequest { return sealedRequest{request, expect, transport} }
	resolved.Prober = probe.NewHTTP(request, expect, transport, r.shared)
	if resolved.Unauthenticated.On {
		resolved.Auth = r.auth(&resolved, sent)
	}
	c.apis = append(c.apis, resolved)
}

func (r *resolver) undefined(root *root, at position, id string) {
	guess := Nearest(id, slices.Sorted(maps.Keys(root.APIs)))
	if guess != "" {
		r.fault(at, "api %q is not defined under apis; did you mean %q?", id, guess)
		return
	}
	r.fault(at, "api %q is not defined under apis: define it there or give its request.path here", id)
}

// unused checks the shared APIs that no institution uses, so that their faults
// do not appear only when the first institution gets a key.
func (r *resolver) unused(root *root) {
	used := map[name]bool{}
	for _, inst := range root.Institutions {
		for id := range inst.APIs {
			used[id] = true
		}
	}
	for id, a := range root.APIs {
		if used[id] || a.At.nowhere() {
			continue
		}
		if len(root.Institutions) > 0 { // otherwise one warning says that there is none
			r.warn(a.At, "api %q: no institution uses this api", string(id))
		}
		if !a.Request.Path.set {
			r.fault(a.At, "api %q: request.path is missing", string(id))
		}
		t := root.Defaults.tuning
		merge(&t, &a.tuning)
		_, timeout := r.intervalAndTimeout(&t)
		r.request(a, &t.Headers, nil)
		r.expect(a, timeout)
		r.tls(&t.TLS)
	}
}

// url joins the gateway and the request's path; nil beside a fault.
func (r *resolver) url(s *institutionScope, id string, a *ownAPI) *url.URL {
	if !a.Request.Path.set {
		r.fault(a.At, "institution %q, api %q: request.path is missing", s.id, id)
		return nil
	}
	if s.gateway == nil || a.Request.Path.bad {
		return nil
	}
	joined, err := url.Parse(strings.TrimSuffix(s.gateway.String(), "/") + string(a.Request.Path.value))
	if err != nil || joined.Host != s.gateway.Host || joined.User != nil {
		r.fault(a.Request.Path.at, "path: the gateway's URL and this path do not form a URL of the gateway")
		return nil
	}
	return joined
}

func (u *negative) resolve(timeout time.Duration) Unauthenticated {
	every := time.Duration(u.Interval.or(interval(defaultNegativeInterval)))
	return Unauthenticated{
		On:       bool(u.On.or(true)),
		Status:   statuses(u.Status, 401),
		Interval: every,
		Timeout:  min(timeout, every),
	}
}

// auth returns the check that the gateway refuses the same request without its key. Its version leaves out what is
// expected of the answer, because it does not depend on that; sent is the version of the request.
func (r *resolver) auth(a *API, sent string) probe.Check {
	u, sealed := a.Unauthenticated, a.sealed()
	check := a.Check
	check.Kind, check.Interval, check.Timeout = probe.KindAuth, u.Interval, u.Timeout
	check.Version = version(check.Target, check.Info, u, sent)
	check.Prober = probe.NewAuth(sealed.request, u.Status, sealed.transport, r.shared)
	return check
}

func (r *resolver) transportOptions(t *tuning) (options probe.TransportOptions, digest string) {
	options.TLS, digest = r.tls(&t.TLS)
	options.Proxy = string(t.ProxyURL.or(""))
	options.HTTP2 = bool(t.HTTP2.or(false))
	options.Reuse = t.Connection.or("fresh") == "reuse"
	return options, digest
}

// transport returns the one Transport for equal options, so that connections are
// shared; nil beside a fault.
func (r *resolver) transport(t *tuning, options probe.TransportOptions) *probe.Transport {
	transport, ok := r.transports[options]
	if ok {
		return transport
	}
	transport, err := probe.NewTransport(options)
	if err != nil {
		at := t.TLS.CAFile.at
		if at.nowhere() || options.TLS.CertFile != "" && strings.Contains(err.Error(), options.TLS.CertFile) {
			at = t.TLS.CertFile.at
		}
		if at.nowhere() {
			at = t.ProxyURL.at
		}
		r.fault(at, "tls: %v", err)
	}
	r.transports[options] = transport
	return transport
}
