package web_test

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

func rowToDiscover(institution, kind, name string, interval, timeout time.Duration) state.Target {
	return state.Target{
		Target: probe.Target{Institution: institution, Kind: kind, Name: name}, Interval: interval, Timeout: timeout,
	}
}

func discovering() web.Options {
	o := options()
	o.Targets = func() []state.Target {
		return []state.Target{
			rowToDiscover("ntnu", probe.KindAPI, "a", time.Minute, 15*time.Second),
			rowToDiscover("uio", probe.KindAPI, "a", 10*time.Second, 10*time.Second),
			rowToDiscover("uio", probe.KindAPI, "b", 24*time.Hour, 1200*time.Millisecond),
			rowToDiscover("uio", probe.KindAuth, "a", 15*time.Minute, 15*time.Second),
			rowToDiscover("uio", probe.KindKey, "k", time.Hour, time.Second),
			rowToDiscover("uio", probe.KindRabbitMQ, "app", 30*time.Second, 15*time.Second),
		}
	}
	return o
}

type discovered struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

func groupOf(institution, kind, name, interval, timeout string) discovered {
	return discovered{[]string{"exporter.example:10056"}, map[string]string{
		"institution": institution, "kind": kind, "target": name, "__metrics_path__": "/probe",
		"__scrape_interval__": interval, "__scrape_timeout__": timeout,
		"__param_institution": institution, "__param_kind": kind, "__param_target": name,
	}}
}

func discoverAll(t *testing.T, url string) (found []discovered) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", url, nil)
	web.Handler(discovering()).ServeHTTP(w, r)
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%s: %d %s", url, w.Code, w.Header().Get("Content-Type"))
	}
	err := json.Unmarshal(w.Body.Bytes(), &found)
	if err != nil || found == nil {
		t.Fatalf("%s: %v\n%s", url, err, w.Body)
	}
	return found
}

func TestDiscovery(t *testing.T) {
	all := []discovered{
		groupOf("ntnu", "api", "a", "1m", "15s500ms"),
		groupOf("uio", "api", "a", "10s", "10s"), // Prometheus allows no more than the interval
		groupOf("uio", "api", "b", "1d", "1s700ms"),
		groupOf("uio", "auth", "a", "2m", "15s500ms"), // /probe gives its result again until it is due
		groupOf("uio", "rabbitmq", "app", "30s", "15s500ms"),
	}
	for query, want := range map[string][]discovered{
		"":                                    all,
		"?institution=uio":                    all[1:],
		"?kind=api&kind=rabbitmq&target=a":    all[:2],
		"?institution=uio&kind=auth&target=a": all[3:4],
		"?kind=key":                           {},
		"?institution=nobody":                 {},
		"?institution=uio&institution=ntnu&kind=": all,
	} {
		if diff := cmp.Diff(want, discoverAll(t, "http://exporter.example:10056/sd"+query)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

func TestDiscoveryOverTLS(t *testing.T) {
	for _, found := range discoverAll(t, "https://exporter.example/sd") {
		if found.Labels["__scheme__"] != "https" || found.Targets[0] != "exporter.example" {
			t.Errorf("%+v", found)
		}
	}
}

func TestDiscoveryRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, query := range []string{"?kind=http", "?institutions=uio", "?kind=%zz"} {
		got := ask(t, discovering(), "GET", "/sd"+query)
		if got.status != 400 || got.header.Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: %d %s", query, got.status, got.body)
		}
	}
}

func TestProbeAndDiscoveryAreRead(t *testing.T) {
	for _, path := range []string{toProbe, "/sd"} {
		got := ask(t, discovering(), "POST", path)
		if got.status != 405 || got.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: %d, Allow %q", path, got.status, got.header.Get("Allow"))
		}
	}
}

func documents(t *testing.T, text string) (all []map[string]any) {
	t.Helper()
	err := json.Unmarshal([]byte(text), &all)
	if err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return all
}

func TestTargetsAsJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().In(time.FixedZone("", 3600))
		row := withKey(withCertificate(rowOf("uio", "rabbitmq", "dfo", probe.Fail(probe.ReasonQueueMissing, "queue x"), 3), now.Add(aDay)),
			probe.KeyEnd{Source: probe.SourceConfig, At: now.Add(aDay)}, probe.KeyEnd{Source: probe.SourceGravitee})
		row.Since, row.LastSuccess, row.Last.Start = now.Add(-time.Hour), now.Add(-2*time.Hour), now.Add(-time.Minute)
		row.Failures, row.Contact, row.Last.TransactionID = 2, "who@uio.no", "the-id"
		row.Last.Answered, row.Last.Status = true, 200
		row.Last.Phases = phases(map[probe.Phase]time.Duration{probe.PhaseLogin: 250 * time.Millisecond})
		row.Last.Queues = []probe.QueueSeen{{Name: "q", Ready: 5, Consumers: 1}}
		row.Last.Blocked = probe.Count{OK: true}
		row.Key.Accepted, row.Key.Info.Superseded = probe.KeyRejected, probe.Count{N: 1, OK: true}
		waiting := rowOf("uio", "key", "k", nil, 0)
		explained := probe.Explain(probe.ReasonQueueMissing, probe.LayerBroker)
		want := []map[string]any{
			{
				"institution": "uio", "kind": "rabbitmq", "target": "dfo", "institution_title": "Title of uio", "title": "Title of dfo",
				"address": "https://gw-uio:443", "contact": "who@uio.no", "interval_seconds": 60.0, "timeout_seconds": 15.0,
				"state": "failed", "since": "1999-12-31T23:00:00Z", "last_success": "1999-12-31T22:00:00Z", "runs": 3.0, "failures": 2.0,
				"success": false, "reason": "queue_missing", "layer": "broker", "detail": "queue x", "meaning": explained.Meaning, "next": explained.Next,
				"started": "1999-12-31T23:59:00Z", "duration_seconds": 1.0, "phases_seconds": map[string]any{"login": 0.25},
				"status_code": 200.0, "size_bytes": 0.0, "transaction_id": "the-id",
				"certificate_expiry": "2000-01-02T00:00:00Z", "certificate_verified": true, "blocked": false,
				"queues": []any{map[string]any{"name": "q", "messages_ready": 5.0, "consumers": 1.0}},
				"key": map[string]any{"accepted": false, "superseded": true, "ends": []any{
					map[string]any{"source": "config", "at": "2000-01-02T00:00:00Z"}, map[string]any{"source": "gravitee", "never": true},
				}},
			},
			{
				"institution": "uio", "kind": "key", "target": "k", "institution_title": "Title of uio", "title": "Title of k",
				"address": "https://gw-uio:443", "interval_seconds": 60.0, "timeout_seconds": 15.0, "state": "waiting", "runs": 0.0, "failures": 0.0,
			},
		}
		o := world(row, waiting)
		if diff := cmp.Diff(want, documents(t, get(t, o, "/api/v1/targets"))); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want[1:], documents(t, get(t, o, "/api/v1/targets?kind=api&kind=key&state=waiting"))); diff != "" {
			t.Errorf("filtered (-want +got):\n%s", diff)
		}
	})
}
