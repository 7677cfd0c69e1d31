package web_test

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

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

func TestTargetsHaveATag(t *testing.T) {
	well, failed := rowOf("uio", "api", "a", nil, 1), rowOf("uio", "api", "a", errForeign{}, 2)
	ask := func(o web.Options, held string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/api/v1/targets", nil)
		if held != "" {
			r.Header.Set("If-None-Match", held)
		}
		w := httptest.NewRecorder()
		web.Handler(o).ServeHTTP(w, r)
		return w
	}
	tag := ask(world(well), "").Header().Get("ETag")
	for _, c := range []struct {
		o      web.Options
		held   string
		status int
	}{
		{world(well), tag, 304},
		{world(well), `"other", ` + tag, 304},
		{world(well), tag[len("W/"):], 304}, // compared weakly
		{world(well), "*", 304},
		{world(well), `"other"`, 200},
		{world(failed), tag, 200},
		{world(well), "", 200},
	} {
		got := ask(c.o, c.held)
		if got.Code != c.status || got.Header().Get("ETag") == "" || (got.Code == 304) != (got.Body.Len() == 0) {
			t.Errorf("If-None-Match: %s: %d, ETag %s, %d bytes; want %d", c.held, got.Code, got.Header().Get("ETag"), got.Body.Len(), c.status)
		}
	}
}
