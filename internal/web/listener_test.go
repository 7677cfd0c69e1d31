package web

import (
	"net"
	"testing"
)

func TestListenerURL(t *testing.T) {
	for _, c := range []struct {
		address   net.Addr
		encrypted bool
		want      string
	}{
		{&net.TCPAddr{IP: net.IPv6unspecified, Port: 10056}, false, "http://localhost:10056"},
		{&net.TCPAddr{IP: net.IPv4zero, Port: 10056}, true, "https://localhost:10056"},
		{&net.TCPAddr{IP: net.IPv6loopback, Port: 1}, false, "http://[::1]:1"},
		{&net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 1}, true, "https://10.0.0.1:1"},
		{&net.UnixAddr{Name: "/run/integra.sock", Net: "unix"}, false, "unix /run/integra.sock"},
	} {
		if got := listenerURL(c.address, c.encrypted); got != c.want {
			t.Errorf("%v: %s, want %s", c.address, got, c.want)
		}
	}
}
