package web

import (
	"crypto/tls"
	"errors"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"
)

// serverLimits is what clients may take of the exporter.
type serverLimits struct {
	request     time.Duration // to send a whole request, and for a TLS handshake
	answer      time.Duration // to read the answer
	idle        time.Duration // between two requests
	header      int           // bytes of a request's line and headers
	connections int           // open at once
}

// defaultLimits leave descriptors and memory for probing, whatever clients do. Prometheus itself closes a connection that
// has been idle for five minutes.
func defaultLimits() serverLimits {
	return serverLimits{request: 10 * time.Second, answer: AnswerTimeout, idle: 6 * time.Minute, header: 64 << 10, connections: 512}
}

func newServer(h http.Handler, log *slog.Logger, l serverLimits) *http.Server {
	open := &connections{limit: l.connections, log: log, open: map[net.Conn]uint64{}}
	return &http.Server{
		Handler:        h,
		ReadTimeout:    l.request,
		WriteTimeout:   l.answer,
		IdleTimeout:    l.idle,
		MaxHeaderBytes: l.header,
		ConnState:      open.stateChanged,
		ErrorLog:       stdlog.New(serverErrorLog{log}, "", 0),
	}
}

// connections bounds how many are open. One too many closes the connection that has waited longest for a whole request,
// so idle clients cannot exhaust the limit.
type connections struct {
	limit int
	log   *slog.Logger

	mu     sync.Mutex
	open   map[net.Conn]uint64 // since which event it waits for a request, or activeConn
	events uint64
	warned time.Time
}

// activeConn marks a connection whose request is being answered.
const activeConn = 0

// stateChanged is the ConnState hook of http.Server.
func (c *connections) stateChanged(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew, http.StateIdle:
		c.events++
		c.open[conn] = c.events
	case http.StateActive:
		c.open[conn] = activeConn
	default:
		delete(c.open, conn)
	}
	if len(c.open) > c.limit {
		c.closeLongestWaiting()
	}
}

// closeLongestWaiting closes the connection that has waited longest for a request, which may be the newest.
func (c *connections) closeLongestWaiting() {
	var longest net.Conn
	for conn, since := range c.open {
		if since != activeConn && (longest == nil || since < c.open[longest]) {
			longest = conn
		}
	}
	if longest == nil {
		return
	}
	delete(c.open, longest)
	if encrypted, is := longest.(*tls.Conn); is {
		longest = encrypted.NetConn() // whose Close waits for nothing
	}
	_ = longest.Close()
	if time.Since(c.warned) > time.Minute {
		c.warned = time.Now()
		c.log.Warn("too many connections: closing those that have waited longest without a request", "limit", c.limit)
	}
}

// serverErrorLog is where http.Server writes what went wrong with a connection.
type serverErrorLog struct{ log *slog.Logger }

var (
	handshakeError = regexp.MustCompile(`(?s)^(http: TLS handshake error from \S+): (.*)`)
	handlerPanic   = regexp.MustCompile(`(?s)^http: panic serving \S+: .*\n(goroutine \d+ \[running\]:.*)`)
	stackFunction  = regexp.MustCompile(`(?m)^([\w./*()-]+)\(`) // of a stack, without its arguments
)

func (l serverErrorLog) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	failed, panicked := handshakeError.FindStringSubmatch(text), handlerPanic.FindStringSubmatch(text)
	switch {
	case panicked != nil:
		var at []string
		for _, match := range stackFunction.FindAllStringSubmatch(panicked[1], -1) {
			at = append(at, match[1])
		}
		l.log.Error("a page panicked; its message is withheld, since it may quote an answer", "at", at)
	case failed != nil && isWebConfigFault(failed[2]):
		l.log.Debug(failed[1] + ": --web.config.file: " + webConfigFault(errors.New(failed[2])))
	case strings.HasPrefix(text, "http: Accept error"):
		l.log.Warn("cannot accept connections for now: no file descriptors are left, or the network is down")
	default:
		l.log.Debug(text)
	}
	return len(line), nil
}

// isWebConfigFault says whether a handshake failed with an error of the toolkit, because the file has become bad.
func isWebConfigFault(why string) bool {
	return !strings.Contains(why, "tls: ") && !strings.Contains(why, " tcp ") && why != "EOF"
}
