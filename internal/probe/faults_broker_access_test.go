//go:build system

package probe_test

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/amqpspec"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

func atBroker(name string, access func(*testing.T) probe.Broker, reason probe.Reason, detail string) brokerRow {
	return brokerRow{name, access, probe.AtOnce, reason, probe.LayerBroker, detail}
}

func atKey(name string, access func(*testing.T) probe.Broker, reason probe.Reason, detail string) brokerRow {
	return brokerRow{name, access, probe.AtOnce, reason, probe.LayerKey, detail}
}

func noFault(name string, access func(*testing.T) probe.Broker) brokerRow {
	return brokerRow{name: name, access: access, pace: probe.AtOnce}
}

// within is the row of what takes the broker's three seconds.
func (r brokerRow) within(pace probe.Pace) brokerRow {
	r.pace = pace
	return r
}

func accessFaults() []brokerRow {
	closes := func(code uint16, text string) func(*testing.T) probe.Broker {
		return staged(amqpspec.ConnectionOpen, amqpCloses(code, text))
	}
	return []brokerRow{
		atKey("the password is wrong", real(func(_ *testing.T, b *probe.Broker) {
			b.Password = secret.Literal{Value: secret.New("canary-wrong")}
		}), probe.ReasonLoginRefused, "").within(probe.AfterThree),
		atKey("the user does not exist", real(amqpAs("nobody")), probe.ReasonLoginRefused, "").within(probe.AfterThree),
		atKey("the login is refused in words, by another broker", staged(amqpspec.ConnectionStartOK, amqpCloses(403,
			"ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. canary")), probe.ReasonLoginRefused, ""),
		atKey("the file of the password is gone", real(func(_ *testing.T, b *probe.Broker) {
			b.Password = secret.NewFile("keys/uio-gone")
		}), probe.ReasonKeyUnreadable, "gone"),
		atBroker("the vhost does not exist", real(amqpVhost("system-production-nowhere")), probe.ReasonVhostMissing, ""),
		atBroker("the vhost does not exist, and has a name to mislead", real(amqpVhost("access to vhost 'x' is reached")),
			probe.ReasonVhostMissing, ""),
		atKey("the vhost is another application's", real(amqpVhost("system-production-hr")), probe.ReasonVhostRefused, ""),
		atKey("the user may use no vhost", real(amqpAs("stranger")), probe.ReasonVhostRefused, ""),
		atKey("the vhost is refused in other words", closes(403, "ACCESS_REFUSED - canary"), probe.ReasonVhostRefused, ""),
		atBroker("the service that decides about the vhost fails", closes(530,
			"NOT_ALLOWED - access to vhost 'x' refused for user 'x', backend canary returned an error: canary"), probe.ReasonDisconnected, "has failed"),
		atBroker("the vhost's limit of connections is reached", real(amqpVhost("system-production-full")), probe.ReasonConnectionLimit, "vhost"),
		atBroker("the user's limit of connections is reached", real(amqpAs("crowded")), probe.ReasonConnectionLimit, "user"),
		atBroker("the node's limit of connections is reached", closes(530,
			"NOT_ALLOWED - connection refused: node connection limit (1) is reached"), probe.ReasonConnectionLimit, "node"),
		atBroker("the user's limit of channels is reached", staged(amqpspec.ChannelOpen, amqpCloses(530,
			"NOT_ALLOWED - number of channels opened for user 'x' has reached the maximum allowed user limit of (1)")),
			probe.ReasonConnectionLimit, "channels"),
		atBroker("the node's limit of channels is reached", staged(amqpspec.ChannelOpen, amqpCloses(530,
			"NOT_ALLOWED - number of channels opened on node 'x' has reached the maximum allowed limit of (1)")),
			probe.ReasonConnectionLimit, "channels"),
		atBroker("the vhost is down on this node", closes(541,
			"INTERNAL_ERROR - access to vhost 'x' refused for user 'x': vhost 'x' is down"), probe.ReasonDisconnected, "down on this node"),
	}
}

func looksFor(exchanges, queues []string) func(*testing.T, *probe.Broker) {
	return func(_ *testing.T, b *probe.Broker) { b.Exchanges, b.Queues = exchanges, queues }
}

