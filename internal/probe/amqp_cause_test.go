package probe_test

import (
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

type amqpCauseTest struct {
	change func(*testing.T, *probe.Broker)
	reason probe.Reason
	layer  probe.Layer
	detail string // part of it
}

func amqpTestCauses(t *testing.T, tests map[string]amqpCauseTest) {
	t.Helper()
	amqpBroker(t)
	amqpNothingLeft(t)
	t.Run("all", func(t *testing.T) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				access := amqpAccess(t)
				tt.change(t, &access)
				_, err := amqpProbe(t, access, amqpTimeout)
				amqpWant(t, err, tt.reason, tt.layer)
				if !strings.Contains(probe.DetailOf(err), tt.detail) {
					t.Errorf("detail %q, want %q in it", probe.DetailOf(err), tt.detail)
				}
			})
		}
	})
}

// amqpAs changes the user.
func amqpAs(name string) func(*testing.T, *probe.Broker) {
	return func(_ *testing.T, b *probe.Broker) {
		b.Username, b.Password = name, secret.Literal{Value: secret.New("canary-password-" + name)}
	}
}

func amqpVhost(name string) func(*testing.T, *probe.Broker) {
	return func(_ *testing.T, b *probe.Broker) { b.Vhost = name }
}

// What can go wrong on the way to the real broker.
func TestAMQPWayCauses(t *testing.T) {
	amqpTestCauses(t, map[string]amqpCauseTest{
		"good": {func(*testing.T, *probe.Broker) {}, "", "", ""},
		"good without TLS": {func(t *testing.T, b *probe.Broker) {
			b.URL = &url.URL{Scheme: "amqp", Host: amqpBroker(t).AMQP}
		}, "", "", ""},
		"good with no rights": {func(t *testing.T, b *probe.Broker) {
			amqpAs("powerless")(t, b)
			b.Vhost, b.Exchanges, b.Queues = amqpApp, []string{amqpExchange}, []string{amqpClassic, amqpQuorum}
		}, "", "", ""},
		"name":                            {func(_ *testing.T, b *probe.Broker) { b.URL.Host = "broker.invalid:5671" }, probe.ReasonDNS, probe.LayerNetwork, ""},
		"port":                            {func(t *testing.T, b *probe.Broker) { b.URL.Host = amqpClosedPort(t) }, probe.ReasonConnect, probe.LayerNetwork, "connection refused"},
		"certificate of somebody unknown": {func(_ *testing.T, b *probe.Broker) { b.TLS.CAFile = "" }, probe.ReasonTLS, probe.LayerBroker, "issuer"},
		"certificate for another name": {func(_ *testing.T, b *probe.Broker) {
			b.TLS.ServerName = "mq-uio.intark.uh-it.no"
		}, probe.ReasonTLS, probe.LayerBroker, "another name"},
		"server_name for an address": {func(_ *testing.T, b *probe.Broker) { b.TLS.ServerName = "localhost" }, "", "", ""},
		"TLS on the plain port": {func(t *testing.T, b *probe.Broker) {
			b.URL.Host = amqpBroker(t).AMQP
		}, probe.ReasonTLS, probe.LayerBroker, "does not speak TLS"},
		"plain on the TLS port": {func(_ *testing.T, b *probe.Broker) { b.URL.Scheme = "amqp" }, probe.ReasonProtocol, probe.LayerBroker, ""},
	})
}

// What the real broker can refuse, and what it can lack.
func TestAMQPAccessCauses(t *testing.T) {
	amqpTestCauses(t, map[string]amqpCauseTest{
		"password": {func(_ *testing.T, b *probe.Broker) {
			b.Password = secret.Literal{Value: secret.New("canary-wrong")}
		}, probe.ReasonLoginRefused, probe.LayerKey, ""},
		"user": {func(_ *testing.T, b *probe.Broker) { b.Username = "nobody" }, probe.ReasonLoginRefused, probe.LayerKey, ""},
		"password unreadable": {func(t *testing.T, b *probe.Broker) {
			b.Password = secret.NewFile(filepath.Join(t.TempDir(), "gone"))
		}, probe.ReasonKeyUnreadable, probe.LayerKey, "gone"},
		"vhost missing": {amqpVhost("system-production-nowhere"), probe.ReasonVhostMissing, probe.LayerBroker, ""},
		"vhost missing, named to mislead": {
			amqpVhost("access to vhost 'x' is reached"), probe.ReasonVhostMissing, probe.LayerBroker, "",
		},
		"vhost refused":        {amqpVhost("system-production-hr"), probe.ReasonVhostRefused, probe.LayerKey, ""},
		"vhost for a stranger": {amqpAs("stranger"), probe.ReasonVhostRefused, probe.LayerKey, ""},
		"vhost full":           {amqpVhost("system-production-full"), probe.ReasonConnectionLimit, probe.LayerBroker, "vhost"},
		"user's limit":         {amqpAs("crowded"), probe.ReasonConnectionLimit, probe.LayerBroker, "user"},
		"not allowed to publish": {func(t *testing.T, b *probe.Broker) {
			amqpAs("powerless")(t, b)
			b.RoundTrip = true
		}, probe.ReasonNotPermitted, probe.LayerKey, ""},
		"exchange missing": {func(_ *testing.T, b *probe.Broker) {
			b.Exchanges = []string{"no-1", amqpExchange, "no-2"}
		}, probe.ReasonExchangeMissing, probe.LayerBroker, "exchange no-1, no-2"},
		"queue missing": {func(_ *testing.T, b *probe.Broker) {
			b.Queues = []string{"no-1", amqpClassic, "no-2"}
		}, probe.ReasonQueueMissing, probe.LayerBroker, "queue no-1, no-2"},
		"both missing": {func(_ *testing.T, b *probe.Broker) {
			b.Exchanges, b.Queues = []string{"no-1"}, []string{"no-2"}
		}, probe.ReasonExchangeMissing, probe.LayerBroker, "exchange no-1; queue no-2"},
	})
}

// amqpClosedPort returns an address where nobody listens.
func amqpClosedPort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	return listener.Addr().String()
}
