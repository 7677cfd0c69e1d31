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

	"github.com/integra-exporter/integra_exporter/internal/testkit"
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

// server is the built program, with three targets that run every second.
type server struct {
	*served
	gateway *counting
}

func startServer(t *testing.T, args ...string) server {
	t.Helper()
	gateway := &counting{seen: map[string]int{}}
	config := configure(t, t.TempDir(), answering(t, gateway.ServeHTTP), "a", "b", "c")
	s, _ := spawn(t, append(args, "--config.file="+config, "--log.level=debug")...)
	return server{s, gateway}
}

// keepsProbing waits until each target has run three times more.
func (b server) keepsProbing(t *testing.T) {
	t.Helper()
	before := map[string]int{}
	for _, path := range []string{"/a/", "/b/", "/c/"} {
		before[path] = b.gateway.count(path)
	}
	for path, n := range before {
		testkit.Eventually(t, "runs of "+path, func() bool { return b.gateway.count(path) >= n+3 })
	}
}

// hold opens a connection that is reset at the end of the test.
func (b server) hold(t *testing.T, sent string) net.Conn {
	t.Helper()
	conn := testkit.Dial(t, b.address, sent)
	tcp, is := conn.(*net.TCPConn)
	if !is || tcp.SetLinger(0) != nil {
		t.Fatal("no TCP")
	}
	return conn
}

