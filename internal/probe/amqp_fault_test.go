package probe_test

import (
	"bytes"
	"encoding/pem"
	"log/slog"
	"net"
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

type amqpFaultTest struct {
	at     amqpStep
	fault  amqpFault
	reason probe.Reason
	layer  probe.Layer
	detail string // part of it
}

func amqpTestFaults(t *testing.T, tests map[string]amqpFaultTest) {
	amqpNothingLeft(t)
	t.Run("all", func(t *testing.T) {
		for name, tt := range tests {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				access := amqpFull(amqpServe(t, map[amqpStep]amqpFault{tt.at: tt.fault}))
				_, err := amqpProbe(t, access, 5*time.Second)
				amqpWant(t, err, tt.reason, tt.layer)
				if !strings.Contains(probe.DetailOf(err), tt.detail) {
					t.Errorf("detail %q, want %q in it", probe.DetailOf(err), tt.detail)
				}
			})
		}
	})
}

// Another protocol, or none, is told at once, not at the deadline.
func TestAMQPProtocolFaults(t *testing.T) {
	const notAMQP = "not AMQP 0-9-1"
	start := amqpAnswers(amqpHeader, 0)
	protocol := func(at amqpStep, fault amqpFault, detail string) amqpFaultTest {
		return amqpFaultTest{at, fault, probe.ReasonProtocol, probe.LayerBroker, detail}
	}
	text := func(s string) amqpFaultTest { return protocol(amqpHeader, amqpSays([]byte(s)), notAMQP) }
	noPlain := bytes.Replace(start, []byte("PLAIN"), []byte("GUESS"), 1)
	amqpTestFaults(t, map[string]amqpFaultTest{
		"HTTP":                    text("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"),
		"AMQP 1.0":                text("AMQP\x00\x01\x00\x00"),
		"AMQP 1.0 with SASL":      text("AMQP\x03\x01\x00\x00"),
		"a few letters":           text("+OK"),
		"zeros":                   text(strings.Repeat("\x00", 64)),
		"a frame too large":       protocol(amqpHeader, amqpSays([]byte{1, 0, 0, 0xff, 0, 0, 0, 0, 10, 0, 10}), "not allow"),
		"no end of a frame":       protocol(amqpHeader, amqpSays(slices.Concat(start[:len(start)-1], []byte{0})), "not allow"),
		"an unknown method":       protocol(amqpHeader, amqpSays(amqpMethod(0, 99, 99)), "not allow"),
		"no PLAIN":                protocol(amqpHeader, amqpSays(noPlain), "user name and password"),
		"a challenge":             protocol(amqpStartOK, amqpSays(amqpMethod(0, 10, 20, amqpText("?"))), "not allow"),
		"start twice":             protocol(amqpStartOK, amqpSays(start), "not allow"),
		"tune twice":              protocol(amqpOpen, amqpSays(amqpAnswers(amqpStartOK, 0)), "not allow"),
		"garbage after the login": protocol(amqpOpen, amqpSays([]byte("garbage")), notAMQP),
		"a heartbeat on a channel": protocol(amqpDeclareQueue, func(conn net.Conn, channel uint16) {
			_, _ = conn.Write(amqpFrame(8, channel, nil)) // the library panics at this
		}, notAMQP),
		"rejected by the broker": protocol(amqpOpen, amqpCloses(503, "COMMAND_INVALID - canary"), "rejects"),
		"not implemented":        protocol(amqpConfirm, amqpCloses(540, "NOT_IMPLEMENTED - canary"), "lacks"),
	})
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

// What the real broker of the tests does not say, or not at the right moment.
func TestAMQPBrokerFaults(t *testing.T) {
	broker := func(at amqpStep, fault amqpFault, reason probe.Reason, detail string) amqpFaultTest {
		return amqpFaultTest{at, fault, reason, probe.LayerBroker, detail}
	}
	key := func(at amqpStep, fault amqpFault, reason probe.Reason) amqpFaultTest {
		return amqpFaultTest{at, fault, reason, probe.LayerKey, ""}
	}
	good := func(at amqpStep, fault amqpFault) amqpFaultTest { return amqpFaultTest{at, fault, "", "", ""} }
	says := func(frames ...[]byte) amqpFault { return amqpSays(slices.Concat(frames...)) }
	amqpTestFaults(t, map[string]amqpFaultTest{
		"a login refused in words": key(amqpStartOK, amqpCloses(403,
			"ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. canary"), probe.ReasonLoginRefused),
		"a vhost refused in other words": key(amqpOpen, amqpCloses(403, "ACCESS_REFUSED - canary"), probe.ReasonVhostRefused),
		"the backend that decides fails": key(amqpOpen, amqpCloses(530,
			"NOT_ALLOWED - access to vhost 'x' refused for user 'x', backend canary returned an error: canary"), probe.ReasonVhostRefused),
		"the node is full": broker(amqpOpen, amqpCloses(530,
			"NOT_ALLOWED - connection refused: node connection limit (1) is reached"), probe.ReasonConnectionLimit, "node"),
		"too many channels": broker(amqpChannelOpen, amqpCloses(530,
			"NOT_ALLOWED - number of channels opened for user 'x' has reached the maximum allowed user limit of (1)"),
			probe.ReasonConnectionLimit, "channels"),
		"the vhost is down": broker(amqpOpen, amqpCloses(541,
			"INTERNAL_ERROR - access to vhost 'x' refused for user 'x': vhost 'x' is down"), probe.ReasonDisconnected, "down on this node"),
		"a shutdown": broker(amqpDeclareExch, amqpCloses(320,
			"CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"), probe.ReasonDisconnected, "shuts down"),
		"a code nobody knows":           broker(amqpOpen, amqpCloses(599, "canary"), probe.ReasonDisconnected, "599"),
		"not allowed to look, exchange": good(amqpDeclareExch, amqpExcepts(403, "ACCESS_REFUSED - canary")),
		"not allowed to look, queue":    good(amqpDeclareQueue, amqpExcepts(403, "ACCESS_REFUSED - canary")),
		"a queue whose node is down": broker(amqpDeclareQueue, amqpExcepts(404,
			"NOT_FOUND - home node 'x' of durable queue 'q' in vhost 'x' is down or inaccessible"), probe.ReasonQueueMissing, "q (it exists"),
		"blocked in the middle of a handshake": broker(amqpOpen,
			says(amqpAnswers(amqpOpen, 0), amqpBlockedFrame(), amqpBlockedFrame()), probe.ReasonBlocked, ""),
		"blocked by a publish":    broker(amqpPublish, says(amqpBlockedFrame()), probe.ReasonBlocked, ""),
		"not allowed to publish":  key(amqpPublish, amqpExcepts(403, "ACCESS_REFUSED - canary"), probe.ReasonNotPermitted),
		"a publish rejected":      broker(amqpPublish, amqpExcepts(406, "PRECONDITION_FAILED - canary"), probe.ReasonRoundTrip, "rejects"),
		"a publish not confirmed": broker(amqpPublish, says(amqpMethod(1, 60, 120, 0, 0, 0, 0, 0, 0, 0, 1, 0)), probe.ReasonRoundTrip, "could not take"),
		"confirmed, not returned": broker(amqpPublish, says(amqpAck(1)), probe.ReasonRoundTrip, "did not come back"),
	})
}

// Ends and resets, at each step.
func TestAMQPDisconnected(t *testing.T) {
	tests := map[string]amqpFaultTest{}
	for name, at := range amqpSteps {
		tests[name+", end"] = amqpFaultTest{at, amqpEnds, probe.ReasonDisconnected, probe.LayerBroker, "connection closed"}
		tests[name+", reset"] = amqpFaultTest{at, amqpResets, probe.ReasonDisconnected, probe.LayerBroker, "connection reset"}
	}
	delayed := func(end amqpFault, after time.Duration) amqpFault {
		return func(conn net.Conn, channel uint16) {
			time.Sleep(after)
			end(conn, channel)
		}
	}
	tests["login, end after a while"] = amqpFaultTest{
		amqpStartOK, delayed(amqpEnds, 2300*time.Millisecond), probe.ReasonDisconnected, probe.LayerBroker, "",
	}
	tests["login, end after three seconds"] = amqpFaultTest{
		amqpStartOK, delayed(amqpEnds, 2700*time.Millisecond), probe.ReasonLoginRefused, probe.LayerKey, "",
	}
	tests["login, reset after three seconds"] = amqpFaultTest{
		amqpStartOK, delayed(amqpResets, 2700*time.Millisecond), probe.ReasonDisconnected, probe.LayerBroker, "",
	}
	tests["vhost, end after three seconds"] = amqpFaultTest{
		amqpOpen, delayed(amqpEnds, 2700*time.Millisecond), probe.ReasonDisconnected, probe.LayerBroker, "",
	}
	amqpTestFaults(t, tests)
}

// amqpSteps are those at which the probe waits for the broker.
var amqpSteps = map[string]amqpStep{
	"greeting": amqpHeader, "login": amqpStartOK, "vhost": amqpOpen, "channel": amqpChannelOpen,
	"exchange": amqpDeclareExch, "queue": amqpDeclareQueue, "confirm": amqpConfirm, "publish": amqpPublish,
}

// A broker that says nothing more, at each step: the probe ends within 100 ms
// of its deadline, and names the step.
func TestAMQPSilence(t *testing.T) {
	want := map[string]string{
		"greeting": "greeting", "login": "login", "vhost": "vhost", "channel": "looking for", "exchange": "looking for",
		"queue": "looking for", "confirm": "preparing the round trip", "publish": "no confirmation in time",
	}
	amqpNothingLeft(t)
	for name, at := range amqpSteps {
		t.Run(name, func(t *testing.T) {
			err := amqpTimesOut(t, amqpFull(amqpServe(t, map[amqpStep]amqpFault{at: amqpSilent})))
			reason := probe.ReasonBrokerTimeout
			if at == amqpPublish {
				reason = probe.ReasonRoundTrip
			}
			amqpWant(t, err, reason, probe.LayerBroker)
			if !strings.Contains(probe.DetailOf(err), want[name]) {
				t.Errorf("detail %q, want %q in it", probe.DetailOf(err), want[name])
			}
		})
	}
	t.Run("TLS", func(t *testing.T) {
		access := amqpServe(t, map[amqpStep]amqpFault{amqpHeader: amqpSilent})
		access.URL.Scheme = "amqps"
		amqpWant(t, amqpTimesOut(t, access), probe.ReasonTimeout, probe.LayerNetwork)
	})
}

// A frame that nobody waits for stops the library's reader, which then does not
// even see that the connection is closed.
func TestAMQPStrayFrames(t *testing.T) {
	amqpNothingLeft(t)
	tune, opened := amqpAnswers(amqpStartOK, 0), amqpAnswers(amqpChannelOpen, 1)
	for name, tt := range map[string]struct {
		at     amqpStep
		frame  []byte
		reason probe.Reason
	}{
		"connection": {amqpDeclareExch, tune, probe.ReasonBrokerTimeout},
		"channel":    {amqpPublish, slices.Concat(opened, opened), probe.ReasonRoundTrip},
	} {
		t.Run(name, func(t *testing.T) {
			access := amqpFull(amqpServe(t, map[amqpStep]amqpFault{tt.at: amqpSays(tt.frame)}))
			amqpWant(t, amqpTimesOut(t, access), tt.reason, probe.LayerBroker)
		})
	}
}

// amqpTimesOut runs a probe that must last as long as it may, and no longer.
// A busy machine gets three attempts.
func amqpTimesOut(t *testing.T, access probe.Broker) error {
	t.Helper()
	const timeout = 300 * time.Millisecond
	prober := amqpProber(t, access)
	var took time.Duration
	for range 3 {
		begin := time.Now()
		_, err := amqpRun(t, prober, timeout)
		took = time.Since(begin)
		if took < timeout {
			t.Fatalf("ended after %s", took)
		}
		if took <= timeout+100*time.Millisecond {
			return err
		}
	}
	t.Fatalf("took %s with a timeout of %s", took, timeout)
	return nil
}

// A broker that does not say goodbye costs a second, and no failure.
func TestAMQPSilentGoodbye(t *testing.T) {
	amqpNothingLeft(t)
	access := amqpServe(t, map[amqpStep]amqpFault{amqpClose: amqpSilent})
	begin := time.Now()
	seen, err := amqpProbe(t, access, 10*time.Second)
	amqpWant(t, err, "", "")
	took := time.Since(begin)
	if took < time.Second || took > 3*time.Second || seen.Elapsed > time.Second {
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
	start := amqpMethod(0, 10, 10, 0, 9, amqpLong(uint32(len(table))), table, amqpText("PLAIN"), amqpText("en_US"))
	seen, err := amqpProbe(t, amqpServe(t, map[amqpStep]amqpFault{amqpHeader: amqpSays(start)}), time.Second)
	amqpWant(t, err, "", "")
	diff := cmp.Diff(probe.BrokerInfo{Product: "RabbitMQ <b>", Version: strings.Repeat("9", 64)}, seen.Broker)
	if diff != "" {
		t.Errorf("broker (-want +got):\n%s", diff)
	}
}
