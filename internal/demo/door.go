package demo

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// door is a listener with everything that came in through it.
type door struct {
	listener    net.Listener
	server      *http.Server
	served      chan struct{}
	connections sync.WaitGroup
}

// presenter says which certificate a handshake shows.
type presenter func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// openDoor serves handler over TLS, HTTP/1.1 and HTTP/2, at address.
func openDoor(address string, present presenter, handler http.Handler) (*door, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	d := &door{listener: listener, served: make(chan struct{})}
	d.server = &http.Server{
		Handler:           handler,
		TLSConfig:         &tls.Config{GetCertificate: present, MinVersion: tls.VersionTLS12},
		ErrorLog:          log.New(io.Discard, "", 0),
		ReadHeaderTimeout: 10 * time.Second,
		ConnState:         d.track,
	}
	go func() {
		defer close(d.served)
		_ = d.server.ServeTLS(listener, "", "") // ends when the listener is closed
	}()
	return d, nil
}

func (d *door) track(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		d.connections.Add(1)
	case http.StateClosed:
		d.connections.Done()
	}
}

// close refuses new connections, cuts the old ones and waits for them. The
// listener goes first and alone: Server.Close misses a connection that is just
// being accepted.
func (d *door) close() {
	_ = d.listener.Close()
	<-d.served
	_ = d.server.Close()
	d.connections.Wait()
}
