package exporter

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

const toDescribe = `
apis:
  org: {request: {path: '/lonn/v1/?a=b', headers: {SOAPAction: '"x"'}, secret_headers: {X-Other: {file: key}}}}
  krr: {request: {method: POST, path: /krr, private: true, body: '{"id":"canary"}'}}
institutions:
  uio:
    apis:
      org: {key_file: key, key_expires: 2027-03-01, interval: 30s}
      krr: {key: canary-key, key_expires: never, unauthenticated: false}
    rabbitmq: [{application: system-dfo, password_file: key, publishes: true, subscribes_to: [fs], queues: [own], timeout: 10s}]
    keys: [{name: portal, expires: 2027-01-15}]
`

func TestDescribe(t *testing.T) {
	dir := t.TempDir()
	testkit.WriteFile(t, dir, "key", "canary\n")
	loaded, err := config.Load(testkit.WriteFile(t, dir, "config.yml", toDescribe), NewShared())
	if err != nil {
		t.Fatal(err)
	}
	intervalAndTimeout := func(interval, timeout string) []view.Fact {
		return []view.Fact{{Name: "Interval", Value: interval}, {Name: "Timeout", Value: timeout}}
	}
	org := &view.Request{
		Method: "GET", URL: "https://gw-uio.intark.uh-it.no/lonn/v1/?a=b", KeyHeader: "X-Gravitee-Api-Key",
		Headers: []view.Header{{Name: "SOAPAction", Value: `"x"`}, {Name: "X-Other", Value: "<secret>"}},
	}
	keyless := *org
	keyless.KeyHeader = ""
	keyFile := "file " + dir + "/key"
	for target, want := range map[probe.Target]view.Configuration{
		{Kind: probe.KindAPI, Name: "org"}: {Request: org, Facts: append(intervalAndTimeout("30s", "15s"),
			view.Fact{Name: "Request", Value: "GET https://gw-uio.intark.uh-it.no/lonn/v1/?a=b"},
			view.Fact{Name: "Headers", Value: `SOAPAction: "x", X-Gravitee-Api-Key: <secret>, X-Other: <secret>`},
			view.Fact{Name: "Body", Value: "none"},
			view.Fact{Name: "Key", Value: keyFile + ", sent as X-Gravitee-Api-Key"},
			view.Fact{Name: "key_expires", Value: "2027-03-01 00:00 UTC"})},
		{Kind: probe.KindAuth, Name: "org"}: {Request: &keyless, Facts: append(intervalAndTimeout("15m", "15s"),
			view.Fact{Name: "Request", Value: "as the check of kind api, without its key and with a wrong one"},
			view.Fact{Name: "Refused with", Value: "HTTP status 401"})},
		{Kind: probe.KindAPI, Name: "krr"}: {
			Request: &view.Request{
				Method: "POST", URL: "https://gw-uio.intark.uh-it.no/…", KeyHeader: "X-Gravitee-Api-Key", Body: "…",
				Headers: []view.Header{{Name: "Content-Type", Value: "application/json"}},
			},
			Facts: append(intervalAndTimeout("1m", "15s"),
				view.Fact{Name: "Request", Value: "POST https://gw-uio.intark.uh-it.no/…"},
				view.Fact{Name: "Headers", Value: "Content-Type: application/json, X-Gravitee-Api-Key: <secret>"},
				view.Fact{Name: "Body", Value: "…"},
				view.Fact{Name: "Key", Value: "the configuration, sent as X-Gravitee-Api-Key"},
				view.Fact{Name: "key_expires", Value: "never"}),
		},
		{Kind: probe.KindRabbitMQ, Name: "system-dfo"}: {Facts: append(intervalAndTimeout("1m", "10s"),
			view.Fact{Name: "Broker", Value: "amqps://mq-uio.intark.uh-it.no:5671"},
			view.Fact{Name: "Vhost", Value: "system-dfo"}, view.Fact{Name: "User name", Value: "system-dfo"},
			view.Fact{Name: "Password", Value: "<secret>, from " + keyFile},
			view.Fact{Name: "Exchanges that must exist", Value: "outgoing_system-dfo"},
			view.Fact{Name: "Queues that must exist", Value: "own, from_fs"},
			view.Fact{Name: "Round trip", Value: "no"})},
		{Kind: probe.KindKey, Name: "portal"}: {Facts: append(intervalAndTimeout("1h", "15s"), view.Fact{Name: "Files", Value: "none"})},
		{Kind: probe.KindAuth, Name: "krr"}:   {}, // switched off
		{Kind: probe.KindKey, Name: "gone"}:   {},
	} {
		target.Institution = "uio"
		if diff := cmp.Diff(want, describe(loaded, target)); diff != "" {
			t.Errorf("%v (-want +got):\n%s", target, diff)
		}
	}
}
