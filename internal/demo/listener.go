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

// httpsListener serves HTTP/1.1 and HTTP/2 over TLS.
type httpsListener struct {
	net.Listener
	server      *http.Server
	served      chan struct{}
	connections sync.WaitGroup
}

// certificateFunc returns the certificate that a handshake shows.
type certificateFunc func(*tls.ClientHelloInfo) (*tls.Certificate, error)

func listenHTTPS(address string, certificate certificateFunc, handler http.Handler) (*httpsListener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	h := &httpsListener{Listener: l, served: make(chan struct{})}
	h.server = &http.Server{
		Handler:           handler,
		TLSConfig:         &tls.Config{GetCertificate: certificate, MinVersion: tls.VersionTLS12},
		ErrorLog:          log.New(io.Discard, "", 0),
		ReadHeaderTimeout: 10 * time.Second,
		ConnState:         h.track,
	}
	go func() {
		defer close(h.served)
		_ = h.server.ServeTLS(l, "", "") // ends when the listener is closed
	}()
	return h, nil
}

func (h *httpsListener) address() string { return h.Addr().String() }

func (h *httpsListener) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		h.connections.Add(1)
	case http.StateClosed:
		h.connections.Done()
	}
}

// close closes the listener first and alone: Server.Close misses a connection that is
// just being accepted.
func (h *httpsListener) close() {
	_ = h.Close()
	<-h.served
	_ = h.server.Close()
	h.connections.Wait()
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
