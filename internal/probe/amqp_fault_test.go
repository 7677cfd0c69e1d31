package probe_test

import (
	"encoding/pem"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/amqpspec"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// amqpFull gives the probe something to do at each step.
func amqpFull(access probe.Broker) probe.Broker {
	access.Exchanges, access.Queues, access.RoundTrip = []string{"e"}, []string{"q"}, true
	return access
}

// Without a fault the responder passes, so that what the tests below see is the fault.
func TestAMQPResponderInOrder(t *testing.T) {
	seen, err := amqpProbe(t, amqpFull(amqpServe(t, nil)), time.Second)
	amqpWant(t, err, "", "")
	diff := cmp.Diff([]probe.QueueSeen{{Name: "q", Ready: 7, Consumers: 2}}, seen.Queues)
	if diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
}

// A server of HTTP that waits for the rest of the request is told before the deadline.
func TestAMQPServerOfHTTP(t *testing.T) {
	for scheme, start := range map[string]func(http.Handler) *httptest.Server{
		"amqp": httptest.NewServer, "amqps": httptest.NewTLSServer,
	} {
		t.Run(scheme, func(t *testing.T) {
			server := start(http.NotFoundHandler())
			t.Cleanup(server.Close)
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
			access := amqpServe(t, nil)
			access.URL = &url.URL{Scheme: scheme, Host: server.Listener.Addr().String()}
			if scheme == "amqps" {
				access.TLS.CAFile = amqpCertificate(t, server)
			}
			_, err := amqpProbe(t, access, time.Second)
			amqpWant(t, err, probe.ReasonProtocol, probe.LayerBroker)
		})
	}
}

func amqpCertificate(t *testing.T, server *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// amqpSteps are those at which the probe waits for the broker, and what for.
var amqpSteps = []struct {
	name string
	at   amqpspec.Method
}{
	{"the greeting", amqpHeader},
	{"the answer to the login", amqpspec.ConnectionStartOK},
	{"the vhost", amqpspec.ConnectionOpen},
	{"the channel", amqpspec.ChannelOpen},
	{"the exchange", amqpspec.ExchangeDeclare},
	{"the queue", amqpspec.QueueDeclare},
	{"the confirmations being switched on", amqpspec.ConfirmSelect},
	{"the confirmation", amqpspec.BasicPublish},
}

// waitedFor is what a probe says that it waited for, or part of it.
var waitedFor = map[amqpspec.Method]string{
	amqpHeader: "greeting", amqpspec.ConnectionStartOK: "login", amqpspec.ConnectionOpen: "vhost", amqpspec.ChannelOpen: "looking for",
	amqpspec.ExchangeDeclare: "looking for", amqpspec.QueueDeclare: "looking for", amqpspec.ConfirmSelect: "preparing the round trip",
	amqpspec.BasicPublish: "no confirmation in time",
}

// A frame that nobody waits for stops the library's reader, which then does not
// even see that the connection is closed.
func TestAMQPStrayFrames(t *testing.T) {
	amqpNothingLeft(t)
	tune, opened := amqpAnswers(amqpspec.ConnectionStartOK, 0), amqpAnswers(amqpspec.ChannelOpen, 1)
	for name, tt := range map[string]struct {
		at     amqpspec.Method
		frame  []byte
		reason probe.Reason
	}{
		"connection": {amqpspec.ExchangeDeclare, tune, probe.ReasonBrokerTimeout},
		"channel":    {amqpspec.BasicPublish, slices.Concat(opened, opened), probe.ReasonRoundTrip},
	} {
		t.Run(name, func(t *testing.T) {
			access := amqpFull(amqpServe(t, map[amqpspec.Method]amqpFault{tt.at: amqpSays(tt.frame)}))
			amqpWant(t, amqpTimesOut(t, access), tt.reason, probe.LayerBroker)
		})
	}
}

// amqpTimesOut runs a probe that must last as long as it may, and no longer.
func amqpTimesOut(t *testing.T, access probe.Broker) error {
	t.Helper()
	const timeout = 300 * time.Millisecond
	prober := amqpProber(t, access)
	begin := time.Now()
	_, err := amqpRun(t, prober, timeout)
	if took := time.Since(begin); took < timeout || took > timeout+5*time.Second { // a hang, on the busiest of machines
		t.Fatalf("took %s with a timeout of %s", took, timeout)
	}
	return err
}

// A broker that does not say goodbye costs a second, and no failure.
func TestAMQPSilentGoodbye(t *testing.T) {
	amqpNothingLeft(t)
	access := amqpServe(t, map[amqpspec.Method]amqpFault{amqpspec.ConnectionClose: amqpSilent})
	begin := time.Now()
	seen, err := amqpProbe(t, access, 10*time.Second)
	amqpWant(t, err, "", "")
	took := time.Since(begin)
	if took-seen.Elapsed < 900*time.Millisecond || took > 9*time.Second {
		t.Errorf("took %s, elapsed %s", took, seen.Elapsed)
	}
}

// What a broker says of itself becomes a label: no more than 64 printable characters of it.
func TestAMQPBrokerInfo(t *testing.T) {
	field := func(name, value string) []byte {
		return slices.Concat(amqpShort(name), []byte("S"), amqpText(value))
	}
	table := slices.Concat(
		field("product", "Rabbit\n\x00\x7fMQ\u00e5 <b>"), field("version", strings.Repeat("9", 300)),
		slices.Concat(amqpShort("cluster_name"), []byte("I"), amqpLong(7)),
	)
	start := amqpMethod(0, amqpspec.ConnectionStart, 0, 9, amqpLong(uint32(len(table))), table, amqpText("PLAIN"), amqpText("en_US"))
	seen, err := amqpProbe(t, amqpServe(t, map[amqpspec.Method]amqpFault{amqpHeader: amqpSays(start)}), time.Second)
	amqpWant(t, err, "", "")
	diff := cmp.Diff(probe.BrokerInfo{Product: "RabbitMQ <b>", Version: strings.Repeat("9", 64)}, seen.Broker)
	if diff != "" {
		t.Errorf("broker (-want +got):\n%s", diff)
	}
}
