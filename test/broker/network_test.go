// Package broker probes a real RabbitMQ through a network that misbehaves.
package broker

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/integra-exporter/integra_exporter/internal/brokertest"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// The application of brokertest's definitions, and enough time for a probe of it.
const (
	application = "system-production-app"
	password    = "canary-password-app"
	ample       = 10 * time.Second
)

var started = sync.OnceValues(brokertest.Start)

func broker(t *testing.T) *brokertest.Broker {
	t.Helper()
	b, err := started()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func access(t *testing.T) probe.Broker {
	t.Helper()
	b := broker(t)
	return probe.Broker{
		URL: &url.URL{Scheme: "amqps", Host: b.AMQPS}, Vhost: application, Username: application,
		Password: secret.Literal{Value: secret.New(password)}, TLS: probe.TLS{CAFile: b.CAFile},
	}
}

// probeOnce probes once, and fails unless it ends with its deadline.
func probeOnce(t *testing.T, to probe.Broker, timeout time.Duration) error {
	t.Helper()
	prober, err := probe.NewAMQP(to, probe.NewShared())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	begin := time.Now()
	seen, err := prober.Probe(ctx)
	if took := time.Since(begin); took > timeout+6*time.Second { // a hang, on the busiest of machines
		t.Errorf("the probe took %s with a timeout of %s", took, timeout)
	}
	if text := fmt.Sprintf("%+v %v", seen, err); strings.Contains(text, password) {
		t.Errorf("the password is in %s", text)
	}
	return err
}

func want(t *testing.T, err error, reason probe.Reason, layer probe.Layer) {
	t.Helper()
	gotReason, gotLayer := probe.ReasonOf(err)
	if gotReason != reason || gotLayer != layer {
		t.Errorf("%v at %s, want %s at %s", err, gotLayer, reason, layer)
	}
}

// via puts a proxy in front of the real broker, which treats what the
// broker says with toxic (JSON; empty: with nothing), and points access to it.
func via(t *testing.T, access *probe.Broker, toxic string) *toxiproxy.Proxy {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, t.Name(), "127.0.0.1:0", access.URL.Host)
	err := proxy.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	if toxic != "" {
		_, err = proxy.Toxics.AddToxicJson(strings.NewReader(toxic))
		if err != nil {
			t.Fatal(err)
		}
	}
	access.URL.Host = proxy.Listen
	return proxy
}

func toxicOf(kind, attribute string, value int) string {
	return fmt.Sprintf(`{"type": %q, "stream": "downstream", "attributes": {%q: %d}}`, kind, attribute, value)
}

// Faults of the network between us and the real broker.
func TestAMQPNetworkFaults(t *testing.T) {
	plain := func(t *testing.T, b *probe.Broker) { b.URL.Scheme, b.URL.Host = "amqp", broker(t).AMQP }
	withTLS := func(*testing.T, *probe.Broker) {}
	refused := func(t *testing.T, b *probe.Broker) { b.Username = "nobody" }
	tests := map[string]struct {
		change  func(*testing.T, *probe.Broker)
		toxic   string
		timeout time.Duration
		reason  probe.Reason
		layer   probe.Layer
		detail  string
	}{
		"none":                      {withTLS, "", ample, "", "", ""},
		"latency":                   {withTLS, toxicOf("latency", "latency", 100), ample, "", "", ""},
		"latency over the limit":    {plain, toxicOf("latency", "latency", 900), 500 * time.Millisecond, probe.ReasonBrokerTimeout, probe.LayerBroker, "greeting"},
		"latency, later":            {plain, toxicOf("latency", "latency", 500), 800 * time.Millisecond, probe.ReasonBrokerTimeout, probe.LayerBroker, "login"},
		"latency, later still":      {plain, toxicOf("latency", "latency", 500), 1250 * time.Millisecond, probe.ReasonBrokerTimeout, probe.LayerBroker, "vhost"},
		"latency during TLS":        {withTLS, toxicOf("latency", "latency", 900), 500 * time.Millisecond, probe.ReasonTimeout, probe.LayerNetwork, "tls"},
		"reset":                     {plain, toxicOf("reset_peer", "timeout", 0), ample, probe.ReasonDisconnected, probe.LayerBroker, "reset"},
		"reset during TLS":          {withTLS, toxicOf("reset_peer", "timeout", 0), ample, probe.ReasonDisconnected, probe.LayerBroker, "reset"},
		"nothing comes":             {plain, toxicOf("timeout", "timeout", 0), 300 * time.Millisecond, probe.ReasonBrokerTimeout, probe.LayerBroker, "greeting"},
		"nothing comes, then end":   {plain, toxicOf("timeout", "timeout", 300), ample, probe.ReasonDisconnected, probe.LayerBroker, "closed"},
		"nothing comes during TLS":  {withTLS, toxicOf("timeout", "timeout", 300), ample, probe.ReasonTLS, probe.LayerBroker, "during the handshake"},
		"cut in a frame's head":     {plain, toxicOf("limit_data", "bytes", 5), ample, probe.ReasonDisconnected, probe.LayerBroker, "greeting"},
		"cut in the greeting":       {plain, toxicOf("limit_data", "bytes", 500), ample, probe.ReasonDisconnected, probe.LayerBroker, "greeting"},
		"cut in the answer":         {plain, toxicOf("limit_data", "bytes", 515), ample, probe.ReasonDisconnected, probe.LayerBroker, "login"},
		"cut in the TLS handshake":  {withTLS, toxicOf("limit_data", "bytes", 100), ample, probe.ReasonTLS, probe.LayerBroker, "during the handshake"},
		"cut in AMQP over TLS":      {withTLS, toxicOf("limit_data", "bytes", 1300), ample, probe.ReasonDisconnected, probe.LayerBroker, "greeting"},
		"slow to close":             {withTLS, toxicOf("slow_close", "delay", 300), ample, "", "", ""},
		"slow to close, refused":    {refused, toxicOf("slow_close", "delay", 700), ample, probe.ReasonLoginRefused, probe.LayerKey, ""},
		"slow, a byte in 5 ms":      {plain, toxicOf("bandwidth", "rate", 1), ample, "", "", ""},
		"slow, and not enough time": {plain, toxicOf("bandwidth", "rate", 1), 250 * time.Millisecond, probe.ReasonBrokerTimeout, probe.LayerBroker, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := access(t)
			tt.change(t, &to)
			via(t, &to, tt.toxic)
			err := probeOnce(t, to, tt.timeout)
			want(t, err, tt.reason, tt.layer)
			if !strings.Contains(probe.DetailOf(err), tt.detail) {
				t.Errorf("detail %q, want %q in it", probe.DetailOf(err), tt.detail)
			}
		})
	}
}

// The broker goes away while it keeps a refused login waiting: that says nothing about the password.
func TestAMQPGoneWhileRefusing(t *testing.T) {
	to := access(t)
	to.Username = "nobody"
	proxy := via(t, &to, "")
	time.AfterFunc(1500*time.Millisecond, proxy.Stop)
	err := probeOnce(t, to, ample)
	want(t, err, probe.ReasonDisconnected, probe.LayerBroker)
}
