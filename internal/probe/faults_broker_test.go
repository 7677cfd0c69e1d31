//go:build system

package probe_test

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/amqpspec"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// brokerRow is a fault on the way to a broker, or in it.
type brokerRow struct {
	name   string
	access func(*testing.T) probe.Broker
	pace   probe.Pace
	reason probe.Reason
	layer  probe.Layer
	detail string // part of it
}

func brokerFaults() []probe.Fault {
	var all []probe.Fault
	for _, chapter := range []struct {
		group string
		rows  []brokerRow
	}{
		{"Broker: the way", wayFaults()},
		{"Broker: the protocol", protocolFaults()},
		{"Broker: the login and the vhost", accessFaults()},
		{"Broker: exchanges, queues and the round trip", objectFaults()},
		{"Broker: it goes away", goneFaults()},
		{"Broker: it says nothing more", silentFaults()},
	} {
		for _, r := range chapter.rows {
			all = append(all, probe.Fault{
				Group: chapter.group, Name: r.name, Pace: r.pace, Reason: r.reason, Layer: r.layer, Inject: r.inject,
			})
		}
	}
	return all
}

func (r brokerRow) inject(t *testing.T) probe.Trial {
	return probe.Trial{Prober: amqpProber(t, r.access(t)), Differs: func(seen probe.Observation, err error) string {
		if detail := probe.DetailOf(err); !strings.Contains(detail, r.detail) {
			return fmt.Sprintf("detail %q, want %q in it", detail, r.detail)
		}
		return amqpForeign(seen, err)
	}}
}

// real is the access to the real broker as change leaves it.
func real(change func(*testing.T, *probe.Broker)) func(*testing.T) probe.Broker {
	return func(t *testing.T) probe.Broker {
		access := amqpAccess(t)
		change(t, &access)
		return access
	}
}

