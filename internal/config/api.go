package config

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// api resolves one API of one institution.
func (r *resolver) api(c *Config, root *root, p *place, id string) {
	own, common := p.APIs[name(id)], root.APIs[name(id)]
	if own.At.nowhere() || common != nil && common.At.nowhere() {
		return // told
	}
	if common == nil && !own.Request.Path.set {
		r.undefined(root, own.At, id)
		return
	}
	var a ownAPI
	a.tuning = p.tuning
	if common != nil {
		merge(&a.api, common)
	}
	merge(&a, own)

	every, timeout := r.pace(&a.tuning)
	resolved := API{
		Check: probe.Check{
			Target:   probe.Target{Institution: p.id, Kind: probe.KindAPI, Name: id},
			Interval: every, Timeout: timeout,
		},
		KeyHeader:       string(a.KeyHeader.or(defaultKeyHeader)),
		KeyExpires:      a.KeyExpires.or(Expiry{}),
		Unauthenticated: a.Unauthenticated.resolve(timeout),
	}
	resolved.Key = r.source(fmt.Sprintf("institution %q, api %q", p.id, id), "key", own.At, own.KeyFile, own.KeyEnv, own.Key)
	request := r.request(&a.api, resolved.Key)
	request.URL = r.url(p, id, &a)
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
	resolved.Info = p.info(id, a.Title, a.Contact, request.URL.Scheme+"://"+hostPort(request.URL))
	resolved.Host = hostPort(request.URL)
	resolved.Request = show(request, bool(a.Request.Private.or(false)))
	if resolved.Unauthenticated.On {
		request.Refusals = new(probe.Refusals)
	}
	sent := requestVersion(request, options, digest)
	resolved.Version = apiVersion(&resolved, sent, expect, a.Expect.JQ.value.text)
	resolved.wire = func() wire { return wire{request, expect, transport} }
	resolved.Prober = probe.NewHTTP(request, expect, transport, r.shared)
	if resolved.Unauthenticated.On {
		resolved.Auth = r.auth(&resolved)
	}
	c.apis = append(c.apis, resolved)
}

func (r *resolver) undefined(root *root, at position, id string) {
	names := make([]string, 0, len(root.APIs))
	for n := range root.APIs {
		names = append(names, string(n))
	}
	slices.Sort(names)
	guess := Nearest(id, names)
	if guess != "" {
		r.fault(at, "api %q is not defined under apis; did you mean %q?", id, guess)
		return
	}
	r.fault(at, "api %q is not defined under apis: define it there or give its request.path here", id)
}

// unused checks what the shared APIs hold that no institution has: a fault must not wait for the first use.
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
		if len(root.Institutions) > 0 { // that there are none is warned about once
			r.warn(a.At, "api %q: no institution uses this api", string(id))
		}
		if !a.Request.Path.set {
			r.fault(a.At, "api %q: request.path is missing", string(id))
		}
		t := root.Defaults.tuning
		merge(&t, &a.tuning)
		_, timeout := r.pace(&t)
		r.request(a, nil)
		r.expect(a, timeout)
		r.tls(&t.TLS)
	}
}

// url joins the gateway and the request's path; nil beside a fault.
func (r *resolver) url(p *place, id string, a *ownAPI) *url.URL {
	if !a.Request.Path.set {
		r.fault(a.At, "institution %q, api %q: request.path is missing", p.id, id)
		return nil
	}
	if p.gateway == nil || a.Request.Path.bad {
		return nil
	}
	joined, err := url.Parse(strings.TrimSuffix(p.gateway.String(), "/") + string(a.Request.Path.value))
	if err != nil || joined.Host != p.gateway.Host || joined.User != nil {
		r.fault(a.Request.Path.at, "path: this does not make a URL of the gateway")
		return nil
	}
	return joined
}

func (u *negative) resolve(timeout time.Duration) Unauthenticated {
	every := time.Duration(u.Interval.or(interval(defaultUnauthenticatedEvery)))
	return Unauthenticated{
		On:       bool(u.On.or(true)),
		Status:   statuses(u.Status, 401),
		Interval: every,
		Timeout:  min(timeout, every),
	}
}

// auth returns the check that a's gateway refuses the same request without its key.
func (r *resolver) auth(a *API) probe.Check {
	u, w := a.Unauthenticated, a.wire()
	check := a.Check
	check.Kind, check.Interval, check.Timeout = probe.KindAuth, u.Interval, u.Timeout
	check.Version = version(check.Target, a.Version)
	check.Prober = probe.NewAuth(w.request, u.Status, w.transport, r.shared)
	return check
}

func statuses(list field[[]field[status]], otherwise int) []int {
	if !list.good() {
		return []int{otherwise}
	}
	result := make([]int, len(list.value))
	for i, s := range list.value {
		result[i] = int(s.value)
	}
	return result
}

func (r *resolver) transportOptions(t *tuning) (options probe.TransportOptions, digest string) {
	options.TLS, digest = r.tls(&t.TLS)
	options.Proxy = string(t.ProxyURL.or(""))
	options.HTTP2 = bool(t.HTTP2.or(false))
	options.Reuse = t.Connection.or("fresh") == "reuse"
	return options, digest
}

// transport returns the one Transport for options, nil beside a fault.
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
