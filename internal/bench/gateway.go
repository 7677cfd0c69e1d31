package main

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// answer is 2 KiB of JSON.
func answer() string { return `["` + strings.Repeat("a", 2044) + `"]` }

// gateway is a simulated gateway in a process of its own.
type gateway struct {
	process *process
	dir     string
	URL     string
	CAFile  string
}

// startGateway starts a gateway that answers 2 KiB of JSON over HTTPS to whatever it is asked.
//
// It waits where it is told to: before the answer and in the middle of it
// (?processing=50ms&transfer=5ms), and in the handshake (the name 500ms.delay).
func startGateway(ctx context.Context) (*gateway, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	g := &gateway{dir: dir}
	g.process, err = startRole(ctx, "gateway", theirProcessor, filepath.Join(dir, "ca.pem"))
	if err != nil {
		g.stop()
		return nil, err
	}
	err = g.process.hear(g)
	if err != nil {
		g.stop()
		return nil, err
	}
	return g, nil
}

func (g *gateway) stop() {
	if g.process != nil {
		g.process.stop()
	}
	_ = os.RemoveAll(g.dir)
}

// serveGateway is the role.
func serveGateway(context.Context) error {
	var caFile string
	err := task(&caFile)
	if err != nil {
		return err
	}
	certificate, err := newCertificate(caFile)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w, mux := newWaits(), http.NewServeMux()
	mux.HandleFunc("/", w.serveAnswer)
	mux.Handle(waitsPath, w)
	server := &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),                               // what a probe gives up is counted there
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1.1 alone
		TLSConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			Certificates:       []tls.Certificate{certificate},
			GetConfigForClient: w.inHandshake,
		},
	}
	go func() { _ = server.ServeTLS(listener, "", "") }()
	err = tell(gateway{URL: "https://" + listener.Addr().String(), CAFile: caFile})
	untilAlone()
	return err
}

// serveAnswer waits where the query says, and answers.
func (w *waits) serveAnswer(rw http.ResponseWriter, r *http.Request) {
	text := answer()
	rw.Header().Set("Content-Type", "application/json")
	rw.Header().Set("Content-Length", strconv.Itoa(len(text)))
	if r.URL.RawQuery == "" {
		_, _ = io.WriteString(rw, text)
		return
	}
	query := r.URL.Query()
	processing := wait(query.Get("processing"))
	_, _ = io.WriteString(rw, text[:1000])
	_ = http.NewResponseController(rw).Flush()
	transfer := wait(query.Get("transfer"))
	w.remember(r, processing, transfer) // before the end of the answer, which ends the probe
	_, _ = io.WriteString(rw, text[1000:])
}
