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
	address       string // 127.0.0.1:PORT, the same also after a refusal
	options       Options
	subscriptions []*subscription
	ledger        *ledger
	management    *management
	closing       <-chan struct{}

	opening sync.Mutex // one change of door at a time; never taken by a request
	door    *door      // nil: connections are refused

	mu          sync.Mutex // the certificate, faults and counts, here and in subscriptions
	certificate tls.Certificate
	fault       Fault
}

// subscription is the exporter's access to one API of the gateway.
type subscription struct {
	api
	access   *entry // its keys
	fault    Fault
	requests int
	keyed    int // of them, those with a key that the gateway knows for this API
	keyless  int // of them, those that have no header for a key
}

func newGateway(i institution, options Options, ca *authority, closing <-chan struct{}) (*gateway, error) {
	life := certificateLife
	if i.certificate != 0 && !options.WithoutFaults {
		life = i.certificate
	}
	if options.DeadAfter == 0 {
		options.DeadAfter = 2 * time.Second
	}
	if options.SlowAfter == 0 {
		options.SlowAfter = 1500 * time.Millisecond
	}
	if options.KeyGrace == 0 {
		options.KeyGrace = 2 * time.Hour
	}
	certificate, err := ca.issue(serverName(i.Name), life)
	if err != nil {
		return nil, err
	}
	g := &gateway{options: options, certificate: certificate, closing: closing, ledger: &ledger{grace: options.KeyGrace}}
	for _, name := range i.apis {
		a := apiNamed(name)
		key := newIssued(time.Now().Add(-keysAge), time.Time{})
		g.subscriptions = append(g.subscriptions, &subscription{api: a, access: g.ledger.subscribe(a.context, name, key)})
	}
	g.door, err = openDoor("127.0.0.1:0", g.present, g)
	if err != nil {
		return nil, err
	}
	g.address = g.door.listener.Addr().String()
	g.ledger.fill(options.Subscriptions)
	g.management, err = newManagement(i, g, ca)
	if err != nil {
		g.shut()
		return nil, err
	}
	return g, nil
}

func serverName(institution string) string { return "gw-" + institution + ".intark.uh-it.no" }

func (g *gateway) subscription(api string) *subscription {
	for _, s := range g.subscriptions {
		if s.Name == api {
			return s
		}
	}
	panic("demo: this institution has no API " + api)
}

func (g *gateway) set(api string, f Fault) {
	if api != "" {
		if f == Refused {
			panic("demo: only a whole gateway can refuse connections")
		}
		s := g.subscription(api)
		g.mu.Lock()
		s.fault = f
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

func (g *gateway) shut() {
	g.opening.Lock()
	defer g.opening.Unlock()
	if g.door != nil {
		g.door.close()
		g.door = nil
	}
}

// reopen listens on the old port again. Somebody else may have the port for a
// moment, so it tries until it succeeds or the platform closes.
func (g *gateway) reopen() {
	g.opening.Lock()
	defer g.opening.Unlock()
	for g.door == nil {
		select {
		case <-g.closing:
			return
		default:
		}
		door, err := openDoor(g.address, g.present, g)
		if err == nil {
			g.door = door
			return
		}
		select {
		case <-g.closing:
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (g *gateway) requests(api string) (all, keyed, keyless int) {
	s := g.subscription(api)
	g.mu.Lock()
	defer g.mu.Unlock()
	return s.requests, s.keyed, s.keyless
}

// ServeHTTP answers one request as the gateway with its faults does.
func (g *gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Until the body is read, net/http does not notice a client that leaves.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	x := &exchange{w: w, r: r, body: body, options: g.options}
	x.candidates, x.asked = g.match(r.URL.Path)
	x.serve(g.arrived(x))
}

// arrived counts the request and returns the fault it will meet.
func (g *gateway) arrived(x *exchange) Fault {
	keyed := x.asked != nil && x.subscriber() == x.asked
	g.mu.Lock()
	defer g.mu.Unlock()
	fault := g.fault
	if x.asked == nil {
		return fault
	}
	x.asked.requests++
	if keyed {
		x.asked.keyed++
	}
	if len(x.r.Header.Values(keyHeader)) == 0 {
		x.asked.keyless++
	}
	x.requests = x.asked.requests
	if fault == Healthy {
		fault = x.asked.fault
	}
	return fault
}

// match returns the subscriptions below the longest context path that path
// lies in, and the one whose plan covers it, nil if none does.
func (g *gateway) match(path string) (candidates []*subscription, asked *subscription) {
	longest := ""
	for _, s := range g.subscriptions {
		if below(path, s.context) && len(s.context) > len(longest) {
			longest = s.context
		}
	}
	for _, s := range g.subscriptions {
		if longest == "" || s.context != longest {
			continue
		}
		candidates = append(candidates, s)
		if below(path, s.context+s.resource) {
			asked = s
		}
	}
	return candidates, asked
}

func below(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/')
}
