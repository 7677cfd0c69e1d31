//go:build system

package probe_test

import (
	"net/url"
	"sync"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/brokertest"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// amqpStarted is one broker for the package; it ends with the test program.
var amqpStarted = sync.OnceValues(brokertest.Start)

func amqpBroker(t *testing.T) *brokertest.Broker {
	t.Helper()
	b, err := amqpStarted()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func amqpCtl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := amqpBroker(t).Ctl(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// amqpAccess is the application's access with TLS, with nothing to look for.
func amqpAccess(t *testing.T) probe.Broker {
	t.Helper()
	b := amqpBroker(t)
	return probe.Broker{
		URL:            &url.URL{Scheme: "amqps", Host: b.AMQPS},
		Vhost:          amqpApp,
		Username:       amqpApp,
		Password:       secret.Literal{Value: secret.New(amqpPassword)},
		TLS:            probe.TLS{CAFile: b.CAFile},
		ConnectionName: "integra_exporter uio/" + amqpApp,
	}
}
