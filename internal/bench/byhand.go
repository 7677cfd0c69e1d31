package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// byHand is a prober that has nothing in common with the exporter's, nor with
// net/http's client: one step after the other, with a look at the clock between.
type byHand struct {
	config *tls.Config
	target *url.URL
	kept   chan *wire // connections that are free; nil: none is kept
}

// wire is a connection after its handshake.
type wire struct {
	*tls.Conn
	in *bufio.Reader
}

func newByHand(g *gateway, reuse bool) (*byHand, error) {
	config, err := probe.TLS{CAFile: g.CAFile}.Config()
	if err != nil {
		return nil, err
	}
	target, err := url.Parse(g.URL + "/?processing=0ms")
	if err != nil {
		return nil, err
	}
	config.ServerName = target.Hostname()
	h := &byHand{config: config, target: target}
	if reuse {
		h.kept = make(chan *wire, 100)
	}
	return h, nil
}

// Probe implements probe.Prober. The duration is from the first step that is not left out to the last.
func (h *byHand) Probe(ctx context.Context) (seen probe.Observation, err error) {
	start := time.Now()
	var c *wire
	select {
	case c = <-h.kept:
	default:
		c, err = h.dial(ctx, &seen.Phases)
		if err != nil {
			return seen, err
		}
	}
	if h.kept != nil {
		seen.Phases, start = probe.Phases{}, time.Now()
	}
	err = h.ask(ctx, c, &seen.Phases)
	seen.Elapsed = time.Since(start)
	if err != nil || h.kept == nil {
		_ = c.Close()
		return seen, err
	}
	h.kept <- c
	return seen, nil
}

func (h *byHand) dial(ctx context.Context, took *probe.Phases) (*wire, error) {
	start := time.Now()
	bare, err := new(net.Dialer).DialContext(ctx, "tcp", h.target.Host)
	if err != nil {
		return nil, err
	}
	connected := time.Now()
	c := tls.Client(bare, h.config)
	err = c.HandshakeContext(ctx)
	took[probe.PhaseConnect], took[probe.PhaseTLS] = connected.Sub(start), time.Since(connected)
	return &wire{c, bufio.NewReader(c)}, err
}

func (h *byHand) ask(ctx context.Context, c *wire, took *probe.Phases) error {
	start := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.target.String(), http.NoBody)
	if err != nil {
		return err
	}
	err = req.Write(c)
	if err == nil {
		_, err = c.in.Peek(1)
	}
	if err != nil {
		return err
	}
	answered := time.Now()
	resp, err := http.ReadResponse(c.in, req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	took[probe.PhaseProcessing], took[probe.PhaseTransfer] = answered.Sub(start), time.Since(answered)
	return err
}
