package main

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// door serves large answers within limits. It sends to wrote how each of them went.
func door(t *testing.T, encrypted bool, l limits) (address string, wrote <-chan error) {
	t.Helper()
	part, outcome := make([]byte, 256<<10), make(chan error, 100)
	server := httptest.NewUnstartedServer(nil)
	server.Config = newServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for range 256 { // more than all buffers on the way hold
			_, err = w.Write(part)
			if err != nil {
				break
			}
		}
		outcome <- err
	}), slog.New(slog.DiscardHandler), l)
	if encrypted {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.Listener.Addr().String(), outcome
}

func knock(t *testing.T, address, text string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = io.WriteString(conn, text)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// shut reads until the other side closes conn, and returns how what came began.
func shut(t *testing.T, conn net.Conn) string {
	t.Helper()
	err := conn.SetReadDeadline(time.Now().Add(patience))
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(io.LimitReader(conn, 4096))
	if err == nil {
		_, err = io.Copy(io.Discard, conn)
	}
	var late net.Error
	if errors.As(err, &late) && late.Timeout() {
		t.Errorf("still open after %s, having sent %q", patience, content[:min(len(content), 200)])
	}
	return string(content) // a reset closes as well
}

// Whoever keeps a connection without getting on is cut off.
func TestDoorTimeouts(t *testing.T) {
	t.Parallel()
	const soon, never = 50 * time.Millisecond, time.Hour
	slow := limits{request: soon, answer: never, idle: never, connections: 10}
	for name, c := range map[string]struct {
		limits    limits
		encrypted bool
		sent      string
	}{
		"nothing sent":     {limits: slow},
		"half a header":    {limits: slow, sent: "GET / HTTP/1.1\r\nHost: x\r\nX-"},
		"body never sent":  {limits: slow, sent: "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1"},
		"handshake stalls": {limits: slow, encrypted: true, sent: "\x16\x03\x01"},
		"idle":             {limits: limits{request: never, answer: never, idle: soon, connections: 10}, sent: "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, _ := door(t, c.encrypted, c.limits)
			shut(t, knock(t, address, c.sent))
		})
	}
	t.Run("answer never read", func(t *testing.T) {
		t.Parallel()
		address, wrote := door(t, false, limits{request: never, answer: soon, idle: never, connections: 10})
		knock(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		select {
		case err := <-wrote:
			if err == nil {
				t.Error("all of it was sent")
			}
		case <-time.After(patience):
			t.Errorf("still being sent after %s", patience)
		}
	})
}

func TestDoorHeaderLimit(t *testing.T) {
	t.Parallel()
	address, _ := door(t, false, limits{header: 64 << 10, connections: 10})
	for _, bomb := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("a", 80<<10),
		"GET /" + strings.Repeat("a", 80<<10),
		"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: a\r\n", 10<<10),
	} {
		got := shut(t, knock(t, address, bomb))
		if !strings.HasPrefix(got, "HTTP/1.1 431 ") {
			t.Errorf("%.40q… is answered with %.100q, want 431", bomb, got)
		}
	}
}

// Beyond the limit the connection goes that has waited longest; one that is being answered stays.
func TestDoorCrowd(t *testing.T) {
	t.Parallel()
	address, _ := door(t, false, limits{connections: 3})
	busy := knock(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	_, err := busy.Read(make([]byte, 1)) // it is being answered
	if err != nil {
		t.Fatal(err)
	}
	longest, longer := knock(t, address, ""), knock(t, address, "GET / HTTP/1.1\r\nHost: x\r\nX-")
	for range 5 {
		last := knock(t, address, "")
		shut(t, longest)
		longest, longer = longer, last
	}
	_, err = io.WriteString(longer, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if got := shut(t, longer); err != nil || !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("the one that came last: %v, %.100q", err, got)
	}
	_, err = io.ReadFull(busy, make([]byte, 32<<20))
	if err != nil {
		t.Errorf("the one that is being answered: %v", err)
	}
}

func TestDoorCrowdOfHandshakes(t *testing.T) {
	t.Parallel()
	address, _ := door(t, true, limits{connections: 1})
	before := knock(t, address, "")
	for range 5 {
		next := knock(t, address, "\x16\x03\x01")
		shut(t, before)
		before = next
	}
}

// With all busy there is no room for one more.
func TestDoorFull(t *testing.T) {
	t.Parallel()
	address, _ := door(t, false, limits{connections: 1})
	_, err := knock(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").Read(make([]byte, 1))
	if err != nil {
		t.Fatal(err)
	}
	shut(t, knock(t, address, ""))
}
