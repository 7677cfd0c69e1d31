package probe

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"testing"
)

// costs says how many allocations a probe may make beyond those of bare
// net/http for the same request. A probe that needs more by intent gets a new
// limit here, with the reason in the commit; `make profile` shows where they are.
//
// Limits leave two to spare: the race detector drops what sync.Pool holds at random.
var costs = []struct {
	name  string
	reuse bool
	runs  int
	limit float64
}{
	{"cold", false, 15, 17},
	{"warm", true, 100, 9},
}

// TestCost does not run beside other tests: it counts whatever the process allocates.
func TestCost(t *testing.T) {
	lab := newLab(t)
	door := lab.gateway(answerForEver)
	for _, c := range costs {
		t.Run(c.name, func(t *testing.T) {
			plan := lab.plan(door.port)
			plan.URL.Host = "127.0.0.1:" + door.port // resolving is not the floor's part
			plan.TLS.ServerName, plan.Reuse = gatewayName, c.reuse
			bare := allocations(bareTransport(t, plan), c.runs)
			own := allocations(ownProbe(t, plan), c.runs)
			t.Logf("%v allocations, bare net/http %v", own, bare)
			if own-bare > c.limit {
				t.Errorf("a %s probe makes %v allocations more than bare net/http, the limit in cost_test.go is %v",
					c.name, own-bare, c.limit)
			}
		})
	}
}

// allocations returns those of one call: the least of three averages, since
// what the process does besides only adds to them.
func allocations(call func(), runs int) float64 {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // it empties what is pooled
	least := testing.AllocsPerRun(runs, call)
	for range 2 {
		least = min(least, testing.AllocsPerRun(runs, call))
	}
	return least
}

func bareTransport(t *testing.T, p *plan) func() {
	config, err := p.TLS.Config()
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: config, DisableKeepAlives: !p.Reuse, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return func() { floor(t, transport, p.URL.String()) }
}

func ownProbe(t *testing.T, p *plan) func() {
	prober := p.prober()
	return func() {
		_, err := prober.Probe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
	}
}

// answerForEver answers 2 KiB of JSON, and allocates nothing for a request.
func answerForEver(_ *door, c net.Conn) {
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		len(benchBody), benchBody)
	request := make([]byte, 0, 4<<10)
	for {
		n, err := c.Read(request[len(request):cap(request)])
		if err != nil {
			return
		}
		request = request[:len(request)+n]
		if !bytes.HasSuffix(request, []byte("\r\n\r\n")) {
			continue
		}
		request = request[:0]
		_, err = c.Write(answer)
		if err != nil {
			return
		}
	}
}
