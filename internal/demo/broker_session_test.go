package demo

import (
	"bytes"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/amqpspec"
)

const testPassword = "pepper"

// scriptedConn is a connection whose client has said everything already, and leaves.
type scriptedConn struct {
	net.Conn // none
	sent     *bytes.Reader
	heard    bytes.Buffer
}

func (t *scriptedConn) Read(p []byte) (int, error)       { return t.sent.Read(p) }
func (t *scriptedConn) Write(p []byte) (int, error)      { return t.heard.Write(p) }
func (t *scriptedConn) SetDeadline(time.Time) error      { return nil }
func (t *scriptedConn) SetReadDeadline(time.Time) error  { return nil }
func (t *scriptedConn) SetWriteDeadline(time.Time) error { return nil }

// sessionOutput returns what a session without TLS says to what a client sends.
func sessionOutput(sent []byte) []byte {
	conn := &scriptedConn{sent: bytes.NewReader(sent)}
	state := &brokerState{name: "mq-ntnu", users: []*brokerUser{{brokerApplication: brokerApplications[1], password: testPassword}}}
	newBrokerSession(state, conn).run()
	return conn.heard.Bytes()
}

func sentMethod(channel uint16, m amqpspec.Method, arguments encoder) []byte {
	return frame{amqpspec.FrameMethod, channel, append(encoder{}.long(uint32(m)), arguments...)}.bytes()
}

// handshake is the start of a client's conversation, its steps apart.
func handshake() [][]byte {
	return [][]byte{
		[]byte(protocolHeader),
		sentMethod(0, amqpspec.ConnectionStartOK, encoder{}.longString("").shortString("PLAIN").
			longString("\x00"+iga+"\x00"+testPassword).shortString("en_US")),
		sentMethod(0, amqpspec.ConnectionTuneOK, encoder{}.short(16).long(frameMax).short(10)),
		sentMethod(0, amqpspec.ConnectionOpen, encoder{}.shortString(iga).shortString("").octet(0)),
		sentMethod(1, amqpspec.ChannelOpen, encoder{}.shortString("")),
	}
}

// conversation is all that a client here says.
func conversation() [][]byte {
	return append(handshake(),
		sentMethod(1, amqpspec.ExchangeDeclare, encoder{}.short(0).shortString("").shortString("topic").octet(1).long(0)),
		sentMethod(1, amqpspec.QueueDeclare, encoder{}.short(0).shortString("from_"+dfoSAP).octet(1).long(0)),
		sentMethod(1, amqpspec.ConfirmSelect, encoder{}.octet(0)),
		sentMethod(1, amqpspec.BasicPublish, encoder{}.short(0).shortString("").shortString("x").octet(1)),
		frame{amqpspec.FrameHeader, 1, encoder{}.long(60 << 16).longlong(3).short(0)}.bytes(),
		frame{amqpspec.FrameBody, 1, []byte("hei")}.bytes(),
		frame{amqpspec.FrameHeartbeat, 0, nil}.bytes(),
		sentMethod(1, amqpspec.ChannelClose, encoder{}.short(200).shortString("").long(0)),
		sentMethod(0, amqpspec.ConnectionClose, encoder{}.short(200).shortString("").long(0)),
	)
}

func TestBrokerConversation(t *testing.T) {
	heard := sessionOutput(slices.Concat(conversation()...))
	var got []amqpspec.Method
	for r := bytes.NewReader(heard); r.Len() > 0; {
		f, err := readFrame(r)
		if err != nil {
			t.Fatal(err)
		}
		arguments := decoder(f.payload)
		if f.kind == amqpspec.FrameMethod {
			got = append(got, amqpspec.Method(arguments.long()))
		}
	}
	want := []amqpspec.Method{
		amqpspec.ConnectionStart, amqpspec.ConnectionTune, amqpspec.ConnectionOpenOK, amqpspec.ChannelOpenOK, amqpspec.ExchangeDeclareOK, amqpspec.QueueDeclareOK, amqpspec.ConfirmSelectOK,
		amqpspec.BasicReturn, amqpspec.BasicAck, amqpspec.ChannelCloseOK, amqpspec.ConnectionCloseOK,
	}
	if !slices.Equal(got, want) {
		t.Errorf("methods %x, want %x", got, want)
	}
}