// staged is the access to a broker in which this goes wrong.
func staged(at amqpspec.Method, fault amqpFault) func(*testing.T) probe.Broker {
	return func(t *testing.T) probe.Broker {
		return amqpFull(amqpServe(t, map[amqpspec.Method]amqpFault{at: fault}))
	}
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

func amqpAt(scheme, host string) func(*testing.T, *probe.Broker) {
	return func(_ *testing.T, b *probe.Broker) { b.URL = &url.URL{Scheme: scheme, Host: host} }
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

// wayFaults are those up to the first byte of AMQP.
func wayFaults() []brokerRow {
	at := func(name string, change func(*testing.T, *probe.Broker), reason probe.Reason, layer probe.Layer, detail string) brokerRow {
		return brokerRow{name, real(change), probe.AtOnce, reason, layer, detail}
	}
	silentTLS := func(t *testing.T) probe.Broker {
		access := amqpServe(t, map[amqpspec.Method]amqpFault{amqpHeader: amqpSilent})
		access.URL.Scheme = "amqps"
		return access
	}
	ends := func(fault amqpFault) func(*testing.T) probe.Broker {
		return func(t *testing.T) probe.Broker {
			access := amqpServe(t, map[amqpspec.Method]amqpFault{amqpHeader: fault})
			access.URL.Scheme = "amqps"
			return access
		}
	}
	return []brokerRow{
		at("the name does not exist", amqpAt("amqps", "broker.invalid:5671"), probe.ReasonDNS, probe.LayerNetwork, ""),
		at("the port is closed", func(t *testing.T, b *probe.Broker) { b.URL.Host = amqpClosedPort(t) },
			probe.ReasonConnect, probe.LayerNetwork, "connection refused"),
		{"the TLS handshake stalls", silentTLS, probe.AtDeadline, probe.ReasonTimeout, probe.LayerNetwork, "tls"},
		{"closed in the TLS handshake", ends(amqpEnds), probe.AtOnce, probe.ReasonTLS, probe.LayerBroker, "during the handshake"},
		{"reset in the TLS handshake", ends(amqpResets), probe.AtOnce, probe.ReasonDisconnected, probe.LayerBroker, "reset"},
		at("the certificate is from an unknown issuer", func(_ *testing.T, b *probe.Broker) { b.TLS.CAFile = "" },
			probe.ReasonTLS, probe.LayerBroker, "issuer"),
		at("the certificate is for another name", func(_ *testing.T, b *probe.Broker) {
			b.TLS.ServerName = "mq-uio.intark.uh-it.no"
		}, probe.ReasonTLS, probe.LayerBroker, "another name"),
		at("TLS is asked of the plain port", func(t *testing.T, b *probe.Broker) { b.URL.Host = amqpBroker(t).AMQP },
			probe.ReasonTLS, probe.LayerBroker, "does not speak TLS"),
		at("plain AMQP is asked of the TLS port", func(_ *testing.T, b *probe.Broker) { b.URL.Scheme = "amqp" },
			probe.ReasonProtocol, probe.LayerBroker, ""),
	}
}

// protocolFaults speak another protocol, or AMQP that breaks its rules: told at once, not at the deadline.
func protocolFaults() []brokerRow {
	const notAMQP, forbidden = "not AMQP 0-9-1", "not allow"
	start := amqpAnswers(amqpHeader, 0)
	noPlain := strings.Replace(string(start), "PLAIN", "GUESS", 1)
	says := func(name string, at amqpspec.Method, text, detail string) brokerRow {
		return brokerRow{name, staged(at, amqpSays([]byte(text))), probe.AtOnce, probe.ReasonProtocol, probe.LayerBroker, detail}
	}
	closes := func(name string, at amqpspec.Method, code uint16, text, detail string) brokerRow {
		return brokerRow{name, staged(at, amqpCloses(code, text)), probe.AtOnce, probe.ReasonProtocol, probe.LayerBroker, detail}
	}
	return []brokerRow{
		says("HTTP", amqpHeader, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", notAMQP),
		says("AMQP 1.0", amqpHeader, "AMQP\x00\x01\x00\x00", notAMQP),
		says("AMQP 1.0 with SASL", amqpHeader, "AMQP\x03\x01\x00\x00", notAMQP),
		says("a few letters", amqpHeader, "+OK", notAMQP),
		says("zeros", amqpHeader, strings.Repeat("\x00", 64), notAMQP),
		says("a frame that is too large", amqpHeader, string([]byte{1, 0, 0, 0xff, 0, 0, 0, 0, 10, 0, 10}), forbidden),
		says("a frame without its end", amqpHeader, string(start[:len(start)-1])+"\x00", forbidden),
		says("a method nobody knows", amqpHeader, string(amqpMethod(0, 99<<16|99)), forbidden),
		says("no login with user name and password (PLAIN) is offered", amqpHeader, noPlain, "user name and password"),
		says("a challenge after the login", amqpspec.ConnectionStartOK, string(amqpMethod(0, amqpspec.ConnectionSecure, amqpText("?"))), forbidden),
		says("the greeting twice", amqpspec.ConnectionStartOK, string(start), forbidden),
		says("the limits twice", amqpspec.ConnectionOpen, string(amqpAnswers(amqpspec.ConnectionStartOK, 0)), forbidden),
		says("garbage after the login", amqpspec.ConnectionOpen, "garbage", notAMQP),
		says("a heartbeat on a channel, at which the client library would panic", amqpspec.QueueDeclare,
			string(amqpFrame(amqpspec.FrameHeartbeat, 1, nil)), notAMQP),
		closes("the broker rejects a frame", amqpspec.ConnectionOpen, 501, "FRAME_ERROR - canary", "rejects"),
		closes("the broker rejects what is in a frame", amqpspec.ConnectionOpen, 502, "SYNTAX_ERROR - canary", "rejects"),
		closes("the broker rejects a command", amqpspec.ConnectionOpen, 503, "COMMAND_INVALID - canary", "rejects"),
		closes("the broker rejects a channel", amqpspec.ChannelOpen, 504, "CHANNEL_ERROR - canary", "rejects"),
		closes("the broker rejects the order of frames", amqpspec.ChannelOpen, 505, "UNEXPECTED_FRAME - canary", "rejects"),
		closes("the broker rejects the limits that were agreed on", amqpspec.ConnectionOpen, 530,
			"NOT_ALLOWED - negotiated channel_max = 0 (no limit) is higher than the maximum allowed value (2047)", "limits"),
		closes("the broker lacks a command", amqpspec.ConfirmSelect, 540, "NOT_IMPLEMENTED - canary", "lacks"),
	}
}

// everyStep is the row of a fault at each step, in their order.
func everyStep(row func(name string, at amqpspec.Method) brokerRow) []brokerRow {
	var rows []brokerRow
	for _, step := range amqpSteps {
		rows = append(rows, row(step.name, step.at))
	}
	return slices.Clip(rows)
}
