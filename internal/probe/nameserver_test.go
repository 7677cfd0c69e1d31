package probe

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

const (
	typeA    = 1
	typeAAAA = 28
)

// named is what a name server says about one family of a name.
type named struct {
	addrs  []string
	rcode  byte // 2 SERVFAIL, 3 NXDOMAIN
	delay  time.Duration
	silent bool
}

const (
	servfail = 2
	nxdomain = 3
)

// zone holds what is said of each name and family; what is not there is NXDOMAIN.
type zone map[string]map[uint16]named

// newNameServer answers from z on loopback UDP and returns what dials it.
func newNameServer(t *testing.T, z zone) func(ctx context.Context, network, addr string) (net.Conn, error) {
	t.Helper()
	socket, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	go z.serve(socket)
	server := socket.LocalAddr().String()
	return func(ctx context.Context, _, _ string) (net.Conn, error) {
		return dialNameServer(ctx, "udp", server)
	}
}

func (z zone) serve(socket net.PacketConn) {
	buffer := make([]byte, 1500)
	for {
		n, from, err := socket.ReadFrom(buffer)
		if err != nil {
			return
		}
		name, family, end := question(buffer[:n])
		says, known := z[name][family]
		if !known {
			says = named{rcode: nxdomain}
			if z[name] != nil {
				says.rcode = 0 // the name is there, the family is not
			}
		}
		if says.silent {
			continue
		}
		reply := reply(buffer[:end], family, says)
		time.AfterFunc(says.delay, func() { _, _ = socket.WriteTo(reply, from) })
	}
}

// question returns the name and type that query asks for, and where the question ends.
func question(query []byte) (name string, family uint16, end int) {
	var labels []string
	at := 12
	for query[at] != 0 {
		size := int(query[at])
		labels = append(labels, string(query[at+1:at+1+size]))
		at += 1 + size
	}
	return strings.ToLower(strings.Join(labels, ".")), binary.BigEndian.Uint16(query[at+1:]), at + 5
}

func reply(query []byte, family uint16, says named) []byte {
	message := append([]byte(nil), query...)
	message[2], message[3] = 0x81, 0x80|says.rcode
	binary.BigEndian.PutUint16(message[4:], 1)
	binary.BigEndian.PutUint16(message[6:], uint16(len(says.addrs)))
	binary.BigEndian.PutUint32(message[8:], 0)
	for _, text := range says.addrs {
		ip := netip.MustParseAddr(text).AsSlice()
		message = append(message, 0xc0, 12)
		message = binary.BigEndian.AppendUint16(message, family)
		message = append(message, 0, 1, 0, 0, 0, 60)
		message = binary.BigEndian.AppendUint16(message, uint16(len(ip)))
		message = append(message, ip...)
	}
	return message
}
