package demo

import (
	"encoding/binary"
	"errors"
	"io"
)

// amqpMethod is a method of AMQP 0-9-1: class and number.
type amqpMethod uint32

// The methods that the simulation knows.
const (
	connectionStart   amqpMethod = 10<<16 | 10
	connectionStartOK amqpMethod = 10<<16 | 11
	connectionTune    amqpMethod = 10<<16 | 30
	connectionTuneOK  amqpMethod = 10<<16 | 31
	connectionOpen    amqpMethod = 10<<16 | 40
	connectionOpenOK  amqpMethod = 10<<16 | 41
	connectionClose   amqpMethod = 10<<16 | 50
	connectionCloseOK amqpMethod = 10<<16 | 51
	connectionBlocked amqpMethod = 10<<16 | 60
	channelOpen       amqpMethod = 20<<16 | 10
	channelOpenOK     amqpMethod = 20<<16 | 11
	channelClose      amqpMethod = 20<<16 | 40
	channelCloseOK    amqpMethod = 20<<16 | 41
	exchangeDeclare   amqpMethod = 40<<16 | 10
	exchangeDeclareOK amqpMethod = 40<<16 | 11
	queueDeclare      amqpMethod = 50<<16 | 10
	queueDeclareOK    amqpMethod = 50<<16 | 11
	basicPublish      amqpMethod = 60<<16 | 40
	basicReturn       amqpMethod = 60<<16 | 50
	basicAck          amqpMethod = 60<<16 | 80
	confirmSelect     amqpMethod = 85<<16 | 10
	confirmSelectOK   amqpMethod = 85<<16 | 11
)

// The kinds of frames.
const (
	frameMethod    = 1
	frameHeader    = 2
	frameBody      = 3
	frameHeartbeat = 8
)

const (
	protocolHeader = "AMQP\x00\x00\x09\x01"

	frameMax  = 128 << 10 // RabbitMQ's own
	frameRest = 8         // of which are not payload
	frameEnd  = 0xce
)

var errFrame = errors.New("this is not a frame of AMQP 0-9-1")

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
	if payload[size] != frameEnd {
		return frame{}, errFrame
	}
	return frame{head[0], binary.BigEndian.Uint16(head[1:]), payload[:size]}, nil
}

func (f frame) bytes() []byte {
	b := make([]byte, 0, len(f.payload)+frameRest)
	b = binary.BigEndian.AppendUint16(append(b, f.kind), f.channel)
	b = binary.BigEndian.AppendUint32(b, uint32(len(f.payload)))
	return append(append(b, f.payload...), frameEnd)
}

// writing puts a method's arguments together.
type writing []byte

func (w writing) octet(n byte) writing      { return append(w, n) }
func (w writing) short(n uint16) writing    { return binary.BigEndian.AppendUint16(w, n) }
func (w writing) long(n uint32) writing     { return binary.BigEndian.AppendUint32(w, n) }
func (w writing) longlong(n uint64) writing { return binary.BigEndian.AppendUint64(w, n) }

func (w writing) shortString(s string) writing {
	s = s[:min(len(s), 255)]
	return append(w.octet(byte(len(s))), s...)
}

func (w writing) longString(s string) writing { return append(w.long(uint32(len(s))), s...) }

// reading takes arguments apart. What is not there reads as zero.
type reading []byte

func (r *reading) next(n int) (b []byte) {
	if n <= len(*r) {
		b = (*r)[:n]
	}
	*r = (*r)[min(n, len(*r)):]
	return b
}

func (r *reading) number(size int) (n uint64) {
	for _, b := range r.next(size) {
		n = n<<8 | uint64(b)
	}
	return n
}

func (r *reading) octet() byte         { return byte(r.number(1)) }
func (r *reading) long() uint32        { return uint32(r.number(4)) }
func (r *reading) longlong() uint64    { return r.number(8) }
func (r *reading) shortString() string { return string(r.next(int(r.octet()))) }
func (r *reading) longString() string  { return string(r.next(int(r.long()))) }