func objectFaults() []brokerRow {
	excepts := func(at amqpspec.Method, code uint16, text string) func(*testing.T) probe.Broker {
		return staged(at, amqpExcepts(code, text))
	}
	says := func(at amqpspec.Method, frames ...[]byte) func(*testing.T) probe.Broker {
		return staged(at, amqpSays(slices.Concat(frames...)))
	}
	nack := amqpMethod(1, amqpspec.BasicNack, 0, 0, 0, 0, 0, 0, 0, 1, 0)
	empty := amqpMethod(1, amqpspec.QueueDeclareOK, amqpShort("q"), amqpLong(0), amqpLong(0))
	return []brokerRow{
		atBroker("exchanges that do not exist, beside one that does", real(looksFor([]string{"no-1", amqpExchange, "no-2"}, nil)),
			probe.ReasonExchangeMissing, "exchange no-1, no-2"),
		atBroker("queues that do not exist, beside one that does", real(looksFor(nil, []string{"no-1", amqpClassic, "no-2"})),
			probe.ReasonQueueMissing, "queue no-1, no-2"),
		atBroker("an exchange and a queue that do not exist", real(looksFor([]string{"no-1"}, []string{"no-2"})),
			probe.ReasonExchangeMissing, "exchange no-1; queue no-2"),
		atBroker("a queue whose node is down", excepts(amqpspec.QueueDeclare, 404,
			"NOT_FOUND - home node 'x' of durable queue 'q' in vhost 'x' is down or inaccessible"), probe.ReasonQueueMissing, "q (it exists"),
		noFault("a queue that is another connection's own (405)", excepts(amqpspec.QueueDeclare, 405,
			"RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q' in vhost 'x'")),
		noFault("a quorum queue that has lost its leader: it says 0 messages, 0 consumers", says(amqpspec.QueueDeclare, empty)),
		noFault("the user has no rights at all", real(func(t *testing.T, b *probe.Broker) {
			amqpAs("powerless")(t, b)
			b.Vhost = amqpApp
			looksFor([]string{amqpExchange}, []string{amqpClassic, amqpQuorum})(t, b)
		})),
		noFault("the user may not look at the exchange (403)", excepts(amqpspec.ExchangeDeclare, 403, "ACCESS_REFUSED - canary")),
		noFault("the user may not look at the queue (403)", excepts(amqpspec.QueueDeclare, 403, "ACCESS_REFUSED - canary")),
		atBroker("a resource alarm, said with the vhost", says(amqpspec.ConnectionOpen, amqpAnswers(amqpspec.ConnectionOpen, 0), amqpBlockedFrame(), amqpBlockedFrame()),
			probe.ReasonBlocked, ""),
		atBroker("a resource alarm, said at the publish", says(amqpspec.BasicPublish, amqpBlockedFrame()), probe.ReasonBlocked, ""),
		atKey("the user may not publish", real(func(t *testing.T, b *probe.Broker) {
			amqpAs("powerless")(t, b)
			b.RoundTrip = true
		}), probe.ReasonNotPermitted, ""),
		atKey("the user may not publish, said to a client that looked before", excepts(amqpspec.BasicPublish, 403, "ACCESS_REFUSED - canary"),
			probe.ReasonNotPermitted, ""),
		atBroker("the broker rejects the message", excepts(amqpspec.BasicPublish, 406, "PRECONDITION_FAILED - canary"), probe.ReasonRoundTrip, "rejects"),
		atBroker("the broker cannot take the message (nack)", says(amqpspec.BasicPublish, nack), probe.ReasonRoundTrip, "could not take"),
		atBroker("the message is confirmed, and does not come back", says(amqpspec.BasicPublish, amqpAck(1)), probe.ReasonRoundTrip, "did not come back"),
	}
}

// goneFaults end or reset the connection, at each step.
func goneFaults() []brokerRow {
	delayed := func(end amqpFault, after time.Duration) amqpFault {
		return func(conn net.Conn, channel uint16) {
			time.Sleep(after)
			end(conn, channel)
		}
	}
	gone := func(name string, at amqpspec.Method, fault amqpFault, detail string) brokerRow {
		return atBroker(name, staged(at, fault), probe.ReasonDisconnected, detail)
	}
	refused := staged(amqpspec.ConnectionStartOK, delayed(amqpEnds, 2950*time.Millisecond))
	return slices.Concat(
		everyStep(func(name string, at amqpspec.Method) brokerRow {
			return gone("closed instead of "+name, at, amqpEnds, "connection closed")
		}),
		everyStep(func(name string, at amqpspec.Method) brokerRow {
			return gone("reset instead of "+name, at, amqpResets, "connection reset")
		}),
		[]brokerRow{
			gone("closed 2.3 s after the login: sooner than a refusal", amqpspec.ConnectionStartOK, delayed(amqpEnds, 2300*time.Millisecond), ""),
			atKey("closed 3 s after the login: a refusal", refused, probe.ReasonLoginRefused, "").within(probe.AfterThree),
			gone("reset 3 s after the login", amqpspec.ConnectionStartOK, delayed(amqpResets, 2950*time.Millisecond), "").within(probe.AfterThree),
			gone("closed 3 s after the vhost was asked for", amqpspec.ConnectionOpen, delayed(amqpEnds, 2950*time.Millisecond), "").within(probe.AfterThree),
			gone("it shuts down", amqpspec.ExchangeDeclare, amqpCloses(320,
				"CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"), "shuts down"),
			gone("it closes with a code nobody knows", amqpspec.ConnectionOpen, amqpCloses(599, "canary"), "599"),
		},
	)
}

// silentFaults stop talking, at each step.
func silentFaults() []brokerRow {
	return everyStep(func(name string, at amqpspec.Method) brokerRow {
		reason := probe.ReasonBrokerTimeout
		if at == amqpspec.BasicPublish {
			reason = probe.ReasonRoundTrip
		}
		return atBroker("silence instead of "+name, staged(at, amqpSilent), reason, waitedFor[at]).within(probe.AtDeadline)
	})
}
