package probe

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

func itoa(n int) string { return strconv.Itoa(n) }

const (
	gatewayName = "gw-uio.test"
	seedPath    = "/lonn/v1/organisasjoner/v1/"
	testKey     = "2b0e9f1c-" + canary
	goodJSON    = `[{"id":"900000","navn":"` + canary + `"}]`
	grace       = 5 * time.Second        // a hang: how late a probe ends depends on the machine
	soon        = 300 * time.Millisecond // a timeout for servers that hang
	ample       = 10 * time.Second       // a timeout that nothing should need
)

// lab has a certificate authority, a name server, and servers in front of which probers stand.
type lab struct {
	*testing.T
	root       *authority
	rootFile   string
	nameServer func(ctx context.Context, network, addr string) (net.Conn, error)
}

func newLab(t *testing.T) *lab {
	t.Helper()
	root := newAuthority(t, "lab root", nil)
	return &lab{
		T: t, root: root, rootFile: root.file(t),
		nameServer: newNameServer(t, zone{gatewayName: {typeA: {addrs: []string{"127.0.0.1"}}}}),
	}
}

// gateway serves s behind a good certificate.
func (l *lab) gateway(s script) *door {
	l.Helper()
	return serve(l.T, serverTLS(l.root.issue(l.T, gatewayName)), s)
}

// plan is how a prober is made; change it before prober is called.
type plan struct {
	lab *lab
	Request
	Expect
	TransportOptions
}

// plan returns the seed's own verification request, for the server at port.
func (l *lab) plan(port string) *plan {
	return &plan{
		lab:              l,
		Request:          newLabRequest(http.MethodGet, &url.URL{Scheme: "https", Host: gatewayName + ":" + port, Path: seedPath}),
		Expect:           Expect{Status: []int{http.StatusOK}, JSON: true, MaxBody: 1 << 20},
		TransportOptions: TransportOptions{TLS: TLS{CAFile: l.rootFile}},
	}
}

// newLabRequest returns the seed's own request for u.
func newLabRequest(method string, u *url.URL) Request {
	return Request{
		Method: method, URL: u,
		Header:  http.Header{"SOAPAction": {"TODO"}},
		Secrets: map[string]secret.Source{keyHeader: secret.Literal{Value: secret.New(testKey)}},

		KeyHeader: keyHeader,
	}
}

func (p *plan) prober() *HTTP {
	t := p.lab.T
	t.Helper()
	transport, err := NewTransport(p.TransportOptions)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.http.CloseIdleConnections)
	transport.dialNameServer = p.lab.nameServer
	return NewHTTP(p.Request, p.Expect, transport, NewShared())
}

// sight is what a test says a probe must have seen.
type sight struct {
	Reason Reason
	Layer  Layer
	Phases string // those reached
	Status int
	Size   int64
	Cert   string // verified, refused, or empty: none seen
}

const (
	verified = "verified"
	refused  = "refused"

	toResolve    = "resolve"
	toConnect    = toResolve + " connect"
	toTLS        = toConnect + " tls"
	toProcessing = toTLS + " processing"
	toTransfer   = toProcessing + " transfer"
)

var uuid4 = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

// run probes once, checks what holds for every probe, and returns what was seen.
func run(t *testing.T, p Prober, timeout time.Duration) (Observation, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	start := time.Now()
	seen, err := p.Probe(ctx)
	wall := time.Since(start)
	checkPhases(t, seen, wall)
	if wall > timeout+grace {
		t.Errorf("took %v with a timeout of %v", wall, timeout)
	}
	if sent := seen.Phases[PhaseProcessing] > 0; sent != uuid4.MatchString(seen.TransactionID) || !sent && seen.TransactionID != "" {
		t.Errorf("transaction id %q is not that of a request that was sent", seen.TransactionID)
	}
	return seen, err
}

func checkPhases(t *testing.T, seen Observation, wall time.Duration) {
	t.Helper()
	var sum time.Duration
	for p, d := range seen.Phases {
		if d < 0 {
			t.Errorf("phase %s lasted %v", Phase(p), d)
		}
		sum += d
	}
	if sum != seen.Elapsed || sum <= 0 || sum > wall {
		t.Errorf("phases sum to %v, elapsed %v, wall %v", sum, seen.Elapsed, wall)
	}
}

func sightOf(seen Observation, err error) sight {
	s := sight{Status: seen.Status, Size: seen.Size, Phases: reached(seen.Phases)}
	s.Reason, s.Layer = ReasonOf(err)
	switch {
	case seen.Certificate.Verified:
		s.Cert = verified
	case !seen.Certificate.Expiry.IsZero():
		s.Cert = refused
	}
	return s
}

func reached(phases Phases) string {
	var names []string
	for p, d := range phases {
		if d > 0 {
			names = append(names, Phase(p).String())
		}
	}
	return strings.Join(names, " ")
}

// expectReason is for tests to which only the cause matters.
func expectReason(t *testing.T, err error, want Reason) {
	t.Helper()
	got, _ := ReasonOf(err)
	if got != want {
		t.Errorf("reason %q (%v), want %q", got, err, want)
	}
}

const transactionHeader = "X-Gravitee-Transaction-Id"
