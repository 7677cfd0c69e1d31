package probe

import (
	"net"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/amqpspec"
)

// methodFrame is a frame that holds a method with this many bytes of arguments.
func methodFrame(m amqpspec.Method, arguments int) []byte {
	size := arguments + methodBytes
	head := []byte{amqpspec.FrameMethod, 0, 0, byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}
	number := []byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}
	return slices.Concat(head, number, make([]byte, arguments), []byte{0xce})
}

// Methods are found wherever the stream is cut, and only when their frame is complete.
func TestScanner(t *testing.T) {
	stream := slices.Concat(
		methodFrame(amqpspec.ConnectionStart, 300),
		[]byte{amqpspec.FrameHeartbeat, 0, 0, 0, 0, 0, 0, 0xce},
		methodFrame(amqpspec.ConnectionTune, 0),
		[]byte{amqpspec.FrameBody, 0, 1, 0, 0, 0, 5, 0, 10, 0, 41, 0, 0xce}, // looks like open-ok, but is a message
		[]byte{amqpspec.FrameMethod, 0, 1, 0, 0, 0, 2, 0, 10, 0xce},         // too short for a method
		methodFrame(amqpspec.BasicReturn, 1),
	)
	want := []amqpspec.Method{amqpspec.ConnectionStart, amqpspec.ConnectionTune, amqpspec.BasicReturn}
	for size := 1; size <= len(stream); size++ {
		var (
			s   scanner
			got []amqpspec.Method
		)
		for piece := range slices.Chunk(stream, size) {
			if !s.feed(piece, func(m amqpspec.Method) { got = append(got, m) }) {
				t.Fatalf("pieces of %d: not AMQP", size)
			}
		}
		diff := cmp.Diff(want, got)
		if diff != "" {
			t.Fatalf("pieces of %d (-want +got):\n%s", size, diff)
		}
	}
	var s scanner
	frame := methodFrame(amqpspec.ConnectionStart, 300)
	s.feed(frame[:len(frame)-1], func(m amqpspec.Method) { t.Errorf("method %x before its frame's end", m) })
}

func TestScannerNotAMQP(t *testing.T) {
	for _, stream := range []string{
		"H", "AMQP\x00\x01\x00\x00", "\x15\x03\x01", "\x00", "\x08\x00\x01\x00\x00\x00\x00",
		string(methodFrame(amqpspec.ConnectionStart, 3)) + "x",
	} {
		var s scanner
		if s.feed([]byte(stream), func(amqpspec.Method) {}) {
			t.Errorf("%q passes", stream)
		}
	}
}

// Whatever comes in, and however it is cut, the scanner neither panics nor reports more methods than fit.
func FuzzScanner(f *testing.F) {
	f.Add(methodFrame(amqpspec.ConnectionTune, 5), 3)
	f.Add([]byte("HTTP/1.1 400 Bad Request"), 1)
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		var s scanner
		methods := 0
		for piece := range slices.Chunk(stream, 1+max(size, 0)%16) {
			if !s.feed(piece, func(amqpspec.Method) { methods++ }) {
				break
			}
		}
		if methods*(frameHeaderBytes+methodBytes+frameEndBytes) > len(stream) {
			t.Errorf("%d methods in %d bytes", methods, len(stream))
		}
	})
}

// What ends a connection to a broker after its handshake is not always the broker's going away.
func TestAMQPLost(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  error
		want Failure
	}{
		"a client certificate is refused": {
			&net.OpError{Op: "remote error", Err: os.ErrInvalid},
			Failure{Reason: ReasonTLS, Layer: LayerBroker, Detail: "the server ended the handshake with an alert"},
		},
		"no memory": {
			&net.OpError{Op: "write", Err: os.NewSyscallError("write", syscall.ENOBUFS)},
			Failure{Reason: ReasonResources, Layer: LayerExporter, Detail: "no buffer or memory for the connection"},
		},
	} {
		s := &session{trace: newTrace(t.Context()), tap: newTap(nil, nil)}
		s.tap.keep(0, c.end)
		if diff := cmp.Diff(error(&c.want), s.lost(PhaseLogin)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
