package demo

import (
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// gateway is one institution's API gateway.
type gateway struct {
	*endpoint
	options       Options
	apis          []*deployedAPI
	subscriptions *subscriptions

	mu          sync.Mutex // the certificate, faults and counts, here and in apis
	certificate tls.Certificate
	fault       Fault
}

// deployedAPI is an API of the gateway, to which the exporter subscribes.
type deployedAPI struct {
	api
	subscription *subscription
	fault        Fault
	requests     int
	keyed        int    // of them, those with a key that the gateway knows for this API
	keyless      int    // of them, those that have no header for a key
	backend      *reply // what its backend answers instead of the documented answer; nil: that
	message      string // of its policies, where they refuse; empty: the fault's own
}

func newGateway(i institution, options Options, ca *authority, closing <-chan struct{}) (*gateway, error) {
	life := certificateLife
	if i.certificate != 0 && !options.WithoutFaults {
		life = i.certificate
	}
	certificate, err := ca.issue(serverName(i.Name), life)
	if err != nil {
		return nil, err
	}
	g := &gateway{options: options, certificate: certificate, subscriptions: &subscriptions{grace: options.KeyGrace}}
	for _, name := range i.apis {
		a := apiNamed(name)
		key := newAPIKey(time.Now().Add(-keysAge), time.Time{})
		g.apis = append(g.apis, &deployedAPI{api: a, subscription: g.subscriptions.subscribe(a.context, name, key)})
	}
	g.subscriptions.fill(options.Subscriptions)
	g.endpoint, err = newEndpoint(func(address string) (listener, error) {
		return listenHTTPS(address, g.presentCertificate, g)
	}, closing)
	return g, err
}

func (g *gateway) presentCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	certificate := g.certificate
	return &certificate, nil
}

func (g *gateway) setCertificate(certificate tls.Certificate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.certificate = certificate
}

// set makes one API show f, or with an empty api the whole gateway.
func (g *gateway) set(api string, f Fault) {
	if api != "" {
		if f == Refused {
			panic("demo: only a whole gateway can refuse connections")
		}
		a := g.api(api)
		g.mu.Lock()
		a.fault = f
		g.mu.Unlock()
		return
	}
	g.mu.Lock()
	g.fault = f
	g.mu.Unlock()
	if f == Refused {
		g.shut()
		return
	}
	g.reopen()
}

func (g *gateway) requests(api string) (all, keyed, keyless int) {
	a := g.api(api)
	g.mu.Lock()
	defer g.mu.Unlock()
	return a.requests, a.keyed, a.keyless
}

func (g *gateway) api(name string) *deployedAPI {
	for _, a := range g.apis {
		if a.Name == name {
			return a
		}
	}
	panic("demo: this institution has no API " + name)
}

// ServeHTTP answers one request as the gateway with its faults does.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Until the body is read, net/http does not notice a client that leaves.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	req := &request{Request: r, w: w, body: body, options: g.options, engine: &engines[g.options.Engine]}
	req.candidates, req.api = g.match(r.URL.Path)
	req.serve(g.countAndFault(req))
}

// match returns the APIs of the longest context path that path lies in, and the one
// whose plan covers it, nil if none does.
func (g *gateway) match(path string) (candidates []*deployedAPI, asked *deployedAPI) {
	longest := ""
	for _, a := range g.apis {
		if below(path, a.context) && len(a.context) > len(longest) {
			longest = a.context
		}
	}
	for _, a := range g.apis {
		if longest == "" || a.context != longest {
			continue
		}
		candidates = append(candidates, a)
		if below(path, a.context+a.resource) {
			asked = a
		}
	}
	return candidates, asked
}

func below(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// countAndFault counts the request and returns the fault that it will meet.
func (g *gateway) countAndFault(r *request) Fault {
	keyed := r.api != nil && r.subscriber() == r.api
	g.mu.Lock()
	defer g.mu.Unlock()
	if r.api == nil {
		return g.fault
	}
	r.api.requests++
	if keyed {
		r.api.keyed++
	}
	if len(r.Header.Values(keyHeader)) == 0 {
		r.api.keyless++
	}
	r.number = r.api.requests
	if g.fault == Healthy {
		return r.api.fault
	}
	return g.fault
}
