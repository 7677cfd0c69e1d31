package main

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

// soon is an interval, and what two runs may take on a machine that is busy.
const soon = 4 * time.Second

// within is eventually, and at once enough.
func within(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	began := time.Now()
	eventually(t, what, done)
	if took := time.Since(began); took > limit {
		t.Errorf("%s took %v, want at most %v", what, took, limit)
	}
}

// Somebody presses "renew": the old key lives on for a while, is refused, and is replaced in its file.
func TestRenewedKey(t *testing.T) {
	noLeaks(t)
	const grace = 6 * time.Second // 2h on the platform
	uio := manage(t, demo.Options{KeyGrace: grace}, "", "")
	s := start(t, "--config.file="+uio.config)
	success, accepted, superseded := of("integra_probe_success", "stillinger"), of("integra_key_accepted", "stillinger"), of("integra_key_superseded", "stillinger")
	holds := func(want map[string]float64) func() bool {
		return func() bool { return s.metrics(t).present(want) }
	}
	valid := map[string]float64{success: 1, accepted: 1, superseded: 0, managerRead: 1, keyState("api", "stillinger", "never"): 1, keyState("api", "stillinger", "dated"): 0}
	eventually(t, "a valid key without end", holds(valid))
	loaded := s.metrics(t)["integra_exporter_config_last_reload_success_timestamp_seconds"]

	renewed, pressed := uio.Renew("uio", "stillinger"), time.Now()
	within(t, soon, "the newer key", holds(map[string]float64{superseded: 1, success: 1, accepted: 1, keyState("api", "stillinger", "dated"): 1}))
	ends := s.metrics(t)[keyEnd("api", "stillinger", "gravitee")]
	if left := ends - float64(pressed.Add(grace).UnixMilli())/1e3; left < -0.5 || left > 0.5 {
		t.Errorf("the old key ends %v s beside the grace of %v", left, grace)
	}
	time.Sleep(time.Until(pressed.Add(grace)))
	within(t, soon, "the refusal", holds(map[string]float64{success: 0, accepted: 0, superseded: 1}))
	if diff := cmp.Diff(map[string]string{"uio api stillinger": "key key_expired"}, s.metrics(t).reasons()); diff != "" {
		t.Errorf("what fails (-want +got):\n%s", diff)
	}
	write(t, uio.dir, "keys/uio-stillinger", renewed+"\n")
	within(t, soon, "the new key's success", holds(valid))
	now := s.metrics(t)
	if now["integra_exporter_config_last_reload_success_timestamp_seconds"] != loaded || len(now.family("integra_key_expiry_timestamp_seconds")) != 0 {
		t.Errorf("a reload, or an end of the new key: %v", now.family("integra_key_expiry_timestamp_seconds"))
	}
	if strings.Contains(s.err.String(), "key_rejected") {
		t.Errorf("the log is vague:\n%s", s.err)
	}
}

func TestRevokedKey(t *testing.T) {
	noLeaks(t)
	uio := manage(t, demo.Options{}, "", "")
	s := start(t, "--config.file="+uio.config)
	eventually(t, "a reading", func() bool { return s.metrics(t)[managerRead] == 1 })
	uio.Revoke("uio", "stillinger")
	eventually(t, "the revocation", func() bool {
		return maps.Equal(s.metrics(t).reasons(), map[string]string{"uio api stillinger": "key key_revoked"})
	})
	if s.metrics(t)[of("integra_key_accepted", "stillinger")] != 0 {
		t.Error("the key is still accepted")
	}
}

// A failure of the API manager is no failure of the API, and takes nothing away.
func TestFailingAPIManager(t *testing.T) {
	noLeaks(t)
	uio := manage(t, demo.Options{}, "", "")
	uio.Renew("uio", "stillinger")
	s := start(t, "--config.file="+uio.config, "--web.enable-lifecycle")
	superseded, runs := of("integra_key_superseded", "stillinger"), of("integra_probe_runs_total", "stillinger")
	known := func() bool {
		return s.metrics(t).present(map[string]float64{superseded: 1, managerRead: 1, of("integra_probe_success", "stillinger"): 1})
	}
	eventually(t, "a reading", known)
	uio.SetManagement("uio", demo.ManagementBroken)
	eventually(t, "the failure", func() bool { return s.metrics(t).present(map[string]float64{managerRead: 0}) })
	failing := s.metrics(t)
	for _, what := range []string{"while it fails", "after a reload"} {
		before := s.metrics(t)[runs]
		eventually(t, "more runs", func() bool { return s.metrics(t)[runs] > before+1 })
		now := s.metrics(t)
		if len(now.reasons()) != 0 || now[superseded] != 1 || now[managerRead] != 0 || now[managerReadAt] != failing[managerReadAt] || failing[managerReadAt] == 0 {
			t.Errorf("%s: reasons %v, superseded %v, read %v at %v, before %v", what, now.reasons(), now[superseded], now[managerRead], now[managerReadAt], failing[managerReadAt])
		}
		status, _ := s.request(t, "POST", "/-/reload")
		if status != 200 {
			t.Errorf("reload: %d", status)
		}
	}
	uio.SetManagement("uio", demo.ManagementHealthy)
	eventually(t, "the recovery", func() bool { return known() && s.metrics(t)[managerReadAt] > failing[managerReadAt] })
	eventually(t, "the recovery in the log", func() bool { return strings.Contains(s.err.String(), "API manager is read again") })
	if n := strings.Count(s.err.String(), `msg="API manager cannot be read" institution=uio kind=server_error`); n != 1 {
		t.Errorf("the failure stands %d times in the log, want once, also over reloads:\n%s", n, s.err)
	}
}

// Two sources that disagree are both shown, and told once, also over a reload.
func TestDisagreement(t *testing.T) {
	noLeaks(t)
	uio := manage(t, demo.Options{}, ", key_expires: 2030-01-01", "")
	end := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	uio.EndAt("uio", "stillinger", end)
	s := start(t, "--config.file="+uio.config, "--web.enable-lifecycle")
	for range 2 {
		before := s.metrics(t)[managerReadAt]
		eventually(t, "two readings", func() bool {
			return s.metrics(t)[managerReadAt] > before+1.5 && s.metrics(t)[keyEnd("api", "stillinger", "config")] == 1893456000 &&
				s.metrics(t)[keyEnd("api", "stillinger", "gravitee")] == float64(end.Unix())
		})
		s.request(t, "POST", "/-/reload")
	}
	line := `msg="configuration and API manager disagree about the end of a key" institution=uio kind=api target=stillinger config=2030-01-01T00:00:00Z gravitee=2031-01-01T00:00:00Z`
	if n := strings.Count(s.err.String(), line); n != 1 {
		t.Errorf("told %d times:\n%s", n, s.err)
	}
	if strings.Contains(fmt.Sprint(s.metrics(t).reasons()), "uio") {
		t.Errorf("a failure: %v", s.metrics(t).reasons())
	}
}
