package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"net/url"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/integra-exporter/integra_exporter/internal/brokertest"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// What internal/brokertest sets up.
const (
	application = "system-production-app"
	password    = "canary-password-app"
	exchange    = "outgoing_system-production-app"
	queue       = "from_system-production-hr"
)

// BenchmarkRabbitMQ compares a probe of a real RabbitMQ with the bare library, over TLS and a new connection each time:
// it opens a channel, declares one exchange passively, and closes. The last side looks at a queue besides.
func BenchmarkRabbitMQ(b *testing.B) {
	broker, err := brokertest.Start()
	if err != nil {
		b.Fatal(err)
	}
	defer broker.Stop()
	config, err := probe.TLS{CAFile: broker.CAFile}.Config()
	if err != nil {
		b.Fatal(err)
	}
	b.Run("cold", func(b *testing.B) {
		compare(b, 50,
			side{name: "bare", call: func(context.Context) error { return declare(broker.AMQPS, config) }},
			side{name: "probe", call: brokerProbe(b, broker)},
			side{name: "probe+queue", call: brokerProbe(b, broker, queue)})
	})
}

func declare(address string, config *tls.Config) (err error) {
	conn, err := amqp.DialConfig("amqps://"+address+"/", amqp.Config{
		SASL:            []amqp.Authentication{&amqp.PlainAuth{Username: application, Password: password}},
		Vhost:           application,
		TLSClientConfig: config,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	return ch.ExchangeDeclarePassive(exchange, "topic", true, false, false, false, nil)
}

func brokerProbe(b *testing.B, broker *brokertest.Broker, queues ...string) func(ctx context.Context) error {
	b.Helper()
	prober, err := probe.NewAMQP(probe.Broker{
		URL:       &url.URL{Scheme: "amqps", Host: broker.AMQPS},
		Vhost:     application,
		Username:  application,
		Password:  secret.Literal{Value: secret.New(password)},
		TLS:       probe.TLS{CAFile: broker.CAFile},
		Exchanges: []string{exchange},
		Queues:    queues,
	}, probe.NewShared())
	if err != nil {
		b.Fatal(err)
	}
	return probing(prober)
}
