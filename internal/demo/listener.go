package demo

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

const anyPort = "127.0.0.1:0"

// endpoint is an address at which a gateway or a broker can stop and start to listen.
type endpoint struct {
	address string // 127.0.0.1:PORT, the same also after a refusal
	listen  func(address string) (listener, error)
	closing <-chan struct{} // closed: the platform ends

	mu       sync.Mutex // one change of listener at a time; never taken by a request
	listener listener   // nil: connections are refused
}

// listener accepts connections and keeps track of them.
type listener interface {
	address() string
	close() // refuses new connections, cuts the old ones and waits for them
}

func newEndpoint(listen func(address string) (listener, error), closing <-chan struct{}) (*endpoint, error) {
	l, err := listen(anyPort)
	if err != nil {
		return nil, err
	}
	return &endpoint{address: l.address(), listen: listen, closing: closing, listener: l}, nil
}

func (e *endpoint) shut() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listener != nil {
		e.listener.close()
		e.listener = nil
	}
}

// reopen listens on the old port again. Another program may have the port for a
// moment, so it tries until it succeeds or the platform closes.
func (e *endpoint) reopen() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for e.listener == nil {
		select {
		case <-e.closing:
			return
		default:
		}
		l, err := e.listen(e.address)
		if err == nil {
			e.listener = l
			return
		}
		select {
		case <-e.closing:
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// httpsListener serves HTTP/1.1 and HTTP/2 over TLS. A handler may send bytes of its own on an HTTP/1.1 connection, which
// the server then takes back as if it were new.
type httpsListener struct {
	net.Listener
	config      *tls.Config
	server      *http.Server
	served      chan struct{}
	accepted    chan net.Conn
	closing     chan struct{}
	connections sync.WaitGroup

	mu     sync.Mutex
	lent   map[net.Conn]bool // to handlers
	closed bool
}

// certificateFunc returns the certificate that a handshake shows.
type certificateFunc func(*tls.ClientHelloInfo) (*tls.Certificate, error)

func listenHTTPS(address string, certificate certificateFunc, handler http.Handler) (*httpsListener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	h := &httpsListener{
		Listener: l, served: make(chan struct{}), accepted: make(chan net.Conn), closing: make(chan struct{}), lent: map[net.Conn]bool{},
		config: &tls.Config{GetCertificate: certificate, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}},
	}
	h.server = &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(&rawWriter{w, h}, r) }),
		TLSConfig:         h.config,
		ErrorLog:          log.New(io.Discard, "", 0),
		ReadHeaderTimeout: 10 * time.Second,
		ConnState:         h.track,
	}
	h.connections.Go(h.accept)
	go func() {
		defer close(h.served)
		_ = h.server.Serve(h) // ends when the listener is closed
	}()
	return h, nil
}

func (h *httpsListener) address() string { return h.Addr().String() }

// accept takes connections until the listener is closed.
func (h *httpsListener) accept() {
	for {
		conn, err := h.Listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // such as no free file descriptor, which passes
			time.Sleep(10 * time.Millisecond)
			continue
		}
		h.offer(tls.Server(conn, h.config))
	}
}

// offer hands conn to the server.
func (h *httpsListener) offer(conn net.Conn) {
	select {
	case h.accepted <- conn:
	case <-h.closing:
		_ = conn.Close()
	}
}

// Accept implements net.Listener for the server.
func (h *httpsListener) Accept() (net.Conn, error) {
	select {
	case conn := <-h.accepted:
		return conn, nil
	case <-h.closing:
		return nil, net.ErrClosed
	}
}

func (h *httpsListener) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		h.connections.Add(1)
	case http.StateClosed: // one that a handler has counts until it gives it back
		h.connections.Done()
	}
}

// close closes the listener first and alone: Server.Close misses a connection that is
// just being accepted.
func (h *httpsListener) close() {
	close(h.closing)
	_ = h.Listener.Close()
	<-h.served
	_ = h.server.Close()
	h.mu.Lock()
	h.closed = true
	for conn := range h.lent {
		_ = conn.Close()
	}
	h.mu.Unlock()
	h.connections.Wait()
}

// borrow lets close end conn while a handler has it.
func (h *httpsListener) borrow(conn net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lent[conn] = true
	if h.closed {
		_ = conn.Close()
	}
}

func (h *httpsListener) giveBack(conn net.Conn) {
	h.mu.Lock()
	delete(h.lent, conn)
	h.mu.Unlock()
	h.connections.Done()
}

// rawWriter can send an answer byte for byte.
type rawWriter struct {
	http.ResponseWriter
	listener *httpsListener
}

// Unwrap implements the interface of http.ResponseController.
func (w *rawWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// fate is what becomes of a connection after an answer.
type fate int

const (
	kept fate = iota
	closed
)

// send sends answer over HTTP/1.1. After one that was cut off, a connection that is kept says nothing more.
func (w *rawWriter) send(answer string, after fate, cut bool) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return
	}
	w.listener.borrow(conn)
	defer w.listener.giveBack(conn)
	_, err = io.WriteString(conn, answer)
	switch {
	case err != nil || after == closed:
		_ = conn.Close()
	case cut:
		_, _ = io.Copy(io.Discard, conn) // until the client leaves
		_ = conn.Close()
	case buffered.Reader.Buffered() > 0: // another request already: nobody here sends two at once
		_ = conn.Close()
	default:
		w.listener.offer(conn)
	}
}

// tcpListener hands every connection to a function.
type tcpListener struct {
	net.Listener
	cut     context.CancelFunc // closes all connections
	running sync.WaitGroup
}

// listenTCP hands every connection to serve, which closes it.
func listenTCP(address string, serve func(net.Conn)) (*tcpListener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	ctx, cut := context.WithCancel(context.Background())
	t := &tcpListener{Listener: l, cut: cut}
	t.running.Go(func() { t.accept(ctx, serve) })
	return t, nil
}

func (t *tcpListener) address() string { return t.Addr().String() }

func (t *tcpListener) accept(ctx context.Context, serve func(net.Conn)) {
	for {
		conn, err := t.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // such as no free file descriptor, which passes
			time.Sleep(10 * time.Millisecond)
			continue
		}
		t.running.Go(func() {
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			serve(conn)
		})
	}
}

func (t *tcpListener) close() {
	_ = t.Close()
	t.cut()
	t.running.Wait()
}
