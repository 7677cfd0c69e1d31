//go:build system

package probe_test

import (
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// Without a fault the real broker lets the probe pass, however it is reached.
func TestAMQPPasses(t *testing.T) {
	for name, change := range map[string]func(*testing.T, *probe.Broker){
		"with TLS":                     func(*testing.T, *probe.Broker) {},
		"without TLS":                  func(t *testing.T, b *probe.Broker) { b.URL.Scheme, b.URL.Host = "amqp", amqpBroker(t).AMQP },
		"server_name for an address":   func(_ *testing.T, b *probe.Broker) { b.TLS.ServerName = "localhost" },
		"exchange and queues in order": looksFor([]string{amqpExchange}, []string{amqpClassic, amqpQuorum}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			access := amqpAccess(t)
			change(t, &access)
			_, err := amqpProbe(t, access, amqpTimeout)
			amqpWant(t, err, "", "")
		})
	}
}
