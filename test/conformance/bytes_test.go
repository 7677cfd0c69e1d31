//go:build conformance

// Package conformance asks real Gravitee gateways what the recordings hold, and lets the exporter say what it thinks of
// the answers. `make conformance` runs it: it needs Java, Maven and a few hundred MB of memory.
package conformance

import (
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/testkit/recordings"
)

// absent matches the situations that cannot be had from a gateway without its manager: a health check, a policy that
// throws, a limit's store that is down.
var absent = regexp.MustCompile(`^(down(-no-key)?|boom.*|store-down-.*)$`)

// limits matches the situations that depend on how often has been asked before.
var limits = regexp.MustCompile(`^(rate-limit|quota|spike)-(ok|exceeded)$`)

// patience is longer than a gateway needs for any answer; what has not come by then does not come.
const patience = 12 * time.Second

func TestRealGatewaysAnswerAsRecorded(t *testing.T) {
	for _, v := range versions() {
		t.Run(strings.Join(append([]string{v.number}, v.flags...), " "), func(t *testing.T) {
			gateway := startGateway(t, v, startBackends(t))
			asked := 0
			for suffix, engine := range v.engines {
				recorded := recordingOf(t, v.number, engine)
				asked += compare(t, gateway, v, suffix, recorded)
			}
			if want := 80 * len(v.engines); asked < want {
				t.Errorf("%d situations asked, want at least %d", asked, want)
			}
		})
	}
}

func recordingOf(t *testing.T, version, engine string) *recordings.Gateway {
	t.Helper()
	all, err := recordings.Gateways()
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range all {
		if g.Version == version && g.Engine == engine {
			return &g
		}
	}
	t.Fatalf("nothing is recorded of %s %s", version, engine)
	return nil
}

// compare asks for every situation of a recording, slow ones side by side, and returns how many there are.
func compare(t *testing.T, gateway string, v version, suffix string, recorded *recordings.Gateway) (asked int) {
	t.Helper()
	var all sync.WaitGroup
	for _, s := range recorded.Situations {
		if absent.MatchString(s.Name) {
			continue
		}
		asked++
		one := func() {
			got := ask(t, gateway, v.request(s, suffix), patience)
			diff := cmp.Diff(withoutVolatile(s.Answer), withoutVolatile(got))
			if diff != "" {
				t.Errorf("%s, %s (-recorded +real):\n%s", recorded.Engine, s.Name, diff)
			}
		}
		if limits.MatchString(s.Name) && strings.HasSuffix(s.Name, "exceeded") {
			continue
		}
		all.Go(one)
	}
	all.Wait()
	for _, s := range recorded.Situations { // the allowance is used up by now, or nearly
		if !strings.HasSuffix(s.Name, "-exceeded") {
			continue
		}
		var got string
		for range 4 {
			got = ask(t, gateway, v.request(s, suffix), patience)
			if statusOf(got) == 429 {
				break
			}
		}
		diff := cmp.Diff(withoutVolatile(s.Answer), withoutVolatile(got))
		if diff != "" {
			t.Errorf("%s, %s (-recorded +real):\n%s", recorded.Engine, s.Name, diff)
		}
	}
	return asked
}
