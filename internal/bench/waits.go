package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// pauses is how long the gateway waited for one request, by its own clock: timers fire late.
type pauses map[probe.Phase]time.Duration

// waits is what the gateway remembers of that.
type waits struct {
	mu         sync.Mutex
	handshakes map[string]time.Duration // by the client's address
	answers    map[string]pauses        // by the request's transaction id
}

func newWaits() *waits {
	return &waits{handshakes: map[string]time.Duration{}, answers: map[string]pauses{}}
}

// wait waits for as long as delay says, if anything, and returns how long that was.
func wait(delay string) time.Duration {
	d, err := time.ParseDuration(delay)
	if err != nil || d <= 0 {
		return 0
	}
	start := time.Now()
	time.Sleep(d)
	return time.Since(start)
}

// inHandshake is a tls.Config's GetConfigForClient, which leaves the configuration as it is.
func (w *waits) inHandshake(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	delay, ok := strings.CutSuffix(hello.ServerName, ".delay")
	if ok {
		lasted := wait(delay)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.handshakes[hello.Conn.RemoteAddr().String()] = lasted
	}
	return nil, nil //nolint:nilnil // it stays as it is
}

func (w *waits) remember(r *http.Request, processing, transfer time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[r.Header.Get(probe.TransactionHeader)] = pauses{
		probe.PhaseTLS:        w.handshakes[r.RemoteAddr],
		probe.PhaseProcessing: processing,
		probe.PhaseTransfer:   transfer,
	}
	delete(w.handshakes, r.RemoteAddr)
}

// ServeHTTP tells what was remembered.
func (w *waits) ServeHTTP(rw http.ResponseWriter, _ *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_ = json.NewEncoder(rw).Encode(w.answers)
}

const waitsPath = "/waits"

// waits asks a gateway for how long it waited, by transaction id.
func (g *gateway) waits(ctx context.Context) (answers map[string]pauses, err error) {
	config, err := probe.TLS{CAFile: g.CAFile}.Config()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.URL+waitsPath, nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	return answers, json.NewDecoder(resp.Body).Decode(&answers)
}
