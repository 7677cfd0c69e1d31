package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// floor is bare net/http doing the same request: nobody can do it for less
// without leaving something out.
func floor(g *gateway, reuse bool) (func(ctx context.Context) error, error) {
	config, err := probe.TLS{CAFile: g.CAFile}.Config()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: !reuse, DisableCompression: true}
	return func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Accept", "application/json")
		req.Header.Set("X-Gravitee-Api-Key", exampleKey)
		resp, err := transport.RoundTrip(req)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err == nil && (resp.StatusCode != http.StatusOK || !json.Valid(body)) {
			return errors.New("no JSON")
		}
		return err
	}, nil
}

const exampleKey = "00000000-0000-4000-8000-000000000000"

// ours is the exporter's probe.
func ours(g *gateway, reuse bool) (func(ctx context.Context) error, error) {
	prober, err := newProber(g, "", probe.TransportOptions{Reuse: reuse}, probe.NewShared())
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		_, err := prober.Probe(ctx)
		return err
	}, nil
}

// newProber returns the prober of kind api as a configuration makes it.
func newProber(g *gateway, query string, options probe.TransportOptions, shared *probe.Shared) (*probe.HTTP, error) {
	options.TLS.CAFile = g.CAFile
	transport, err := probe.NewTransport(options)
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(g.URL)
	if err != nil {
		return nil, err
	}
	target.RawQuery = query
	request := probe.Request{
		Method:  http.MethodGet,
		URL:     target,
		Secrets: map[string]secret.Source{"X-Gravitee-Api-Key": secret.Literal{Value: secret.New(exampleKey)}},
	}
	expect := probe.Expect{Status: []int{http.StatusOK}, JSON: true, MaxBody: 10 << 20}
	return probe.NewHTTP(request, expect, transport, shared), nil
}
