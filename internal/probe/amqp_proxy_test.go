package probe_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// amqpVia puts a proxy in front of the real broker, which treats what the
// broker says with toxic (JSON; empty: with nothing), and points access to it.
func amqpVia(t *testing.T, access *probe.Broker, toxic string) *toxiproxy.Proxy {
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

func amqpToxic(kind, attribute string, value int) string {
	return fmt.Sprintf(`{"type": %q, "stream": "downstream", "attributes": {%q: %d}}`, kind, attribute, value)
}

// Faults of the network between us and the real broker.
func TestAMQPNetworkFaults(t *testing.T) {
	plain := func(t *testing.T, b *probe.Broker) { b.URL.Scheme, b.URL.Host = "amqp", amqpBroker(t).AMQP }
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
		"none":                      {withTLS, "", amqpTimeout, "", "", ""},
		"latency":                   {withTLS, amqpToxic("latency", "latency", 100), amqpTimeout, "", "", ""},
		"latency over the limit":    {plain, amqpToxic("latency", "latency", 900), 500 * time.Millisecond, probe.ReasonBrokerTimeout, probe.LayerBroker, "greeting"},
		"latency, later":            {plain, amqpToxic("latency", "latency", 500), 800 * time.Millisecond, probe.ReasonBrokerTimeout, probe.LayerBroker, "login"},
		"latency, later still":      {plain, amqpToxic("latency", "latency", 500), 1250 * time.Millisecond, probe.ReasonBrokerTimeout, probe.LayerBroker, "vhost"},
		"latency during TLS":        {withTLS, amqpToxic("latency", "latency", 900), 500 * time.Millisecond, probe.ReasonTimeout, probe.LayerNetwork, "tls"},
		"reset":                     {plain, amqpToxic("reset_peer", "timeout", 0), amqpTimeout, probe.ReasonDisconnected, probe.LayerBroker, "reset"},
		"reset during TLS":          {withTLS, amqpToxic("reset_peer", "timeout", 0), amqpTimeout, probe.ReasonDisconnected, probe.LayerBroker, "reset"},
		"nothing comes":             {plain, amqpToxic("timeout", "timeout", 0), 300 * time.Millisecond, probe.ReasonBrokerTimeout, probe.LayerBroker, "greeting"},
		"nothing comes, then end":   {plain, amqpToxic("timeout", "timeout", 300), amqpTimeout, probe.ReasonDisconnected, probe.LayerBroker, "closed"},
		"nothing comes during TLS":  {withTLS, amqpToxic("timeout", "timeout", 300), amqpTimeout, probe.ReasonTLS, probe.LayerBroker, "during the handshake"},
		"cut in a frame's head":     {plain, amqpToxic("limit_data", "bytes", 5), amqpTimeout, probe.ReasonDisconnected, probe.LayerBroker, "greeting"},
		"cut in the greeting":       {plain, amqpToxic("limit_data", "bytes", 500), amqpTimeout, probe.ReasonDisconnected, probe.LayerBroker, "greeting"},
		"cut in the answer":         {plain, amqpToxic("limit_data", "bytes", 515), amqpTimeout, probe.ReasonDisconnected, probe.LayerBroker, "login"},
		"cut in the TLS handshake":  {withTLS, amqpToxic("limit_data", "bytes", 100), amqpTimeout, probe.ReasonTLS, probe.LayerBroker, "during the handshake"},
		"cut in AMQP over TLS":      {withTLS, amqpToxic("limit_data", "bytes", 1300), amqpTimeout, probe.ReasonDisconnected, probe.LayerBroker, "greeting"},
		"slow to close":             {withTLS, amqpToxic("slow_close", "delay", 300), amqpTimeout, "", "", ""},
		"slow to close, refused":    {refused, amqpToxic("slow_close", "delay", 700), amqpTimeout, probe.ReasonLoginRefused, probe.LayerKey, ""},
		"slow, a byte in 5 ms":      {plain, amqpToxic("bandwidth", "rate", 1), amqpTimeout, "", "", ""},
		"slow, and not enough time": {plain, amqpToxic("bandwidth", "rate", 1), 250 * time.Millisecond, probe.ReasonBrokerTimeout, probe.LayerBroker, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			access := amqpAccess(t)
			tt.change(t, &access)
			amqpVia(t, &access, tt.toxic)
			_, err := amqpProbe(t, access, tt.timeout)
			amqpWant(t, err, tt.reason, tt.layer)
			if !strings.Contains(probe.DetailOf(err), tt.detail) {
				t.Errorf("detail %q, want %q in it", probe.DetailOf(err), tt.detail)
			}
		})
	}
}

// The broker goes away while it keeps a refused login waiting: that says nothing about the password.
func TestAMQPGoneWhileRefusing(t *testing.T) {
	access := amqpAccess(t)
	access.Username = "nobody"
	proxy := amqpVia(t, &access, "")
	time.AfterFunc(1500*time.Millisecond, proxy.Stop)
	_, err := amqpProbe(t, access, amqpTimeout)
	amqpWant(t, err, probe.ReasonDisconnected, probe.LayerBroker)
}
