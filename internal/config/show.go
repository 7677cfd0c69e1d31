package config

import (
	"cmp"
	"slices"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

const hiddenText = "…"

// show describes a request without anything secret or private.
func show(request probe.Request, private bool) Request {
	shown := Request{Method: request.Method, Path: request.URL.RequestURI()}
	if private {
		shown.Path = hiddenText
	}
	if len(request.Body) > 0 {
		shown.Body = hiddenText
	}
	for id, values := range request.Header {
		shown.Headers = append(shown.Headers, Header{id, values[0]})
	}
	for id := range request.Secrets {
		shown.Headers = append(shown.Headers, Header{id, secret.Placeholder})
	}
	slices.SortFunc(shown.Headers, func(a, b Header) int { return cmp.Compare(a.Name, b.Name) })
	return shown
}

// requestVersion covers what is sent and over which connection, except what is re-read while a check runs.
func requestVersion(request probe.Request, options probe.TransportOptions, tlsDigest string) string {
	secrets := map[string]string{}
	for id, source := range request.Secrets {
		secrets[id] = origin(source)
	}
	return version(
		request.Method, request.URL.String(), request.Header, secrets, request.Body, options, tlsDigest,
	)
}

// apiVersion covers all that the checks of an API are made of: they change together, since they share what they know of
// its refusals. sent is the version of its request.
func apiVersion(a *API, sent string, expect probe.Expect, jq string) string {
	patterns := map[string]string{}
	for id, pattern := range expect.Headers {
		patterns[id] = pattern.String()
	}
	return version(
		a.Target, a.Info, a.Interval, a.Timeout, a.KeyHeader, a.KeyExpires, sent, a.Request, a.Unauthenticated,
		expect.Status, expect.JSON, jq, patterns, expect.MaxDuration, expect.MaxBody,
	)
}
