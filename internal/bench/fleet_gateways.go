package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// plan is what the gateways of a fleet are told: at first all of it, later how many hang.
type plan struct {
	CAFile  string // written by them; empty: plain HTTP
	Hosts   int
	APIs    int // of each host: /0/, /1/ and so on
	Hanging int // the first so many hosts never answer
}

// arrivals is what they say whenever they are told something: their addresses, and the requests so far by host and API.
type arrivals struct {
	URLs   []string
	Counts [][]int64
}

func (a arrivals) total() (n int64) {
	for _, host := range a.Counts {
		for _, count := range host {
			n += count
		}
	}
	return n
}

// gateways is many of them in one process. It shares its processor with the exporter, which has all.
type gateways struct {
	process *process
	dir     string
	plan    plan
	URLs    []string
}

func startGateways(ctx context.Context, hosts, apis int, secure bool) (*gateways, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	g := &gateways{dir: dir, plan: plan{Hosts: hosts, APIs: apis}}
	if secure {
		g.plan.CAFile = filepath.Join(dir, "ca.pem")
	}
	g.process, err = startRole(ctx, "gateways", theirProcessor, g.plan)
	if err != nil {
		g.stop()
		return nil, err
	}
	var now arrivals
	err = g.process.hear(&now)
	if err != nil {
		g.stop()
		return nil, err
	}
	g.URLs = now.URLs
	return g, nil
}

// hang lets the first so many hosts hang from now on, and returns what has arrived.
func (g *gateways) hang(hosts int) (now arrivals, err error) {
	g.plan.Hanging = hosts
	err = json.NewEncoder(g.process.in).Encode(g.plan)
	if err == nil {
		err = g.process.hear(&now)
	}
	return now, err
}

// arrived returns what has arrived so far.
func (g *gateways) arrived() (arrivals, error) { return g.hang(g.plan.Hanging) }

func (g *gateways) stop() {
	if g.process != nil {
		g.process.stop()
	}
	_ = os.RemoveAll(g.dir)
}

// host is one gateway within the role.
type host struct {
	number  int
	hanging *atomic.Int64
	counts  []atomic.Int64
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
	if err != nil || n < 0 || n >= len(h.counts) {
		http.NotFound(w, r)
		return
	}
	h.counts[n].Add(1)
	if int64(h.number) < h.hanging.Load() {
		<-r.Context().Done()
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, answer())
}

// serveGateways is the role.
func serveGateways(context.Context) error {
	orders := json.NewDecoder(os.Stdin)
	var told plan
	err := orders.Decode(&told)
	if err != nil {
		return err
	}
	var certificate tls.Certificate
	if told.CAFile != "" {
		certificate, err = newCertificate(told.CAFile)
		if err != nil {
			return err
		}
	}
	var hanging atomic.Int64
	hosts := make([]*host, told.Hosts)
	now := arrivals{}
	for i := range hosts {
		hosts[i] = &host{i, &hanging, make([]atomic.Int64, told.APIs)}
		url, err := hosts[i].listen(told.CAFile != "", certificate)
		if err != nil {
			return err
		}
		now.URLs = append(now.URLs, url)
	}
	for {
		now.Counts = counted(hosts)
		err = tell(now)
		if err == nil {
			err = orders.Decode(&told)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		hanging.Store(int64(told.Hanging))
	}
}

func (h *host) listen(secure bool, certificate tls.Certificate) (url string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0),                               // probes of a host that hangs end in the middle
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/1.1 alone
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}},
	}
	if secure {
		go func() { _ = server.ServeTLS(listener, "", "") }()
		return "https://" + listener.Addr().String(), nil
	}
	go func() { _ = server.Serve(listener) }()
	return "http://" + listener.Addr().String(), nil
}

func counted(hosts []*host) [][]int64 {
	all := make([][]int64, len(hosts))
	for i, h := range hosts {
		all[i] = make([]int64, len(h.counts))
		for j := range h.counts {
			all[i][j] = h.counts[j].Load()
		}
	}
	return all
}
