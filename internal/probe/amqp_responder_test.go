package probe_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// amqpStep is a moment at which the client waits for an answer: the class and
// number of the method it has sent, or its protocol header.
type amqpStep uint32

const (
	amqpHeader       amqpStep = 0
	amqpStartOK      amqpStep = 10<<16 | 11
	amqpOpen         amqpStep = 10<<16 | 40
	amqpClose        amqpStep = 10<<16 | 50
	amqpChannelOpen  amqpStep = 20<<16 | 10
	amqpChannelClose amqpStep = 20<<16 | 40
	amqpDeclareExch  amqpStep = 40<<16 | 10
	amqpDeclareQueue amqpStep = 50<<16 | 10
	amqpConfirm      amqpStep = 85<<16 | 10
	amqpPublish      amqpStep = 60<<16 | 40
)

// amqpServer is a broker in which one step, or more, goes wrong: what fault
// says is done there instead of the right answer.
type amqpServer struct {
	faults map[amqpStep]amqpFault
}

// amqpFault acts on a connection instead of answering; it may answer after all.
type amqpFault func(conn net.Conn, channel uint16)

// amqpServe starts the server and returns the access to it, without TLS.
func amqpServe(t *testing.T, faults map[amqpStep]amqpFault) probe.Broker {
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

func (s amqpServer) answer(conn net.Conn, step amqpStep, channel uint16) {
	fault, ok := s.faults[step]
	if ok {
		fault(conn, channel)
		return
	}
	_, _ = conn.Write(amqpAnswers(step, channel))
}

// amqpAnswers is what a broker in order says.
func amqpAnswers(step amqpStep, channel uint16) []byte {
	switch step {
	case amqpHeader:
		return amqpMethod(0, 10, 10, 0, 9, amqpLong(0), amqpText("PLAIN"), amqpText("en_US"))
	case amqpStartOK:
		return amqpMethod(0, 10, 30, 0, 0, amqpLong(131072), 0, 60)
	case amqpOpen:
		return amqpMethod(0, 10, 41, 0)
	case amqpClose:
		return amqpMethod(0, 10, 51)
	case amqpChannelOpen:
		return amqpMethod(channel, 20, 11, amqpLong(0))
	case amqpChannelClose:
		return amqpMethod(channel, 20, 41)
	case amqpDeclareExch:
		return amqpMethod(channel, 40, 11)
	case amqpDeclareQueue:
		return amqpMethod(channel, 50, 11, amqpShort("q"), amqpLong(7), amqpLong(2))
	case amqpConfirm:
		return amqpMethod(channel, 85, 11)
	case amqpPublish:
		return append(amqpReturn(channel), amqpAck(channel)...)
	}
	return nil
}

func amqpReturn(channel uint16) []byte {
	method := amqpMethod(channel, 60, 50, 1, 56, amqpShort("NO_ROUTE"), 0, amqpShort("nobody"))
	header := amqpFrame(2, channel, []byte{0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0})
	return append(append(method, header...), amqpFrame(3, channel, []byte("x"))...)
}

func amqpAck(channel uint16) []byte { return amqpMethod(channel, 60, 80, 0, 0, 0, 0, 0, 0, 0, 1, 0) }

// amqpBlockedFrame says that a resource alarm is on.
func amqpBlockedFrame() []byte { return amqpMethod(0, 10, 60, amqpShort("low on memory")) }

// amqpCloses is connection.close.
func amqpCloses(code uint16, text string) amqpFault {
	return func(conn net.Conn, _ uint16) {
		_, _ = conn.Write(amqpMethod(0, 10, 50, byte(code>>8), byte(code), amqpShort(text), amqpLong(0)))
	}
}

// amqpExcepts is channel.close.
func amqpExcepts(code uint16, text string) amqpFault {
	return func(conn net.Conn, channel uint16) {
		_, _ = conn.Write(amqpMethod(channel, 20, 40, byte(code>>8), byte(code), amqpShort(text), amqpLong(0)))
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
func amqpMethod(channel uint16, class, number byte, args ...any) []byte {
	payload := []byte{0, class, 0, number}
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
	return amqpFrame(1, channel, payload)
}

func amqpFrame(kind byte, channel uint16, payload []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{kind}, channel)
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	return append(append(b, payload...), 0xce)
}

func amqpLong(n uint32) []byte  { return binary.BigEndian.AppendUint32(nil, n) }
func amqpShort(s string) []byte { return append([]byte{byte(len(s))}, s...) }
func amqpText(s string) []byte  { return append(amqpLong(uint32(len(s))), s...) }

// amqpReceive reads frames up to the next method.
func amqpReceive(conn net.Conn) (amqpStep, uint16, error) {
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
		if head[0] == 1 {
			return amqpStep(binary.BigEndian.Uint32(payload)), binary.BigEndian.Uint16(head[1:]), nil
		}
	}
}
