package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// BenchmarkProbe compares a probe of kind api with what bare net/http needs for the same request.
func BenchmarkProbe(b *testing.B) {
	g := startGateway(b)
	for _, c := range []struct {
		name  string
		reuse bool
		calls int
	}{{"cold", false, 150}, {"warm", true, 1500}} {
		b.Run(c.name, func(b *testing.B) {
			compare(b, c.calls, floor(b, g, c.reuse), ours(b, g, c.reuse))
		})
	}
}

// BenchmarkBlackbox compares a cold probe with blackbox_exporter's. Since 1.24 Go offers a post-quantum key exchange,
// which is expensive; without it both do the same, where an older Go has built blackbox_exporter.
func BenchmarkBlackbox(b *testing.B) {
	blackbox := blackboxExporter()
	if blackbox == "" {
		b.Skip("blackbox_exporter is not installed")
	}
	binary, g := build(b), startGateway(b)
	for _, c := range []struct{ name, debug string }{{"default", ""}, {"tlsmlkem=0", "tlsmlkem=0"}} {
		b.Run(c.name, func(b *testing.B) {
			b.Setenv("GODEBUG", c.debug) // the exporters inherit it
			compare(b, 150, theirs(b, blackbox, g), ours(b, g, false), floor(b, g, false), asked(b, binary, g))
		})
	}
}

// blackboxExporter returns the path of blackbox_exporter, under Debian's name or its own; empty: it is not installed.
func blackboxExporter() string {
	for _, name := range []string{"prometheus-blackbox-exporter", "blackbox_exporter"} {
		path, err := exec.LookPath(name)
		if err == nil {
			return path
		}
	}
	return ""
}

// floor is bare net/http, which reads the body and checks that it is JSON: nobody can do it for less without leaving
// something out.
func floor(b *testing.B, g gateway, reuse bool) side {
	b.Helper()
	config, err := probe.TLS{CAFile: g.caFile}.Config()
	if err != nil {
		b.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: !reuse, DisableCompression: true}
	b.Cleanup(transport.CloseIdleConnections)
	return side{name: "bare", call: func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url, http.NoBody)
		if err != nil {
			return err
		}
		request.Header.Set("Accept", "application/json")
		request.Header.Set("X-Gravitee-Api-Key", exampleKey)
		response, err := transport.RoundTrip(request)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err == nil && (response.StatusCode != http.StatusOK || !json.Valid(text)) {
			return errors.New("the answer is no JSON")
		}
		return err
	}}
}

// ours is the exporter's probe as its schedule runs it, made as a configuration makes it.
func ours(b *testing.B, g gateway, reuse bool) side {
	b.Helper()
	transport, err := probe.NewTransport(probe.TransportOptions{TLS: probe.TLS{CAFile: g.caFile}, Reuse: reuse})
	if err != nil {
		b.Fatal(err)
	}
	target, err := url.Parse(g.url)
	if err != nil {
		b.Fatal(err)
	}
	request := probe.Request{
		Method:  http.MethodGet,
		URL:     target,
		Secrets: map[string]secret.Source{"X-Gravitee-Api-Key": secret.Literal{Value: secret.New(exampleKey)}},
	}
	expect := probe.Expect{Status: []int{http.StatusOK}, JSON: true, MaxBody: 10 << 20}
	return side{name: "probe", call: probing(probe.NewHTTP(request, expect, transport, probe.NewShared()))}
}

func probing(prober probe.Prober) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		_, err := prober.Probe(ctx)
		return err
	}
}

// theirs is blackbox_exporter, with a module that asks for what the exporter asks for.
func theirs(b *testing.B, binary string, g gateway) side {
	b.Helper()
	p := start(b, binary, b.TempDir(), fmt.Sprintf(`modules:
  answer:
    prober: http
    timeout: 15s
    http:
      method: GET
      headers: {Accept: application/json, X-Gravitee-Api-Key: %s}
      preferred_ip_protocol: ip4
      enable_http2: false
      follow_redirects: false
      tls_config: {ca_file: %s}
      fail_if_body_not_matches_regexp: ['^\["a+"\]$']
`, exampleKey, g.caFile), 1)
	p.await(b, "/-/healthy")
	return side{name: "blackbox", pid: p.pid, call: p.prober("/probe?module=answer&target=" + g.url)}
}

// asked is the exporter where Prometheus drives it, as it drives blackbox_exporter.
func asked(b *testing.B, binary string, g gateway) side {
	b.Helper()
	const targets = 3000 // none is asked twice within a second, in which it would return the same result again
	var apis, keys strings.Builder
	paths := make([]string, targets)
	for i := range paths {
		fmt.Fprintf(&apis, "  a%d: {request: {path: /}, unauthenticated: false}\n", i)
		fmt.Fprintf(&keys, "      a%d: {key: %s}\n", i, exampleKey)
		paths[i] = fmt.Sprintf("/probe?institution=bench&kind=api&target=a%d", i)
	}
	p := start(b, binary, b.TempDir(), fmt.Sprintf("defaults: {gateway: %q, tls: {ca_file: %s}}\napis:\n%sinstitutions:\n  bench:\n    title: Bench\n    apis:\n%s",
		g.url, g.caFile, apis.String(), keys.String()), 1, "--no-schedule")
	p.await(b, "/-/ready")
	return side{name: "exporter", pid: p.pid, call: p.prober(paths...)}
}
