package probe

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// door is a server on loopback that does with each connection what its script says.
type door struct {
	port     string
	accepts  atomic.Int64
	resumed  atomic.Int64 // TLS handshakes that resumed a session
	mu       sync.Mutex
	open     map[net.Conn]bool
	requests []*wire
}

// wire is a request as it stood on the wire.
type wire struct {
	head string // request line and header, names as sent
	body string
	*http.Request
}

// script handles one accepted connection; it is closed when the script ends.
type script func(d *door, c net.Conn)

// serve listens with config, or in plain text without.
func serve(t *testing.T, config *tls.Config, s script) *door {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	d := &door{port: port, open: make(map[net.Conn]bool)}
	var running sync.WaitGroup
	running.Go(func() { d.accept(ln, config, s, &running) })
	t.Cleanup(func() {
		_ = ln.Close()
		d.closeAll()
		running.Wait()
	})
	return d
}

func (d *door) accept(ln net.Listener, config *tls.Config, s script, running *sync.WaitGroup) {
	for {
		raw, err := ln.Accept()
		if err != nil {
			d.closeAll()
			return
		}
		d.accepts.Add(1)
		d.keep(raw, true)
		running.Go(func() {
			defer d.keep(raw, false)
			d.handle(raw, config, s)
		})
	}
}

func (d *door) handle(raw net.Conn, config *tls.Config, s script) {
	defer raw.Close()
	if config == nil {
		s(d, raw)
		return
	}
	secured := tls.Server(raw, config)
	err := secured.Handshake()
	if err != nil {
		return
	}
	if secured.ConnectionState().DidResume {
		d.resumed.Add(1)
	}
	s(d, secured)
	_ = secured.CloseWrite()
}

func (d *door) keep(c net.Conn, open bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if open {
		d.open[c] = true
		return
	}
	delete(d.open, c)
}

func (d *door) closeAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for c := range d.open {
		_ = c.Close()
	}
}

// last returns the request that arrived last.
func (d *door) last() *wire {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.requests) == 0 {
		return nil
	}
	return d.requests[len(d.requests)-1]
}

// receive reads one request off r and remembers it.
func (d *door) receive(r *bufio.Reader) error {
	var head bytes.Buffer
	for !bytes.HasSuffix(head.Bytes(), []byte("\r\n\r\n")) {
		line, err := r.ReadBytes('\n')
		if err != nil {
			return err
		}
		head.Write(line)
	}
	parsed, err := http.ReadRequest(bufio.NewReader(io.MultiReader(bytes.NewReader(head.Bytes()), r)))
	if err != nil {
		return err
	}
	body, err := io.ReadAll(parsed.Body)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.requests = append(d.requests, &wire{head.String(), string(body), parsed})
	return err
}

// answers sends raw after each request and, unless it keeps the connection, closes.
func answers(raw string) script { return chat(raw, false) }

// keeps is answers on a connection that stays.
func keeps(raw string) script { return chat(raw, true) }

func chat(raw string, again bool) script {
	return func(d *door, c net.Conn) {
		r := bufio.NewReader(c)
		for d.receive(r) == nil {
			_, err := io.WriteString(c, raw)
			if err != nil || !again {
				return
			}
		}
	}
}

// thenSilence sends raw after a request and then nothing until the client leaves.
func thenSilence(raw string) script {
	return func(d *door, c net.Conn) {
		r := bufio.NewReader(c)
		if d.receive(r) == nil {
			_, _ = io.WriteString(c, raw)
			_, _ = io.Copy(io.Discard, r)
		}
	}
}

// says sends raw to whoever connects, without waiting for a request.
func says(raw string) script {
	return func(_ *door, c net.Conn) {
		_, _ = io.WriteString(c, raw)
		_, _ = io.Copy(io.Discard, c)
	}
}

// silence reads and says nothing.
func silence(_ *door, c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// hangsUp closes the connection after the request.
func hangsUp(d *door, c net.Conn) { _ = d.receive(bufio.NewReader(c)) }

// resets ends the connection with RST after the request.
func resets(d *door, c net.Conn) {
	_ = d.receive(bufio.NewReader(c))
	reset(c)
}

func reset(c net.Conn) {
	secured, ok := c.(*tls.Conn)
	if ok {
		c = secured.NetConn()
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	_ = c.Close()
}

// response writes out an HTTP/1.1 answer with its length.
func response(status, body string, header ...string) string {
	var b strings.Builder
	b.WriteString("HTTP/1.1 " + status + "\r\n")
	for _, line := range header {
		b.WriteString(line + "\r\n")
	}
	b.WriteString("Content-Length: " + itoa(len(body)) + "\r\n\r\n" + body)
	return b.String()
}

// fullBacklog returns the port of a listener that takes no further connection and refuses none.
func fullBacklog(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	syscall.CloseOnExec(fd)
	t.Cleanup(func() { _ = syscall.Close(fd) })
	err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	if err != nil {
		t.Fatal(err)
	}
	err = syscall.Listen(fd, 0)
	if err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(name.(*syscall.SockaddrInet4).Port)
	conn, err := net.Dial("tcp", "127.0.0.1:"+port) // the one that a backlog of 0 holds
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return port
}
