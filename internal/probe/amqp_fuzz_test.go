package probe_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/amqpspec"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// amqpSession are the steps of a probe that has everything to do, in their order.
func amqpSession() []amqpspec.Method {
	return []amqpspec.Method{
		amqpHeader, amqpspec.ConnectionStartOK, amqpspec.ConnectionOpen, amqpspec.ChannelOpen, amqpspec.ExchangeDeclare,
		amqpspec.QueueDeclare, amqpspec.ConfirmSelect, amqpspec.BasicPublish, amqpspec.ChannelClose, amqpspec.ConnectionClose,
	}
}

// amqpMouth is a broker in order, but for what it was told last to say instead at one step.
type amqpMouth struct {
	mu      sync.Mutex
	at      amqpspec.Method
	instead []byte
	closes  bool // after that
}

func (m *amqpMouth) tell(at amqpspec.Method, instead []byte, closes bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at, m.instead, m.closes = at, instead, closes
}

// answer returns what is said at a step, and whether the connection ends then.
func (m *amqpMouth) answer(step amqpspec.Method, channel uint16) (said []byte, ends bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if step == m.at {
		return m.instead, m.closes
	}
	return amqpAnswers(step, channel), false
}

func (m *amqpMouth) speak(c net.Conn) {
	defer c.Close()
	_, err := io.ReadFull(c, make([]byte, 8))
	step, channel := amqpHeader, uint16(0)
	for err == nil {
		said, ends := m.answer(step, channel)
		_, _ = c.Write(said)
		if ends {
			return
		}
		step, channel, err = amqpReceive(c)
	}
}

// listen lets m answer until the fuzzing ends, and returns the access to it.
func (m *amqpMouth) listen(f *testing.F) probe.Broker {
	f.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go m.speak(c)
		}
	}()
	return amqpFull(probe.Broker{
		URL:   &url.URL{Scheme: "amqp", Host: listener.Addr().String()},
		Vhost: amqpApp, Username: amqpApp, Password: secret.Literal{Value: secret.New(amqpPassword)},
	})
}

// amqpSaid are the answers of a broker in order, what else one may say at any time, and what none says.
func amqpSaid() [][]byte {
	var said [][]byte
	for _, step := range amqpSession() {
		said = append(said, amqpAnswers(step, 1))
	}
	text := amqpShort("canary NOT_FOUND - no queue")
	return append(said,
		amqpMethod(0, amqpspec.ConnectionClose, 2, 18, text, amqpLong(0)), amqpMethod(1, amqpspec.ChannelClose, 1, 148, text, amqpLong(0)), amqpBlockedFrame(),
		amqpMethod(0, amqpspec.ConnectionUnblocked), amqpMethod(0, amqpspec.ConnectionSecure, amqpText("canary")), amqpMethod(1, amqpspec.ChannelFlow, 0), amqpMethod(1, amqpspec.BasicNack, amqpLong(0)),
		amqpMethod(1, amqpspec.BasicDeliver, amqpShort("tag"), amqpLong(0), amqpLong(1), 0, amqpShort("e"), amqpShort("k")), amqpReturn(1), amqpAck(1),
		amqpMethod(0, amqpspec.ConnectionStart, 0, 9, amqpText("\x07canaryF"+string(amqpText("\x01aS"+string(amqpText("canary"))))), amqpText("PLAIN"), amqpText("en_US")),
		amqpFrame(amqpspec.FrameHeartbeat, 0, nil), amqpFrame(amqpspec.FrameHeartbeat, 1, nil), amqpFrame(amqpspec.FrameHeader, 1, []byte{0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff}),
		amqpFrame(amqpspec.FrameMethod, 9, []byte{0, 20, 0, 40}), []byte("HTTP/1.1 400 canary"), []byte("AMQP\x03\x01\x00\x00"), nil,
	)
}

const amqpFuzzTimeout = 100 * time.Millisecond

// FuzzBroker holds that whatever a broker says at any step of a session, the
// probe and the library below it do not panic, and the probe ends in time with
// a cause out of the closed set and nothing of what was said in it.
func FuzzBroker(f *testing.F) {
	steps := amqpSession()
	for i, said := range amqpSaid() {
		f.Add(uint8(i%len(steps)), true, said)
		f.Add(uint8((i+5)%len(steps)), false, said)
	}
	f.Add(uint8(slices.Index(steps, amqpspec.QueueDeclare)), false, slices.Concat(amqpFrame(amqpspec.FrameHeartbeat, 1, nil), amqpAnswers(amqpspec.QueueDeclare, 1)))
	broker := &amqpMouth{}
	prober, err := probe.NewAMQP(broker.listen(f), probe.NewShared())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, at uint8, closes bool, instead []byte) {
		broker.tell(steps[int(at)%len(steps)], instead, closes)
		ctx, cancel := context.WithTimeout(t.Context(), amqpFuzzTimeout)
		defer cancel()
		begin := time.Now()
		seen, err := prober.Probe(ctx)
		if took := time.Since(begin); took > amqpFuzzTimeout+6*time.Second { // a hang, on the busiest of machines
			t.Errorf("took %s with a timeout of %s", took, amqpFuzzTimeout)
		}
		amqpSound(t, seen, err)
	})
}

func amqpSound(t *testing.T, seen probe.Observation, err error) {
	t.Helper()
	seen.Broker = probe.BrokerInfo{} // the one thing that comes from outside
	amqpNoCanary(t, seen, err)
	var failure *probe.Failure
	if err == nil {
		return
	}
	known := errors.As(err, &failure) && slices.ContainsFunc(probe.Explanations(), func(e probe.Explanation) bool {
		return e.Reason == failure.Reason && e.Layer == failure.Layer
	})
	if !known || failure.Reason == probe.ReasonPanic || failure.Reason == probe.ReasonInternal {
		t.Errorf("%T %v is no cause of what a broker says", err, err)
	}
}
