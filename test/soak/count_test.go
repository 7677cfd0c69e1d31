package soak

import (
	"fmt"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

// count is what the platform counts for a target, beside the runs that the exporter counts.
type count struct {
	target
	arrived  func() int // at the platform, once for each run
	canceled func() int // runs that a reload may have cut: they have arrived and are not reported
}

// silent are the reasons of runs of which the platform may not have heard, or not in full.
var silent = [...]string{
	"dns", "connect", "timeout", "tls", "invalid_response", "gateway_timeout", "resources", // of a gateway
	"broker_timeout", "disconnected", "protocol", // of a broker
}

// runs returns how many runs the exporter has reported, and how many of them may not have arrived.
func (c count) runs(s sample) (all, unheard int) {
	all = s.of("integra_probe_runs_total", c.target, "")
	for _, reason := range silent {
		unheard += s.of("integra_probe_failure_reasons_total", c.target, reason)
	}
	return all, unheard
}

// unheard is how many of all runs may not have arrived.
func (w *world) unheard() (total int) {
	for _, c := range w.counts() {
		_, unheard := c.runs(w.last)
		total += unheard
	}
	return total
}

// twice says what is wrong with a scrape if the platform, asked afterwards, has
// heard of fewer runs than it reports.
func (c count) twice(s sample, arrived int) (wrong []string) {
	all, unheard := c.runs(s)
	if all-unheard > arrived {
		wrong = append(wrong, "runs are counted twice: "+c.say(s, arrived))
	}
	return wrong
}

// complete reports whether all that the platform had heard of before a scrape is in it.
func (c count) complete(s sample, arrived int) bool {
	all, _ := c.runs(s)
	return arrived <= all+c.canceled()
}

func (c count) say(s sample, arrived int) string {
	all, unheard := c.runs(s)
	return fmt.Sprintf("%s %s %s: %d runs, %d of which may not have arrived; %d have arrived", c.institution, c.kind, c.name, all, unheard, arrived)
}

// counts are all targets that can be counted: not the one that is removed now and then.
func (w *world) counts() (all []count) {
	for _, t := range w.platform.Targets() {
		if t == comesAndGoes {
			continue
		}
		canceled := func() int { return 0 }
		if t == changes {
			canceled = func() int { return w.reloads }
		}
		keyed := func() int { return w.platform.KeyedRequests(t.Institution, t.API) }
		// A run of kind auth begins with its one request without a key: what it sends next has a wrong one.
		keyless := func() int { return w.platform.KeylessRequests(t.Institution, t.API) }
		all = append(
			all,
			count{target{t.Institution, "api", t.API}, keyed, canceled},
			count{target{t.Institution, "auth", t.API}, keyless, canceled},
		)
	}
	for _, a := range w.platform.Accesses() {
		logins := func() int { return w.platform.Logins(a.Institution, a.Application) }
		all = append(all, count{target{a.Institution, "rabbitmq", a.Application}, logins, func() int { return 0 }})
	}
	return all
}

// comesAndGoes is removed by one reload and added by the next; changes is changed by each.
var (
	comesAndGoes = demo.Target{Institution: "himolde", API: "organisasjoner"}
	changes      = demo.Target{Institution: "himolde", API: "fs-emner"}
)
