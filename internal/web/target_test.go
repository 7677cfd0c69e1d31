package web_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

func phases(all map[probe.Phase]time.Duration) (p probe.Phases) {
	for phase, d := range all {
		p[phase] = d
	}
	return p
}

// troubled is a target with something in every part of its page, at now.
func troubled(now time.Time) state.Target {
	row := withKey(withCertificate(rowOf("uio", "api", "org", probe.Fail(probe.ReasonKeyRejected, "HTTP status 401"), 3), now.Add(3*aDay)),
		probe.KeyEnd{Source: probe.SourceConfig, At: now.Add(-aDay)}, probe.KeyEnd{Source: probe.SourceGravitee})
	row.Failures, row.LastSuccess, row.Contact, row.Last.TransactionID = 1, now.Add(-3*time.Hour), "who@uio.no", "id-of-last"
	row.Key.Accepted, row.Key.Info.Superseded = probe.KeyRejected, probe.Count{N: 1, OK: true}
	row.Last.Certificate.Verified = false
	row.Last.RateLimits = []probe.RateLimit{{Policy: "spike_arrest", Limit: probe.Count{N: 10, OK: true}}}
	return row
}

func runsOf(now time.Time) (failure, success, refused state.Run) {
	failure = state.Run{
		Start: now.Add(-11 * time.Second), Duration: time.Second, Reason: probe.ReasonKeyRejected, Layer: probe.LayerKey,
		Detail: "HTTP status 401", Answered: true, Status: 401, Size: 61, TransactionID: "id-of-last",
		Phases: phases(map[probe.Phase]time.Duration{probe.PhaseConnect: 250 * time.Millisecond, probe.PhaseProcessing: 750 * time.Millisecond}),
	}
	success = state.Run{
		Start: now.Add(-71 * time.Second), Duration: 500 * time.Millisecond, Answered: true, Status: 200, Size: 2 << 20, TransactionID: "id-before",
		Phases: phases(map[probe.Phase]time.Duration{probe.PhaseTLS: 500 * time.Millisecond}),
	}
	refused = state.Run{
		Start: now.Add(-131 * time.Second), Duration: time.Millisecond, Reason: probe.ReasonConnect, Layer: probe.LayerNetwork,
		Phases: phases(map[probe.Phase]time.Duration{probe.PhaseResolve: time.Millisecond}),
	}
	return failure, success, refused
}

// troubledPage is the text of the page of troubled at the beginning of the year 2000.
func troubledPage(request *view.Request) string {
	explained := probe.Explain(probe.ReasonKeyRejected, probe.LayerKey)
	head := "Time (UTC) | Result | Duration | Phases | Status | Size | Transaction id |\n"
	failed := "1999-12-31 23:59:49 | ✗ key_rejected key: HTTP status 401 | 1.00 s | connect 250 ms, processing 750 ms | 401 | 61 B | id-of-last |\n"
	return "All targets › Title of uio (uio)\nTitle of org\n2000-01-01 00:00:00 UTC\n✗ failed api org\n" +
		"✗ key_rejected at fault: key\n" + explained.Meaning + " Observed: HTTP status 401.\nWhat to do next: " + explained.Next + "\n" +
		"Transaction id of the request in the gateway's log: id-of-last\n" +
		"Failing for this reason since | 1999-12-31 21:55:00 UTC, 2 h 5 min ago\nLast run | 10 s ago\nLast success | 3 h 0 min ago\n" +
		"Since the exporter started | 3 runs, 1 failure\nContact | who@uio.no\n" +
		"Key\nExpires (configuration) | ! 1999-12-31 00:00 UTC, 1 d 0 h ago\nExpires (API manager) | never\n" +
		"Gateway | ! rejects the key\nAPI manager | ! holds a newer key for this subscription\n" +
		"Certificate\nEarliest expiry in the chain | ! 2000-01-04 00:00 UTC, in 3 d 0 h\nTrusted | ! no\n" +
		"Rate limits\nspike arrest | an unknown number left of 10\n" +
		"Last failures\n" + head + failed + "1999-12-31 23:57:49 | ✗ connect network | 1.0 ms | resolve 1.0 ms | | | |\n" +
		"Last runs\nresolve connect tls processing\n" + head + failed + "1999-12-31 23:58:49 | ✓ ok | 500 ms | tls 500 ms | 200 | 2.0 MiB | id-before |\n" +
		"The same request by hand\nSet the variable KEY to the key first; the exporter never shows it. Replace <secret> and … with the real values.\n" +
		"curl\n" + strings.ReplaceAll(request.Curl(), "  ", "") + "\n" +
		"PowerShell\n" + strings.ReplaceAll(request.PowerShell(), "  ", "") + "\n" +
		"Configuration\nHeaders | X-Gravitee-Api-Key: <secret>"
}

func TestTargetPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		row := troubled(time.Now())
		failure, success, refused := runsOf(time.Now())
		o := world(row)
		o.History = func(asked probe.Target) (runs, failures []state.Run) {
			if asked != row.Target {
				t.Errorf("the history of %v was asked for", asked)
			}
			return []state.Run{failure, success}, []state.Run{failure, refused}
		}
		o.Configured = func(probe.Target) view.Configuration {
			return view.Configuration{
				Facts:   []view.Fact{{Name: "Headers", Value: "X-Gravitee-Api-Key: <secret>"}},
				Request: &view.Request{Method: "GET", URL: "https://gw/org/", KeyHeader: "X-Gravitee-Api-Key"},
			}
		}
		page := get(t, o, "/target?institution=uio&kind=api&target=org")
		if !strings.Contains(page, "<title>failed: Title of org, api, Title of uio (uio) – integra_exporter</title>") {
			t.Errorf("another title:\n%.400s", page)
		}
		if diff := cmp.Diff(troubledPage(o.Configured(row.Target).Request), textOf(t, page)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		for _, want := range []string{
			`aria-label="connect 250 ms, processing 750 ms"`,
			`<rect class="p-connect" x="0" width="250" height="10"/><rect class="p-processing" x="250" width="750" height="10"/>`,
			`<rect class="p-tls" x="0" width="500" height="10"/>`, // half of the longest
		} {
			if !strings.Contains(page, want) {
				t.Errorf("the waterfall lacks %s", want)
			}
		}
	})
}

func TestTargetPageOfOtherKinds(t *testing.T) {
	broker := rowOf("uio", "rabbitmq", "dfo", probe.Fail(probe.ReasonBlocked, ""), 1)
	broker.Last.Broker = probe.BrokerInfo{Product: "RabbitMQ", Version: "3.10.8", Cluster: "rabbit@mq"}
	broker.Last.Queues = []probe.QueueSeen{{Name: "from_fs", Ready: 5}, {Name: "other", Consumers: 1}}
	broker.Last.Blocked = probe.Count{N: 1, OK: true}
	auth, key := rowOf("uio", "auth", "org", nil, 1), rowOf("uio", "key", "token", nil, 0)
	o := world(broker, auth, key)
	o.Configured = func(asked probe.Target) view.Configuration {
		if asked == auth.Target {
			return view.Configuration{Request: &view.Request{Method: "GET", URL: "https://gw/"}}
		}
		return view.Configuration{}
	}
	for kind, c := range map[string]struct{ path, has, hasNot string }{
		"rabbitmq": {
			"kind=rabbitmq&target=dfo",
			"Broker\nServer | RabbitMQ 3.10.8\nCluster | rabbit@mq\nQueue from_fs | ! 5 messages ready, 0 consumers\n" +
				"Queue other | 0 messages ready, 1 consumer\nPublishing | ! blocked: the broker is short of memory or disk", "curl",
		},
		"auth": {"kind=auth&target=org", "The check sends this request twice: without a key, as shown, and with a wrong key.", "$KEY"},
		"key":  {"kind=key&target=token", "Title of token", "Last run"},
	} {
		got := textOf(t, get(t, o, "/target?institution=uio&"+c.path))
		if !strings.Contains(got, c.has) || strings.Contains(got, c.hasNot) {
			t.Errorf("%s: want %q and no %q:\n%s", kind, c.has, c.hasNot, got)
		}
	}
}
