package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// counting is a gateway that counts how often each path is asked for.
type counting struct {
	mu   sync.Mutex
	seen map[string]int
}

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.seen[r.URL.Path]++
	c.mu.Unlock()
	wellAnswer(w, r)
}

func (c *counting) count(path string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seen[path]
}

// besieged is the built program, with three targets that run every second.
type besieged struct {
	*served
	gateway *counting
}

func besiege(t *testing.T, args ...string) besieged {
	t.Helper()
	gateway := &counting{seen: map[string]int{}}
	config := configure(t, t.TempDir(), answering(t, gateway.ServeHTTP), "a", "b", "c")
	s, _ := spawn(t, append(args, "--config.file="+config, "--log.level=debug")...)
	return besieged{s, gateway}
}

// probesOn waits until each target has run three times more.
func (b besieged) probesOn(t *testing.T) {
	t.Helper()
	before := map[string]int{}
	for _, path := range []string{"/a/", "/b/", "/c/"} {
		before[path] = b.gateway.count(path)
	}
	for path, n := range before {
		eventually(t, "runs of "+path, func() bool { return b.gateway.count(path) >= n+3 })
	}
}

// besieger holds connections, and closes them without a trace at the end of the test.
func (b besieged) besieger(t *testing.T, sent string) net.Conn {
	t.Helper()
	conn := knock(t, b.address, sent)
	tcp, is := conn.(*net.TCPConn)
	if !is || tcp.SetLinger(0) != nil {
		t.Fatal("no TCP")
	}
	return conn
}

// drips sends one byte of a header every 20 ms, over and over, until the test ends.
func (b besieged) drips(t *testing.T, all *sync.WaitGroup, ended <-chan struct{}) {
	t.Helper()
	conn := b.besieger(t, "GET /metrics HTTP/1.1\r\nHost: x\r\n")
	all.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			select {
			case <-ended:
				return
			case <-tick.C:
				_, err := io.WriteString(conn, "X-Drip: y\r\n"[i%11:i%11+1])
				if err != nil {
					return // cut off
				}
			}
		}
	})
}

// Everything slow at once: whoever is quick is served, and every target goes on.
func TestSiege(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	var all sync.WaitGroup
	ended := make(chan struct{})
	for range 600 { // more than there may be
		b.besieger(t, "POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
	}
	for range 100 {
		b.drips(t, &all, ended)
		b.besieger(t, "GET / HTTP/1.1\r\nHost: x\r\nX-Bomb: "+strings.Repeat("b", 60<<10))
	}
	for range 4 { // scrapes that nobody reads
		b.besieger(t, strings.Repeat("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 50))
	}
	for range 5 {
		now := b.metrics(t)
		if now["process_open_fds"] > 600 {
			t.Errorf("%v descriptors are open", now["process_open_fds"])
		}
	}
	status, _ := b.request(t, "GET", "/")
	if status != 200 {
		t.Errorf("the status page: %d", status)
	}
	b.probesOn(t)
	close(ended)
	all.Wait()
	if strings.Contains(b.err.String(), "DATA RACE") {
		t.Errorf("a race:\n%s", b.err)
	}
}

// descriptors is how many more connections this process may open, with room for the other tests.
func descriptors(t *testing.T) int {
	t.Helper()
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	if err != nil {
		t.Fatal(err)
	}
	most := int(limit.Cur) - 1000
	if most < 1000 {
		t.Fatalf("a process may open %d files: too few to try it", limit.Cur)
	}
	return most
}

func TestTenThousandIdleConnections(t *testing.T) {
	t.Parallel()
	b := besiege(t)
	n := min(10_000, descriptors(t))
	t.Logf("%d connections", n)
	conns := make([]net.Conn, n)
	for i := range conns {
		conns[i] = b.besieger(t, "")
	}
	_, err := io.WriteString(conns[n-1], "GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if got := shut(t, conns[n-1]); err != nil || !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("the last: %v, %q", err, got)
	}
	if open := b.metrics(t)["process_open_fds"]; open > 600 {
		t.Errorf("%v descriptors are open, want those of 512 connections", open)
	}
	b.probesOn(t)
	shut(t, conns[0])
	if !strings.Contains(b.err.String(), "too many connections") {
		t.Error("the log does not say that there were too many")
	}
}
