package view

import (
	"fmt"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// Fact is a line about the exporter or about a target.
type Fact struct {
	Name, Value string
	Bad         bool // somebody should look
}

// FactGroup holds the facts about one subject, at least one.
type FactGroup struct {
	Title string
	Facts []Fact
}

// Configuration is the configuration of a target, for people: nothing in it is secret or private.
type Configuration struct {
	Facts   []Fact
	Request *Request // nil: the check sends none
}

// FactGroups returns what the runs of t and the API manager have shown about its key, certificate,
// broker and rate limits. Facts about the future and the past are relative to now.
func FactGroups(t *state.Target, now time.Time) (groups []FactGroup) {
	for _, g := range []FactGroup{
		{"Key", keyFacts(&t.Key, now)},
		{"Certificate", certificateFacts(t.Last.Certificate, now)},
		{"Broker", brokerFacts(&t.Last)},
		{"Rate limits", rateLimitFacts(t.Last.RateLimits)},
	} {
		if len(g.Facts) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// keyFacts says when a key expires, and whether the gateway accepts it.
func keyFacts(k *state.Key, now time.Time) (facts []Fact) {
	ends := k.Ends()
	if !k.Info.Used && len(ends) == 0 {
		return nil
	}
	switch {
	case len(ends) == 0 && k.Info.Standing == "":
		facts = append(facts, Fact{Name: "Expires", Value: "unknown: set key_expires, or let the exporter read the API manager"})
	case len(ends) == 0:
		facts = append(facts, Fact{Name: "Expires", Value: "unknown"})
	}
	for _, e := range ends {
		facts = append(facts, expiryFact("Expires ("+SourceName(e.Source)+")", e.At, now))
	}
	if k.Info.Used {
		facts = append(facts, map[probe.KeyVerdict]Fact{
			probe.KeyUnproven: {Name: "Gateway", Value: "has neither accepted nor rejected the key yet"},
			probe.KeyAccepted: {Name: "Gateway", Value: "accepts the key"},
			probe.KeyRejected: {Name: "Gateway", Value: "rejects the key", Bad: true},
		}[k.Accepted])
	}
	if k.Info.Standing != "" {
		facts = append(facts, Fact{Name: "API manager", Value: k.Info.Standing, Bad: true})
	}
	if k.Info.Superseded.N > 0 {
		facts = append(facts, Fact{Name: "API manager", Value: "holds a newer key for this subscription", Bad: true})
	}
	return facts
}

func certificateFacts(c probe.Certificate, now time.Time) []Fact {
	if c.Expiry.IsZero() {
		return nil
	}
	trusted := Fact{Name: "Trusted", Value: "yes"}
	if !c.Verified {
		trusted.Value, trusted.Bad = "no", true
	}
	return []Fact{expiryFact("Earliest expiry in the chain", c.Expiry, now), trusted}
}

func brokerFacts(run *probe.Result) (facts []Fact) {
	server := strings.TrimSpace(run.Broker.Product + " " + run.Broker.Version)
	if server != "" {
		facts = append(facts, Fact{Name: "Server", Value: server})
	}
	if run.Broker.Cluster != "" {
		facts = append(facts, Fact{Name: "Cluster", Value: run.Broker.Cluster})
	}
	for _, q := range run.Queues {
		facts = append(facts, Fact{
			Name: "Queue " + Printable(q.Name), Bad: q.Consumers == 0 && q.Ready > 0,
			Value: Plural(int(q.Ready), "message ready", "messages ready") + ", " + Plural(int(q.Consumers), "consumer", "consumers"),
		})
	}
	if run.Blocked.N > 0 {
		facts = append(facts, Fact{Name: "Publishing", Value: "blocked: the broker is short of memory or disk", Bad: true})
	}
	return facts
}

func rateLimitFacts(limits []probe.RateLimit) (facts []Fact) {
	for _, l := range limits {
		facts = append(facts, Fact{
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

// SourceName returns what people call the source of a key's expiry.
func SourceName(source probe.KeySource) string {
	return map[probe.KeySource]string{
		probe.SourceConfig: "configuration", probe.SourceGravitee: "API manager", probe.SourceCertificate: "certificate", probe.SourceJWT: "JWT",
	}[source]
}

// expiryFact says when something expires and how far away that is; a zero time means never.
func expiryFact(name string, at, now time.Time) Fact {
	if at.IsZero() {
		return Fact{Name: name, Value: "never"}
	}
	left := at.Sub(now)
	value := at.UTC().Format("2006-01-02 15:04 UTC")
	if left <= 0 {
		return Fact{Name: name, Value: value + ", " + FormatAge(-left) + " ago", Bad: true}
	}
	return Fact{Name: name, Value: value + ", in " + FormatAge(left), Bad: left < 7*day}
}
