package web

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// startServer serves large answers within limits. It sends to wrote how each of them went.
func startServer(t *testing.T, encrypted bool, l serverLimits) (address string, wrote <-chan error) {
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

// A client that keeps a connection without making progress is cut off.
func TestServerTimeouts(t *testing.T) {
	t.Parallel()
	const soon, never = 50 * time.Millisecond, time.Hour
	slow := serverLimits{request: soon, answer: never, idle: never, connections: 10}
	for name, c := range map[string]struct {
		limits    serverLimits
		encrypted bool
		sent      string
	}{
		"nothing sent":     {limits: slow},
		"half a header":    {limits: slow, sent: "GET / HTTP/1.1\r\nHost: x\r\nX-"},
		"body never sent":  {limits: slow, sent: "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1"},
		"handshake stalls": {limits: slow, encrypted: true, sent: "\x16\x03\x01"},
		"idle":             {limits: serverLimits{request: never, answer: never, idle: soon, connections: 10}, sent: "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, _ := startServer(t, c.encrypted, c.limits)
			testkit.ReadUntilClosed(t, testkit.Dial(t, address, c.sent))
		})
	}
	t.Run("answer never read", func(t *testing.T) {
		t.Parallel()
		address, wrote := startServer(t, false, serverLimits{request: never, answer: soon, idle: never, connections: 10})
		testkit.Dial(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		select {
		case err := <-wrote:
			if err == nil {
				t.Error("all of it was sent")
			}
		case <-time.After(testkit.Patience):
			t.Errorf("still being sent after %s", testkit.Patience)
		}
	})
}

func TestServerHeaderLimit(t *testing.T) {
	t.Parallel()
	address, _ := startServer(t, false, serverLimits{header: 64 << 10, connections: 10})
	for _, bomb := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + strings.Repeat("a", 80<<10),
		"GET /" + strings.Repeat("a", 80<<10),
		"GET / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-A: a\r\n", 10<<10),
	} {
		got := testkit.ReadUntilClosed(t, testkit.Dial(t, address, bomb))
		if !strings.HasPrefix(got, "HTTP/1.1 431 ") {
			t.Errorf("%.40q… is answered with %.100q, want 431", bomb, got)
		}
	}
}

// Beyond the limit the connection that has waited longest is closed; one that is being answered stays.
func TestConnectionLimit(t *testing.T) {
	t.Parallel()
	address, _ := startServer(t, false, serverLimits{connections: 3})
	busy := testkit.Dial(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	_, err := busy.Read(make([]byte, 1)) // it is being answered
	if err != nil {
		t.Fatal(err)
	}
	longest, longer := testkit.Dial(t, address, ""), testkit.Dial(t, address, "GET / HTTP/1.1\r\nHost: x\r\nX-")
	for range 5 {
		last := testkit.Dial(t, address, "")
		testkit.ReadUntilClosed(t, longest)
		longest, longer = longer, last
	}
	_, err = io.WriteString(longer, "HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if got := testkit.ReadUntilClosed(t, longer); err != nil || !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("the one that came last: %v, %.100q", err, got)
	}
	_, err = io.ReadFull(busy, make([]byte, 32<<20))
	if err != nil {
		t.Errorf("the one that is being answered: %v", err)
	}
}

func TestConnectionLimitDuringHandshakes(t *testing.T) {
	t.Parallel()
	address, _ := startServer(t, true, serverLimits{connections: 1})
	before := testkit.Dial(t, address, "")
	for range 5 {
		next := testkit.Dial(t, address, "\x16\x03\x01")
		testkit.ReadUntilClosed(t, before)
		before = next
	}
}

// While all connections are being answered, a new one is closed.
func TestConnectionLimitWhileAllAreBusy(t *testing.T) {
	t.Parallel()
	address, _ := startServer(t, false, serverLimits{connections: 1})
	_, err := testkit.Dial(t, address, "GET / HTTP/1.1\r\nHost: x\r\n\r\n").Read(make([]byte, 1))
	if err != nil {
		t.Fatal(err)
	}
	testkit.ReadUntilClosed(t, testkit.Dial(t, address, ""))
}

// The log says that a page panicked, but not with what.
func TestPanicOfAPageIsWithheld(t *testing.T) {
	const canary = "fnr 01010112345"
	var logged bytes.Buffer
	server := httptest.NewUnstartedServer(nil)
	server.Config = newServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(canary + "\ngoroutine 1 [running]:\n" + canary)
	}), slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug})), defaultLimits())
	server.Start()
	answer, err := http.Get(server.URL)
	if err == nil {
		_ = answer.Body.Close()
		t.Error("an answer")
	}
	server.Close() // and the log is whole
	said := logged.String()
	if strings.Contains(said, "0101") || !strings.Contains(said, "level=ERROR") || !strings.Contains(said, "TestPanicOfAPageIsWithheld") {
		t.Errorf("logged %s", said)
	}
}
