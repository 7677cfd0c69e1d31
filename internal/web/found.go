package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// keyFacts says when a target's key ends, and whether it is accepted.
func keyFacts(t *state.Target, now time.Time) (facts []view.Fact) {
	ends := t.Key.Ends()
	if !t.Key.Info.Used && len(ends) == 0 {
		return nil
	}
	if len(ends) == 0 {
		facts = append(facts, view.Fact{Name: "Ends", Value: "nobody says when: set key_expires, or let the exporter read the API manager"})
	}
	for _, e := range ends {
		facts = append(facts, endFact("Ends, by "+string(e.Source), e.At, now))
	}
	if t.Key.Info.Used {
		facts = append(facts, map[probe.KeyVerdict]view.Fact{
			probe.KeyUnproven: {Name: "Gateway", Value: "has not yet said whether it accepts the key"},
			probe.KeyAccepted: {Name: "Gateway", Value: "accepts the key"},
			probe.KeyRejected: {Name: "Gateway", Value: "rejects the key", Bad: true},
		}[t.Key.Accepted])
	}
	if t.Key.Info.Superseded.N > 0 {
		facts = append(facts, view.Fact{Name: "API manager", Value: "holds a newer key for this subscription", Bad: true})
	}
	return facts
}

// endFact says when something ends, and how far that is; a zero time: never.
func endFact(name string, at, now time.Time) view.Fact {
	if at.IsZero() {
		return view.Fact{Name: name, Value: "never"}
	}
	left := at.Sub(now)
	value := at.UTC().Format("2006-01-02 15:04 UTC")
	if left <= 0 {
		return view.Fact{Name: name, Value: value + ", " + view.FormatAge(-left) + " ago", Bad: true}
	}
	return view.Fact{Name: name, Value: value + ", in " + view.FormatAge(left), Bad: left < 7*day}
}

func certificateFacts(c probe.Certificate, now time.Time) []view.Fact {
	if c.Expiry.IsZero() {
		return nil
	}
	trusted := view.Fact{Name: "Trusted", Value: "yes"}
	if !c.Verified {
		trusted.Value, trusted.Bad = "no", true
	}
	return []view.Fact{endFact("Earliest end in the chain", c.Expiry, now), trusted}
}

func brokerFacts(run *probe.Result) (facts []view.Fact) {
	server := strings.TrimSpace(run.Broker.Product + " " + run.Broker.Version)
	if server != "" {
		facts = append(facts, view.Fact{Name: "Server", Value: server})
	}
	if run.Broker.Cluster != "" {
		facts = append(facts, view.Fact{Name: "Cluster", Value: run.Broker.Cluster})
	}
	for _, q := range run.Queues {
		facts = append(facts, view.Fact{
			Name: "Queue " + view.Printable(q.Name), Bad: q.Consumers == 0 && q.Ready > 0,
			Value: view.Plural(int(q.Ready), "message ready", "messages ready") + ", " + view.Plural(int(q.Consumers), "consumer", "consumers"),
		})
	}
	if run.Blocked.N > 0 {
		facts = append(facts, view.Fact{Name: "Messages", Value: "the broker accepts none: it is short of memory or disk", Bad: true})
	}
	return facts
}

func allowanceFacts(limits []probe.RateLimit) (facts []view.Fact) {
	for _, l := range limits {
		facts = append(facts, view.Fact{
			Name: strings.ReplaceAll(l.Policy, "_", " "), Value: countOrUnknown(l.Remaining) + " left of " + countOrUnknown(l.Limit),
			Bad: l.Remaining.OK && l.Remaining.N == 0,
		})
	}
	return facts
}

func countOrUnknown(c probe.Count) string {
	if !c.OK {
		return "an unknown number"
	}
	return fmt.Sprint(c.N)
}
