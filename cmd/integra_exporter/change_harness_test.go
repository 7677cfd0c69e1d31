package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// face is one way in which a gateway answers. No two have anything in common that a gauge shows.
type face struct {
	status    int // 0: it hangs up instead
	body      string
	remaining string // of the rate limit
	reason    string
	ends      time.Time // its certificate
}

// faces are shown in turn: at each connection the next.
func faces() []face {
	day := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	return []face{
		{200, `[1]`, "70", "", day},
		{503, `{"message":"x","http_status_code":503}`, "30", "backend_unreachable", day.AddDate(1, 0, 0)},
		{0, "", "", "invalid_response", day.AddDate(2, 0, 0)},
		{200, `<html>a login page</html>`, "20", "not_json", day.AddDate(3, 0, 0)},
		{200, `[{"id":1},{"id":2}]`, "10", "", day.AddDate(4, 0, 0)},
	}
}

// turning is a gateway with many faces that writes down which it has shown to whom.
type turning struct {
	faces  []face
	accept atomic.Int64
	conns  sync.Map // the face of a connection

	mu    sync.Mutex
	shown map[string][]int // by path, in order
	byID  map[string]int   // by transaction id
}

type faceKey struct{}

// turn starts the gateway and returns its address and the file of what it is trusted by.
func turn(t *testing.T, dir string) (g *turning, address, trust string) {
	t.Helper()
	g = &turning{faces: faces(), shown: map[string][]int{}, byID: map[string]int{}}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var configs []*tls.Config
	var roots []byte
	for i, f := range g.faces {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(i + 1)), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: f.ends,
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		configs = append(configs, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
		roots = append(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	server := httptest.NewUnstartedServer(g)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // it hangs up on purpose
	server.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		at := int(g.accept.Add(1)) % len(g.faces)
		g.conns.Store(c.(*tls.Conn).NetConn(), at)
		return context.WithValue(ctx, faceKey{}, at)
	}
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		at, _ := g.conns.Load(hello.Conn)
		return configs[at.(int)], nil
	}}
	server.StartTLS()
	t.Cleanup(server.Close)
	write(t, dir, "roots.pem", string(roots))
	return g, server.URL, "roots.pem"
}

func (g *turning) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	at := r.Context().Value(faceKey{}).(int)
	g.mu.Lock()
	g.shown[r.URL.Path] = append(g.shown[r.URL.Path], at)
	g.byID[r.Header.Get("X-Gravitee-Transaction-Id")] = at
	g.mu.Unlock()
	f := g.faces[at]
	if f.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("X-Rate-Limit-Remaining", f.remaining)
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, f.body)
}

// asked returns how often a path has been asked for, and the faces it was shown.
func (g *turning) asked(path string) []int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]int{}, g.shown[path]...)
}

func (g *turning) of(id string) (face, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	at, there := g.byID[id]
	return g.faces[at], there
}