// drip sends one byte of a header every 20 ms, over and over, until the test ends.
func (b server) drip(t *testing.T, all *sync.WaitGroup, ended <-chan struct{}) {
	t.Helper()
	conn := b.hold(t, "GET /metrics HTTP/1.1\r\nHost: x\r\n")
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

// Slow clients of every kind at once: quick ones are served, and every target keeps running.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	b := startServer(t)
	var all sync.WaitGroup
	ended := make(chan struct{})
	for range 600 { // more than there may be
		b.hold(t, "POST /-/reload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
	}
	for range 100 {
		b.drip(t, &all, ended)
		b.hold(t, "GET / HTTP/1.1\r\nHost: x\r\nX-Bomb: "+strings.Repeat("b", 60<<10))
	}
	for range 4 { // scrapes that nobody reads
		b.hold(t, strings.Repeat("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 50))
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
	b.keepsProbing(t)
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
	b := startServer(t)
	n := min(10_000, descriptors(t))
	t.Logf("%d connections", n)
	conns := make([]net.Conn, n)
	for i := range conns {
		conns[i] = b.hold(t, "")
	}
	_, err := io.WriteString(conns[n-1], "GET /-/healthy HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	if got := testkit.ReadUntilClosed(t, conns[n-1]); err != nil || !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("the last: %v, %q", err, got)
	}
	if open := b.metrics(t)["process_open_fds"]; open > 600 {
		t.Errorf("%v descriptors are open, want those of 512 connections", open)
	}
	b.keepsProbing(t)
	testkit.ReadUntilClosed(t, conns[0])
	if !strings.Contains(b.err.String(), "too many connections") {
		t.Error("the log does not say that there were too many")
	}
}

// malformedRequests are requests that no well-behaved client sends, by what they try, and how the answer begins.
func malformedRequests() map[string][2]string {
	get := func(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" }
	with := func(header string) string {
		return "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + "\r\n\r\n"
	}
	return map[string][2]string{
		"two slashes":             {get("//"), "HTTP/1.1 307 "},
		"another host in a path":  {get("//evil.example/x"), "HTTP/1.1 307 "},
		"up":                      {get("/../../etc/passwd"), "HTTP/1.1 307 "},
		"up, escaped":             {get("/%2e%2e/%2e%2e/etc/passwd"), "HTTP/1.1 404 "},
		"up, escaped slash":       {get("/..%2f..%2fetc/passwd"), "HTTP/1.1 404 "},
		"up, escaped twice":       {get("/%252e%252e/etc/passwd"), "HTTP/1.1 404 "},
		"backslashes":             {get(`/..\..\etc\passwd`), "HTTP/1.1 404 "},
		"NUL, escaped":            {get("/metrics%00.html"), "HTTP/1.1 404 "},
		"NUL":                     {get("/metrics\x00"), "HTTP/1.1 400 "},
		"line break, escaped":     {get("/%0d%0aSet-Cookie:%20a=b"), "HTTP/1.1 404 "},
		"half an escape":          {get("/%"), "HTTP/1.1 400 "},
		"long":                    {get("/" + strings.Repeat("a", 50<<10)), "HTTP/1.1 404 "},
		"too long":                {get("/" + strings.Repeat("a", 100<<10)), "HTTP/1.1 431 "},
		"many parameters":         {get("/?" + strings.Repeat("a&", 20<<10)), "HTTP/1.1 400 "},
		"absolute":                {get("http://evil.example/-/healthy"), "HTTP/1.1 200 "},
		"absolute, two slashes":   {get("http://evil.example//x"), "HTTP/1.1 307 "},
		"no path":                 {get("*"), "HTTP/1.1 400 "},
		"no space":                {"GET/\r\n\r\n", "HTTP/1.1 400 "},
		"HTTP/0.9":                {"GET /\r\n", "HTTP/1.1 400 "},
		"HTTP/3.0":                {"GET / HTTP/3.0\r\nHost: x\r\n\r\n", "HTTP/1.1 505 "},
		"HTTP/2 without asking":   {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", "HTTP/1.1 400 "},
		"HTTP/2 by upgrade":       {with("Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"), "HTTP/1.1 200 "},
		"CONNECT":                 {"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
		"CONNECT to a path":       {"CONNECT /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
		"TRACE":                   {"TRACE / HTTP/1.1\r\nHost: x\r\nX-Echo: evil.example\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
		"method of nobody":        {"EVIL / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 405 "},
		"no host":                 {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 "},
		"two hosts":               {with("Host: y"), "HTTP/1.1 400 "},
		"two lengths":             {with("Content-Length: 1\r\nContent-Length: 2"), "HTTP/1.1 400 "},
		"negative length":         {with("Content-Length: -1"), "HTTP/1.1 400 "},
		"unknown coding":          {with("Transfer-Encoding: evil"), "HTTP/1.1 501 "},
		"chunked and a length":    {with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /x"), "HTTP/1.1 200 "},
		"broken chunk":            {with("Transfer-Encoding: chunked\r\n\r\nzz"), "HTTP/1.1 200 "},
		"header over two lines":   {with("X-A: b\r\n evil.example"), "HTTP/1.1 200 "},
		"space before the colon":  {with("X-A : b"), "HTTP/1.1 400 "},
		"a body that is expected": {with("Expect: evil"), "HTTP/1.1 417 "},
	}
}

// Whatever a request tries: the answer is one of ours, names no other host, and repeats nothing as a header.
func TestMalformedRequests(t *testing.T) {
	testkit.NoLeaks(t)
	gateway := &counting{seen: map[string]int{}}
	s := start(t, "--config.file="+configure(t, t.TempDir(), answering(t, gateway.ServeHTTP), "a"))
	for name, trick := range malformedRequests() {
		got := testkit.ReadUntilClosed(t, testkit.Dial(t, s.address, trick[0]))
		header, _, _ := strings.Cut(got, "\r\n\r\n")
		if !strings.HasPrefix(got, trick[1]) {
			t.Errorf("%s is answered with %.300q, want %s", name, got, trick[1])
		}
		for _, sign := range []string{"evil.example\r\n", "//evil", "Location: //", "Set-Cookie", "root:"} {
			if strings.Contains(header, sign) {
				t.Errorf("%s is answered with %s: %.300q", name, sign, got)
			}
		}
		if strings.Count(got, "HTTP/1.1 ") != 1 || strings.Contains(got, "evil.example") && !strings.Contains(header, "Location: /evil.example") {
			t.Errorf("%s is answered with more than is ours: %.600q", name, got)
		}
	}
}
