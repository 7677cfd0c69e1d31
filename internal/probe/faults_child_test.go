package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// What a process of its own suffers, so that the others do not.
const childFault = "INTEGRA_TEST_CHILD_FAULT"

var childFaults = map[string]func(*testing.T) *plan{
	"connection": func(t *testing.T) *plan {
		p := newLab(t).plan("1")
		p.URL.Host = "127.0.0.1:1"
		return p
	},
	"resolver": func(t *testing.T) *plan { return newLab(t).plan("1") },
	"key": func(t *testing.T) *plan {
		p := newLab(t).plan("1")
		p.Secrets = map[string]secret.Source{keyHeader: secret.NewFile(keep(t, "key", []byte(canary)))}
		return p
	},
	"bomb": func(t *testing.T) *plan {
		l := newLab(t)
		p := l.plan(l.gateway(bombAtOnce()).port)
		p.MaxBody = 10 << 20
		return p
	},
	"jq": func(t *testing.T) *plan {
		l := newLab(t)
		p := l.plan(l.gateway(answers(goodAnswer)).port)
		wants(`reduce range(60) as $_ ("aaaaaaaa"; . + .)`)(p)
		return p
	},
}

// childSays is what a child reports.
type childSays struct {
	Failure *Failure // nil: it passed
	Leak    string
	Grown   int64 // bytes
	Took    time.Duration
}

// inChild is the row of a fault in a process of its own, with these variables more.
// The time is that of the probe, without what the process takes to start.
func inChild(name string, reason Reason, layer Layer, fault string, env ...string) Fault {
	row := localFault(name, reason, layer, func(t *testing.T) Trial {
		var says childSays
		probe := func(ctx context.Context) (_ Observation, err error) {
			says, err = child(ctx, append(env, childFault+"="+fault))
			if err == nil && says.Failure != nil {
				err = says.Failure
			}
			return Observation{}, err
		}
		return Trial{proberFunc(probe), func(Observation, error) string {
			if says.Grown > 128<<20 || says.Took > AtOnce.Most {
				return fmt.Sprintf("grew by %d MiB in %s", says.Grown>>20, says.Took)
			}
			return says.Leak
		}}
	})
	row.Pace.Timeout, row.Pace.Most = time.Minute, time.Minute
	return row
}

// child runs this program once more, and returns what it says.
func child(ctx context.Context, env []string) (says childSays, err error) {
	again := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestFaultInChild$")
	again.Env = append(os.Environ(), env...)
	again.Stderr = os.Stderr
	out, err := again.Output()
	if err != nil {
		return says, fmt.Errorf("%w: %s", err, out)
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	return says, json.Unmarshal(line, &says)
}

// TestFaultInChild is the child's side; without a fault to suffer, it is nobody's.
func TestFaultInChild(t *testing.T) {
	fault := os.Getenv(childFault)
	if fault == "" {
		return
	}
	h := childFaults[fault](t).prober()
	var (
		says childSays
		seen Observation
		err  error
	)
	if fault == "connection" || fault == "resolver" || fault == "key" {
		defer exhaust(t)()
	}
	begin := time.Now()
	says.Grown = grown(func() { seen, err = h.Probe(t.Context()) })
	says.Took = time.Since(begin)
	says.Leak = Leaks(h, seen, err)
	says.Failure, _ = err.(*Failure) //nolint:errorlint // a prober's own, never wrapped
	_ = json.NewEncoder(os.Stdout).Encode(says)
}
