package probe_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/amqpspec"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// amqpHeader is the step at which the client has sent its protocol header. At every other step it has sent a method.
const amqpHeader amqpspec.Method = 0

// amqpServer is a broker in which one step, or more, goes wrong: what fault
// says is done there instead of the right answer.
type amqpServer struct {
	faults map[amqpspec.Method]amqpFault
}

// amqpFault acts on a connection instead of answering; it may answer after all.
type amqpFault func(conn net.Conn, channel uint16)

// amqpServe starts the server and returns the access to it, without TLS.
func amqpServe(t *testing.T, faults map[amqpspec.Method]amqpFault) probe.Broker {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	server := amqpServer{faults}
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				server.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		running.Wait()
	})
	return probe.Broker{
		URL:   &url.URL{Scheme: "amqp", Host: listener.Addr().String()},
		Vhost: amqpApp, Username: amqpApp, Password: secret.Literal{Value: secret.New(amqpPassword)},
	}
}

// serve answers until the client goes.
func (s amqpServer) serve(conn net.Conn) {
	header := make([]byte, 8)
	_, err := io.ReadFull(conn, header)
	if err != nil {
		return
	}
	s.answer(conn, amqpHeader, 0)
	for {
		step, channel, err := amqpReceive(conn)
		if err != nil {
			return
		}
		s.answer(conn, step, channel)
	}
}

func (s amqpServer) answer(conn net.Conn, step amqpspec.Method, channel uint16) {
	fault, ok := s.faults[step]
	if ok {
		fault(conn, channel)
		return
	}
	_, _ = conn.Write(amqpAnswers(step, channel))
}

// amqpAnswers is what a broker in order says.
func amqpAnswers(step amqpspec.Method, channel uint16) []byte {
	switch step {
	case amqpHeader:
		return amqpMethod(0, amqpspec.ConnectionStart, 0, 9, amqpLong(0), amqpText("PLAIN"), amqpText("en_US"))
	case amqpspec.ConnectionStartOK:
		return amqpMethod(0, amqpspec.ConnectionTune, 0, 0, amqpLong(131072), 0, 60)
	case amqpspec.ConnectionOpen:
		return amqpMethod(0, amqpspec.ConnectionOpenOK, 0)
	case amqpspec.ConnectionClose:
		return amqpMethod(0, amqpspec.ConnectionCloseOK)
	case amqpspec.ChannelOpen:
		return amqpMethod(channel, amqpspec.ChannelOpenOK, amqpLong(0))
	case amqpspec.ChannelClose:
		return amqpMethod(channel, amqpspec.ChannelCloseOK)
	case amqpspec.ExchangeDeclare:
		return amqpMethod(channel, amqpspec.ExchangeDeclareOK)
	case amqpspec.QueueDeclare:
		return amqpMethod(channel, amqpspec.QueueDeclareOK, amqpShort("q"), amqpLong(7), amqpLong(2))
	case amqpspec.ConfirmSelect:
		return amqpMethod(channel, amqpspec.ConfirmSelectOK)
	case amqpspec.BasicPublish:
		return append(amqpReturn(channel), amqpAck(channel)...)
	}
	return nil
}

func amqpReturn(channel uint16) []byte {
	method := amqpMethod(channel, amqpspec.BasicReturn, 1, 56, amqpShort("NO_ROUTE"), 0, amqpShort("nobody"))
	header := amqpFrame(amqpspec.FrameHeader, channel, []byte{0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0})
	return append(append(method, header...), amqpFrame(amqpspec.FrameBody, channel, []byte("x"))...)
}

func amqpAck(channel uint16) []byte {
	return amqpMethod(channel, amqpspec.BasicAck, 0, 0, 0, 0, 0, 0, 0, 1, 0)
}

// amqpBlockedFrame says that a resource alarm is on.
func amqpBlockedFrame() []byte {
	return amqpMethod(0, amqpspec.ConnectionBlocked, amqpShort("low on memory"))
}

// amqpCloses is connection.close.
func amqpCloses(code uint16, text string) amqpFault {
	return func(conn net.Conn, _ uint16) {
		_, _ = conn.Write(amqpMethod(0, amqpspec.ConnectionClose, byte(code>>8), byte(code), amqpShort(text), amqpLong(0)))
	}
}

// amqpExcepts is channel.close.
func amqpExcepts(code uint16, text string) amqpFault {
	return func(conn net.Conn, channel uint16) {
		_, _ = conn.Write(amqpMethod(channel, amqpspec.ChannelClose, byte(code>>8), byte(code), amqpShort(text), amqpLong(0)))
	}
}

// amqpSays writes these bytes.
func amqpSays(b []byte) amqpFault {
	return func(conn net.Conn, _ uint16) { _, _ = conn.Write(b) }
}

func amqpSilent(net.Conn, uint16) {}

// amqpEnds ends the connection in order. What still comes in is read: it would become a reset.
func amqpEnds(conn net.Conn, _ uint16) { _ = conn.(*net.TCPConn).CloseWrite() }

func amqpResets(conn net.Conn, _ uint16) {
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
}

// amqpMethod puts a method's frame together of bytes and byte slices.
func amqpMethod(channel uint16, m amqpspec.Method, args ...any) []byte {
	payload := amqpLong(uint32(m))
	for _, arg := range args {
		switch arg := arg.(type) {
		case int:
			payload = append(payload, byte(arg))
		case byte:
			payload = append(payload, arg)
		case []byte:
			payload = append(payload, arg...)
		}
	}
	return amqpFrame(amqpspec.FrameMethod, channel, payload)
}

func amqpFrame(kind byte, channel uint16, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{kind}, channel)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	return append(append(b, payload...), amqpspec.FrameEnd)
}

func amqpLong(n uint32) []byte  { return binary.BigEndian.AppendUint32(nil, n) }
func amqpShort(s string) []byte { return append([]byte{byte(len(s))}, s...) }
func amqpText(s string) []byte  { return append(amqpLong(uint32(len(s))), s...) }

// amqpReceive reads frames up to the next method.
func amqpReceive(conn net.Conn) (amqpspec.Method, uint16, error) {
	for {
		head := make([]byte, 7)
		_, err := io.ReadFull(conn, head)
		if err != nil {
			return 0, 0, err
		}
		payload := make([]byte, binary.BigEndian.Uint32(head[3:])+1)
		_, err = io.ReadFull(conn, payload)
		if err != nil {
			return 0, 0, err
		}
		if head[0] == amqpspec.FrameMethod {
			return amqpspec.Method(binary.BigEndian.Uint32(payload)), binary.BigEndian.Uint16(head[1:]), nil
		}
	}
}
