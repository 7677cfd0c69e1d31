package probe

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// mouth is a server that says the same to every request: what it was told last.
type mouth struct {
	mu      sync.Mutex
	said    []byte
	hangs   bool // it does not close after that
	address string
}

func (m *mouth) tell(said []byte, hangs bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said, m.hangs = said, hangs
}

func (m *mouth) told() ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.said, m.hangs
}

// spokenTo listens until the fuzzing ends; with config it speaks TLS.
func spokenTo(f *testing.F, config *tls.Config) *mouth {
	f.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	if config != nil {
		listener = tls.NewListener(listener, config)
	}
	m := &mouth{address: listener.Addr().String()}
	f.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go m.speak(c)
		}
	}()
	return m
}

func (m *mouth) speak(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	_, err := r.Peek(1) // of a request, or of the preface of HTTP/2
	if err != nil {
		return
	}
	said, hangs := m.told()
	_, _ = c.Write(said)
	for hangs && err == nil {
		_, err = r.ReadByte() // until the probe leaves
	}
}

// Bits of how a probe of the fuzzer is made.
const (
	withJQ = 1 << iota
	withHeader
	asHead
	asAuth
	asHTTP2
	hanging
)

// ways returns the probers by the bits that make them.
func ways(f *testing.F, plain, secured *mouth, trust string) []Prober {
	f.Helper()
	shared := NewShared()
	var made []Prober
	for bits := range hanging {
		to := &url.URL{Scheme: "http", Host: plain.address, Path: "/"}
		if bits&asHTTP2 != 0 {
			to = &url.URL{Scheme: "https", Host: secured.address, Path: "/"}
		}
		transport, err := NewTransport(TransportOptions{TLS: TLS{CAFile: trust}, HTTP2: bits&asHTTP2 != 0})
		if err != nil {
			f.Fatal(err)
		}
		request := Request{
			Method: map[bool]string{false: http.MethodGet, true: http.MethodHead}[bits&asHead != 0], URL: to,
			Secrets:   map[string]secret.Source{keyHeader: secret.Literal{Value: secret.New(testKey)}},
			KeyHeader: keyHeader,
		}
		if bits&asAuth != 0 {
			made = append(made, NewAuth(request, []int{401}, transport, shared))
			continue
		}
		made = append(made, NewHTTP(request, expectation(f, bits), transport, shared))
	}
	return made
}

const fuzzMaxBody = 4 << 10

func expectation(f *testing.F, bits int) Expect {
	f.Helper()
	expect := Expect{Status: []int{200, 204}, JSON: bits&asHead == 0, MaxBody: fuzzMaxBody}
	if bits&withHeader != 0 {
		expect.Headers = map[string]*regexp.Regexp{"X-Source": regexp.MustCompile("^dfo$")}
	}
	if bits&withJQ != 0 {
		var err error
		expect.JQ, err = CompileJQ("[.[] | .fnr // error] | length > 0")
		if err != nil {
			f.Fatal(err)
		}
	}
	return expect
}

// certified returns a configuration that serves 127.0.0.1 by HTTP/2 too, and the file of its issuer.
func certified(f *testing.F) (config *tls.Config, trust string) {
	f.Helper()
	server := httptest.NewTLSServer(nil)
	server.Close()
	trust = filepath.Join(f.TempDir(), "ca.pem")
	err := os.WriteFile(trust, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600)
	if err != nil {
		f.Fatal(err)
	}
	return &tls.Config{Certificates: server.TLS.Certificates, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12}, trust
}

