package main

import (
	"context"
	"crypto/tls"
	"errors"
	"net/url"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/integra-exporter/integra_exporter/internal/brokertest"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

const brokerText = `CPU time of this process against a real RabbitMQ over TLS, a new connection each time. The floor is the bare library:
dial, open a channel, declare one exchange passively, close. The probe besides looks at one queue where the row says so.`

// What internal/brokertest sets up.
const (
	application = "system-production-app"
	password    = "canary-password-app"
	exchange    = "outgoing_system-production-app"
	queue       = "from_system-production-hr"
)

func rabbitmq(ctx context.Context, quick bool) ([]chapter, error) {
	rounds, calls := 40, 50
	if quick {
		rounds, calls = 3, 5
	}
	broker, err := brokertest.Start()
	if err != nil {
		return nil, err
	}
	defer broker.Stop()
	release, err := pinSelf(ourProcessor)
	if err != nil {
		return nil, err
	}
	defer release()
	bare, err := bareLibrary(broker)
	if err != nil {
		return nil, err
	}
	one, err := brokerProbe(broker, nil)
	if err != nil {
		return nil, err
	}
	two, err := brokerProbe(broker, []string{queue})
	if err != nil {
		return nil, err
	}
	m, err := compare(ctx, []side{{"library", 0, bare}, {"probe", 0, one}, {"with a queue", 0, two}}, rounds, calls)
	if err != nil {
		return nil, err
	}
	return []chapter{{"A probe of RabbitMQ", brokerText, []row{
		{"CPU per probe, one exchange / bare library", m.ratio(1).String(), "", ""},
		{"CPU per probe, an exchange and a queue / bare library, one exchange", m.ratio(2).String(), "", ""},
		{"CPU: bare library, probe, probe with a queue", m.micros(0) + ", " + m.micros(1) + ", " + m.micros(2), "", ""},
	}}}, nil
}

func bareLibrary(broker *brokertest.Broker) (func(ctx context.Context) error, error) {
	config, err := probe.TLS{CAFile: broker.CAFile}.Config()
	if err != nil {
		return nil, err
	}
	return func(context.Context) error { return declareBarely(broker.AMQPS, config) }, nil
}

func declareBarely(address string, config *tls.Config) (err error) {
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

func brokerProbe(broker *brokertest.Broker, queues []string) (func(ctx context.Context) error, error) {
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
		return nil, err
	}
	return func(ctx context.Context) error {
		_, err := prober.Probe(ctx)
		return err
	}, nil
}
