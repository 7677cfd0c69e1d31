package main

import (
	"crypto/tls"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/web"
)

// limits is what whoever connects may take of the exporter.
type limits struct {
	request     time.Duration // to send a whole request, and for a TLS handshake
	answer      time.Duration // to read the answer
	idle        time.Duration // between two requests
	header      int           // bytes of a request's line and headers
	connections int           // open at once
}

// servedLimits leave descriptors and memory for probing, whatever happens at the door. A Prometheus closes
// what has been idle for five minutes by itself.
func servedLimits() limits {
	return limits{request: 10 * time.Second, answer: web.AnswerTimeout, idle: 6 * time.Minute, header: 64 << 10, connections: 512}
}

func newServer(h http.Handler, log *slog.Logger, l limits) *http.Server {
	open := &connections{limit: l.connections, log: log, open: map[net.Conn]uint64{}}
	return &http.Server{
		Handler:        h,
		ReadTimeout:    l.request,
		WriteTimeout:   l.answer,
		IdleTimeout:    l.idle,
		MaxHeaderBytes: l.header,
		ConnState:      open.changed,
		ErrorLog:       stdlog.New(complaints{log}, "", 0),
	}
}

// connections bounds how many are open. One too many costs the connection that has waited longest for a
// whole request, so that who holds connections for nothing shuts nobody out.
type connections struct {
	limit int
	log   *slog.Logger

	mu     sync.Mutex
	open   map[net.Conn]uint64 // since which turn it waits for a request, or atWork
	turn   uint64
	warned time.Time
}

// atWork is the turn of a connection whose request is being answered.
const atWork = 0

// changed is a hook of http.Server.
func (c *connections) changed(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew, http.StateIdle:
		c.turn++
		c.open[conn] = c.turn
	case http.StateActive:
		c.open[conn] = atWork
	default:
		delete(c.open, conn)
	}
	if len(c.open) > c.limit {
		c.closeOne()
	}
}

// closeOne closes the connection that has waited longest. The one that has just come waits.
func (c *connections) closeOne() {
	var longest net.Conn
	for conn, turn := range c.open {
		if turn != atWork && (longest == nil || turn < c.open[longest]) {
			longest = conn
		}
	}
	if longest == nil {
		return
	}
	delete(c.open, longest)
	if encrypted, is := longest.(*tls.Conn); is {
		longest = encrypted.NetConn() // whose Close waits for nobody
	}
	_ = longest.Close()
	if time.Since(c.warned) > time.Minute {
		c.warned = time.Now()
		c.log.Warn("too many connections: those that wait longest without a request are being closed", "limit", c.limit)
	}
}