// The broker closes the connection on what AMQP does not allow, and says why.
func TestBrokerClosesConnections(t *testing.T) {
	after := func(steps int, more ...[]byte) []byte {
		return slices.Concat(append(handshake()[:steps:steps], more...)...)
	}
	header := func(size uint64) []byte {
		return frame{amqpspec.FrameHeader, 1, encoder{}.long(60 << 16).longlong(size).short(0)}.bytes()
	}
	publish := sentMethod(1, amqpspec.BasicPublish, encoder{}.short(0).shortString("").shortString("x").octet(1))
	var many [][]byte
	for n := range brokerChannels {
		many = append(many, sentMethod(uint16(n+2), amqpspec.ChannelOpen, encoder{}.shortString("")))
	}
	for name, c := range map[string]struct {
		sent []byte
		want string // the last that is heard
	}{
		"HTTP":                      {[]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), protocolHeader},
		"AMQP 1.0":                  {[]byte("AMQP\x00\x01\x00\x00"), protocolHeader},
		"a frame too large":         {after(5, []byte{1, 0, 1, 0xff, 0xff, 0xff, 0xff}), "FRAME_ERROR"},
		"no end of a frame":         {after(5, []byte{1, 0, 1, 0, 0, 0, 1, 0, 0}), "FRAME_ERROR"},
		"open before the login":     {after(1, handshake()[3]), "COMMAND_INVALID"},
		"a login after the login":   {after(2, handshake()[1]), "COMMAND_INVALID"},
		"a second open":             {after(4, handshake()[3]), "COMMAND_INVALID"},
		"no method":                 {after(4, frame{amqpspec.FrameMethod, 0, nil}.bytes()), "COMMAND_INVALID"},
		"a channel before the open": {after(3, handshake()[4]), "UNEXPECTED_FRAME"},
		"a channel not open":        {after(4, publish), "CHANNEL_ERROR"},
		"a channel twice":           {after(5, handshake()[4]), "NOT_IMPLEMENTED"},
		"too many channels":         {after(5, many...), "CHANNEL_ERROR"},
		"content out of nothing":    {after(5, header(3)), "UNEXPECTED_FRAME"},
		"a body before its header":  {after(5, publish, frame{amqpspec.FrameBody, 1, []byte("hei")}.bytes()), "UNEXPECTED_FRAME"},
		"a method among content":    {after(5, publish, header(3), publish), "UNEXPECTED_FRAME"},
		"more than it said":         {after(5, publish, header(2), frame{amqpspec.FrameBody, 1, []byte("hei")}.bytes()), "FRAME_ERROR"},
		"a message too large":       {after(5, publish, header(messageMax+1)), "FRAME_ERROR"},
	} {
		heard := string(sessionOutput(c.sent))
		at := strings.LastIndex(heard, c.want)
		if at < 0 || len(heard)-at > len(c.want)+70 {
			t.Errorf("%s: heard %q, want it to end with %q", name, heard, c.want)
		}
	}
}

// A client that does not know yet that its channel is closed keeps its connection.
func TestBrokerChannelsCross(t *testing.T) {
	missing := sentMethod(1, amqpspec.QueueDeclare, encoder{}.short(0).shortString("from_rolf").octet(1).long(0))
	for name, more := range map[string][][]byte{
		"asks on":     {missing, sentMethod(1, amqpspec.ChannelCloseOK, nil), handshake()[4]},
		"closes, too": {sentMethod(1, amqpspec.ChannelClose, encoder{}.short(200).shortString("").long(0)), sentMethod(1, amqpspec.ChannelCloseOK, nil), handshake()[4]},
	} {
		steps := append(append(handshake(), missing), more...)
		heard := sessionOutput(slices.Concat(append(steps, sentMethod(0, amqpspec.ConnectionClose, nil))...))
		if n := bytes.Count(heard, []byte("NOT_FOUND")); n != 1 || !bytes.HasSuffix(heard, sentMethod(0, amqpspec.ConnectionCloseOK, nil)) {
			t.Errorf("%s: told %d times, then %q", name, n, heard)
		}
		if n := bytes.Count(heard, sentMethod(1, amqpspec.ChannelOpenOK, encoder{}.long(0))); n != 2 {
			t.Errorf("%s: the channel was opened %d times, want 2", name, n)
		}
	}
}

// Whatever a client sends, a session does not panic, and ends when its client has left.
func FuzzBrokerSession(f *testing.F) {
	for n := range conversation() {
		f.Add(uint8(n), []byte(nil))
		f.Add(uint8(n), slices.Concat(conversation()[n:]...)[3:])
		f.Add(uint8(n), []byte{amqpspec.FrameMethod, 0, 1, 0, 0, 0, 2, 0, 10, amqpspec.FrameEnd})
	}
	f.Fuzz(func(_ *testing.T, steps uint8, more []byte) {
		known := conversation()
		sessionOutput(append(slices.Concat(known[:int(steps)%(len(known)+1)]...), more...))
	})
}