// serverPreface is HTTP/2's: settings, none of them.
const serverPreface = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// saidByServers are whole answers, good and bad; the canary stands wherever something private can.
func saidByServers() []string {
	object := `[{"fnr":"` + canary + `"}]`
	return []string{
		response("200 OK", object, "X-Source: dfo", "Set-Cookie: "+canary), response("200 OK", canary), response("204 No Content", ""),
		response("302 Found", canary, "Location: https://"+canary+"/"), response("401 Unauthorized", shape(401, canary)),
		response("403 "+canary, `{"message":"You're not allowed to access this resource","http_status_code":403}`),
		response("429 x", canary, "X-Rate-Limit-Limit: 9", "X-Rate-Limit-Remaining: -1", "X-Quota-Limit: "+canary),
		response("503 x", "<html>"+canary), response("504 x", ""), response("404 x", noContextPath), response("500 x", object, "X-Gravitee-Request-Id: a"),
		response("200 OK", object, gzipped), response("200 OK", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"+canary, gzipped),
		response("200 OK", strings.Repeat(canary, fuzzMaxBody/8)), chunked + "2\r\n[]\r\n0\r\nX-Trailer: " + canary + "\r\n\r\n", chunked + canary + "\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 " + canary + "\r\nLink: <" + canary + ">\r\n\r\n" + response("200 OK", object),
		"HTTP/1.1 101 x\r\nUpgrade: " + canary + "\r\nConnection: upgrade\r\n\r\n" + canary, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + object,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: " + canary + "\r\n\r\n[]", "HTTP/0.9 " + canary, "HTTP/1.1 200 OK\r\n" + canary, canary, "",
		// HTTP/2: GOAWAY with debug data, RST_STREAM, and headers that are not HPACK.
		serverPreface + "\x00\x00\x12\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02" + canary,
		serverPreface + "\x00\x00\x04\x03\x00\x00\x00\x00\x01\x00\x00\x00\x01",
		serverPreface + "\x00\x00\x0a\x01\x05\x00\x00\x00\x01" + canary, serverPreface + "\x00\x00\x01\x01\x05\x00\x00\x00\x01\x88",
	}
}

const (
	fuzzTimeout = 50 * time.Millisecond
	fuzzGrace   = 5 * time.Second // a hang, on the busiest of machines
)

// FuzzAnswer holds that whatever a server sends, a probe of it ends in time,
// with a cause out of the closed set and nothing of the answer in it.
func FuzzAnswer(f *testing.F) {
	other := []uint8{withJQ, withHeader, asHead, asAuth, asHTTP2}
	for i, said := range saidByServers() {
		f.Add(uint8(0), []byte(said))
		f.Add(other[i%len(other)], []byte(said))
	}
	f.Add(uint8(hanging), []byte("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"+canary))
	f.Add(uint8(asHTTP2|hanging), []byte(serverPreface))
	config, trust := certified(f)
	plain, secured := spokenTo(f, nil), spokenTo(f, config)
	made := ways(f, plain, secured, trust)
	f.Fuzz(func(t *testing.T, bits uint8, said []byte) {
		plain.tell(said, bits&hanging != 0)
		secured.tell(said, bits&hanging != 0)
		ctx, cancel := context.WithTimeout(t.Context(), fuzzTimeout)
		defer cancel()
		start := time.Now()
		seen, err := made[int(bits)%hanging].Probe(ctx)
		if took := time.Since(start); took > fuzzTimeout+fuzzGrace {
			t.Errorf("took %v with a timeout of %v", took, fuzzTimeout)
		}
		sound(t, seen, err)
		if seen.Size > fuzzMaxBody || seen.Size < 0 || seen.Answered && seen.Status > 999 {
			t.Errorf("size %d, status %d", seen.Size, seen.Status)
		}
	})
}

// sound holds what is true of whatever a probe returns.
func sound(t *testing.T, seen Observation, err error) {
	t.Helper()
	var sum time.Duration
	for _, d := range seen.Phases {
		if d < 0 {
			t.Errorf("phases %v", seen.Phases)
		}
		sum += d
	}
	if sum != seen.Elapsed {
		t.Errorf("phases sum to %v, elapsed %v", sum, seen.Elapsed)
	}
	if holdsCanary(everyWay(seen)) || holdsCanary(everyWay(err)) || holdsCanary(DetailOf(err)) {
		t.Errorf("the canary is in %+v or %v", seen, err)
	}
	if err == nil {
		return
	}
	var failure *Failure
	known := errors.As(err, &failure) && slices.ContainsFunc(Explanations(), func(e Explanation) bool {
		return e.Reason == failure.Reason && e.Layer == failure.Layer
	})
	if !known || failure.Reason == ReasonPanic || failure.Reason == ReasonInternal {
		t.Errorf("%T %v is no cause of an answer's fault", err, err)
	}
}
