package demo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/amqpspec"
)

const (
	protocolHeader = "AMQP\x00\x00\x09\x01"

	frameMax  = 128 << 10 // RabbitMQ's own
	frameRest = 8         // bytes of a frame that are not payload

	idleTimeout  = 30 * time.Second // for a client's next frame, heartbeats included
	writeTimeout = 5 * time.Second
	closeTimeout = time.Second // for a client to answer when the broker closes the connection
)

var errFrame = errors.New("not a frame of AMQP 0-9-1")

// amqpConn is a client's connection as the broker writes to it. The methods that return
// a bool report whether the connection goes on.
type amqpConn struct{ net.Conn }

// refuse closes the connection with a reply code and the broker's sentence. It reads what
// the client still sends, which would become a reset otherwise.
func (c amqpConn) refuse(code uint16, text string) bool {
	c.sendMethod(0, amqpspec.ConnectionClose, encoder{}.short(code).shortString(text).long(0))
	c.discard(closeTimeout)
	return false
}

// discard reads and ignores what the client sends, for d or until it leaves.
func (c amqpConn) discard(d time.Duration) {
	_ = c.SetDeadline(time.Now().Add(d))
	_, _ = io.Copy(io.Discard, c)
}

func (c amqpConn) sendMethod(channel uint16, m amqpspec.Method, arguments encoder) bool {
	return c.send(frame{amqpspec.FrameMethod, channel, append(encoder{}.long(uint32(m)), arguments...)})
}

func (c amqpConn) send(frames ...frame) bool {
	var all bytes.Buffer
	for _, f := range frames {
		all.Write(f.bytes())
	}
	_ = c.SetWriteDeadline(time.Now().Add(writeTimeout))
	_, err := c.Write(all.Bytes())
	return err == nil
}

type frame struct {
	kind    byte
	channel uint16
	payload []byte
}

func readFrame(r io.Reader) (frame, error) {
	var head [frameRest - 1]byte
	_, err := io.ReadFull(r, head[:])
	if err != nil {
		return frame{}, err
	}
	size := binary.BigEndian.Uint32(head[3:])
	if size > frameMax-frameRest {
		return frame{}, errFrame
	}
	payload := make([]byte, size+1)
	_, err = io.ReadFull(r, payload)
	if err != nil {
		return frame{}, err
	}
	if payload[size] != amqpspec.FrameEnd {
		return frame{}, errFrame
	}
	return frame{head[0], binary.BigEndian.Uint16(head[1:]), payload[:size]}, nil
}

func (f frame) bytes() []byte {
	b := make([]byte, 0, len(f.payload)+frameRest)
	b = binary.BigEndian.AppendUint16(append(b, f.kind), f.channel)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.payload)))
	return append(append(b, f.payload...), amqpspec.FrameEnd)
}

// encoder puts a method's arguments together.
type encoder []byte

func (e encoder) longString(s string) encoder { return append(e.long(uint32(len(s))), s...) }

func (e encoder) shortString(s string) encoder {
	s = s[:min(len(s), 255)]
	return append(e.octet(byte(len(s))), s...)
}

func (e encoder) octet(n byte) encoder      { return append(e, n) }
func (e encoder) short(n uint16) encoder    { return binary.BigEndian.AppendUint16(e, n) }
func (e encoder) long(n uint32) encoder     { return binary.BigEndian.AppendUint32(e, n) }
func (e encoder) longlong(n uint64) encoder { return binary.BigEndian.AppendUint64(e, n) }

// decoder takes arguments apart. Missing ones read as zero.
type decoder []byte

func (d *decoder) longString() string  { return string(d.next(int(d.long()))) }
func (d *decoder) shortString() string { return string(d.next(int(d.octet()))) }
func (d *decoder) octet() byte         { return byte(d.number(1)) }
func (d *decoder) long() uint32        { return uint32(d.number(4)) }
func (d *decoder) longlong() uint64    { return d.number(8) }

func (d *decoder) number(size int) (n uint64) {
	for _, b := range d.next(size) {
		n = n<<8 | uint64(b)
	}
	return n
}

func (d *decoder) next(n int) (b []byte) {
	if n <= len(*d) {
		b = (*d)[:n]
	}
	*d = (*d)[min(n, len(*d)):]
	return b
}
