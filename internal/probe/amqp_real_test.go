//go:build system

package probe_test

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/integra-exporter/integra_exporter/internal/brokertest"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

const amqpTimeout = 10 * time.Second

// amqpClient is a client of our own, to arrange things with.
func amqpClient(t *testing.T) *amqp.Channel {
	t.Helper()
	conn, err := amqp.DialConfig("amqp://"+amqpBroker(t).AMQP+"/", amqp.Config{
		SASL:  []amqp.Authentication{&amqp.PlainAuth{Username: amqpApp, Password: amqpPassword}},
		Vhost: amqpApp,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func TestAMQPSeesEverything(t *testing.T) {
	ch := amqpClient(t)
	_, err := ch.QueuePurge(amqpClassic, false)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		err = ch.PublishWithContext(t.Context(), "", amqpClassic, true, false, amqp.Publishing{Body: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = ch.Consume(amqpQuorum, "", false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	access := amqpAccess(t)
	access.Exchanges = []string{amqpExchange}
	access.Queues = []string{amqpClassic, amqpQuorum}
	access.RoundTrip = true
	seen, err := amqpProbe(t, access, amqpTimeout)
	if err != nil {
		t.Fatal(err)
	}
	want := probe.Observation{
		Elapsed: seen.Elapsed, Phases: seen.Phases, IPVersion: 4,
		Certificate: probe.Certificate{Expiry: brokertest.Expiry(), Verified: true},
		Broker:      probe.BrokerInfo{Product: "RabbitMQ", Version: "3.10.8", Cluster: "integra-test"},
		Queues:      []probe.QueueSeen{{Name: amqpClassic, Ready: 3}, {Name: amqpQuorum, Consumers: 1}},
		Blocked:     probe.Count{N: 0, OK: true},
	}
	diff := cmp.Diff(want, seen)
	if diff != "" {
		t.Errorf("observation (-want +got):\n%s", diff)
	}
	diff = cmp.Diff([]string{"connect", "tls", "login", "open", "declare", "roundtrip"}, amqpPhases(seen))
	if diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
}

// The phases that are reached follow from what there is to do.
func TestAMQPPhases(t *testing.T) {
	byName := func(b *probe.Broker) { b.URL.Host = net.JoinHostPort("localhost", b.URL.Port()) }
	tests := map[string]struct {
		change func(*probe.Broker)
		want   string
	}{
		"login only":       {func(*probe.Broker) {}, "connect tls login open"},
		"by name":          {byName, "resolve connect tls login open"},
		"round trip only":  {func(b *probe.Broker) { b.RoundTrip = true }, "connect tls login open roundtrip"},
		"a queue":          {func(b *probe.Broker) { b.Queues = []string{amqpClassic} }, "connect tls login open declare"},
		"a missing queue":  {func(b *probe.Broker) { b.Queues, b.RoundTrip = []string{"no"}, true }, "connect tls login open declare"},
		"a refused vhost":  {func(b *probe.Broker) { b.Vhost = "system-production-hr" }, "connect tls login open"},
		"a refused login":  {func(b *probe.Broker) { b.Username = "nobody" }, "connect tls login"},
		"a refused server": {func(b *probe.Broker) { b.TLS.CAFile = "" }, "connect tls"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			access := amqpAccess(t)
			tt.change(&access)
			seen, _ := amqpProbe(t, access, amqpTimeout)
			diff := cmp.Diff(tt.want, strings.Join(amqpPhases(seen), " "))
			if diff != "" {
				t.Errorf("phases (-want +got):\n%s", diff)
			}
		})
	}
}

// A missing name does not hide the queues that are there.
func TestAMQPLooksAtEachName(t *testing.T) {
	access := amqpAccess(t)
	access.Queues = []string{"no-1", amqpClassic, "no-2", amqpQuorum}
	seen, _ := amqpProbe(t, access, amqpTimeout)
	var names []string
	for _, q := range seen.Queues {
		names = append(names, q.Name)
	}
	diff := cmp.Diff([]string{amqpClassic, amqpQuorum}, names)
	if diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
}

// A queue that only its owner may look at exists, but its numbers are unknown.
func TestAMQPExclusiveQueue(t *testing.T) {
	queue, err := amqpClient(t).QueueDeclare("", false, true, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	access := amqpAccess(t)
	access.Queues = []string{queue.Name}
	seen, err := amqpProbe(t, access, amqpTimeout)
	amqpWant(t, err, "", "")
	if len(seen.Queues) > 0 {
		t.Errorf("queues %v", seen.Queues)
	}
}

// The certificate is recorded also when it is not accepted.
func TestAMQPCertificateRefused(t *testing.T) {
	access := amqpAccess(t)
	access.TLS.CAFile = ""
	seen, _ := amqpProbe(t, access, amqpTimeout)
	diff := cmp.Diff(probe.Certificate{Expiry: brokertest.Expiry(), Verified: false}, seen.Certificate)
	if diff != "" {
		t.Errorf("certificate (-want +got):\n%s", diff)
	}
}

// A timeout under the three seconds that the broker waits cannot tell a wrong password from a slow broker.
func TestAMQPRefusedLoginNeedsTime(t *testing.T) {
	access := amqpAccess(t)
	access.Username = "nobody"
	_, err := amqpProbe(t, access, time.Second)
	amqpWant(t, err, probe.ReasonBrokerTimeout, probe.LayerBroker)
	if !strings.Contains(probe.DetailOf(err), "3 s") {
		t.Errorf("detail %q", probe.DetailOf(err))
	}
}

func TestAMQPCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	access := amqpAccess(t)
	access.Username = "nobody"
	time.AfterFunc(500*time.Millisecond, cancel)
	_, err := amqpProber(t, access).Probe(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestNewAMQPUnreadableFile(t *testing.T) {
	u := &url.URL{Scheme: "amqps", Host: "localhost:5671"}
	_, err := probe.NewAMQP(probe.Broker{URL: u, TLS: probe.TLS{CAFile: "/nowhere/ca.pem"}}, probe.NewShared())
	if err == nil || err.Error() != "/nowhere/ca.pem cannot be read" {
		t.Errorf("error %v", err)
	}
}

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

// A broker short of memory takes no messages: only a round trip sees it, at once.
func TestAMQPBlocked(t *testing.T) {
	plain := amqpAccess(t)
	plain.Exchanges, plain.Queues = []string{amqpExchange}, []string{amqpClassic}
	publishing := plain
	publishing.RoundTrip = true
	looker, publisher := amqpProber(t, plain), amqpProber(t, publishing)
	amqpNothingLeft(t)

	release := func() { amqpCtl(t, "set_vm_memory_high_watermark", "absolute", "2GB") }
	t.Cleanup(release)
	amqpCtl(t, "set_vm_memory_high_watermark", "0.0000001")
	goodbye := amqpTimeout
	for range 3 {
		begin := time.Now()
		seen, err := amqpRun(t, publisher, amqpTimeout)
		amqpWant(t, err, probe.ReasonBlocked, probe.LayerBroker)
		goodbye = min(goodbye, time.Since(begin)-seen.Elapsed)
		diff := cmp.Diff(probe.Count{N: 1, OK: true}, seen.Blocked)
		if diff != "" {
			t.Errorf("blocked (-want +got):\n%s", diff)
		}
	}
	if goodbye > 900*time.Millisecond { // of three, as a busy machine delays some
		t.Errorf("waited %s for a goodbye that cannot be had", goodbye)
	}
	seen, err := amqpRun(t, looker, amqpTimeout)
	amqpWant(t, err, "", "")
	if seen.Blocked.OK || len(seen.Queues) != 1 {
		t.Errorf("without a round trip: %+v", seen)
	}

	amqpNoConnections(t) // the broker's heartbeats find out which are gone

	release()
	seen, err = amqpRun(t, publisher, amqpTimeout)
	amqpWant(t, err, "", "")
	diff := cmp.Diff(probe.Count{N: 0, OK: true}, seen.Blocked)
	if diff != "" {
		t.Errorf("blocked, after release (-want +got):\n%s", diff)
	}
}

// amqpNoConnections fails if the broker keeps one of the probes' connections.
func amqpNoConnections(t *testing.T) {
	t.Helper()
	var list string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		list = strings.TrimSpace(amqpCtl(t, "list_connections", "user", "state", "client_properties"))
		if !strings.Contains(list, "integra_exporter") {
			return
		}
	}
	t.Errorf("still there: %s", list)
}
