package main

import (
	"encoding/base64"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// renewable is an exporter whose key can be renewed, and what /metrics says of it.
type renewable struct {
	institute
	*served
	success, accepted, superseded string             // series
	valid                         map[string]float64 // of a key without end
	loaded                        float64            // when the configuration was
}

func startRenewable(t *testing.T, options demo.Options) renewable {
	t.Helper()
	uio := manage(t, options, "", "")
	r := renewable{institute: uio, served: start(t, "--config.file="+uio.config)}
	r.success, r.accepted, r.superseded = of("integra_probe_success", "stillinger"), of("integra_key_accepted", "stillinger"), of("integra_key_superseded", "stillinger")
	r.valid = map[string]float64{
		r.success: 1, r.accepted: 1, r.superseded: 0, managerRead: 1,
		keyState("api", "stillinger", "never"): 1, keyState("api", "stillinger", "dated"): 0,
	}
	testkit.Eventually(t, "a valid key without end", r.shows(t, r.valid))
	r.loaded = r.metrics(t)["integra_exporter_config_last_reload_success_timestamp_seconds"]
	return r
}

func (r renewable) shows(t *testing.T, want map[string]float64) func() bool {
	return func() bool { return r.metrics(t).present(want) }
}

// replaceKey puts the new key into its file, which is read without a reload.
func (r renewable) replaceKey(t *testing.T, renewed string) {
	t.Helper()
	testkit.WriteFile(t, r.dir, "keys/uio-stillinger", renewed+"\n")
	testkit.Eventually(t, "the new key's success", r.shows(t, r.valid))
	now := r.metrics(t)
	if now["integra_exporter_config_last_reload_success_timestamp_seconds"] != r.loaded || len(now.family("integra_key_expiry_timestamp_seconds")) != 0 {
		t.Errorf("a reload, or an end of the new key: %v", now.family("integra_key_expiry_timestamp_seconds"))
	}
}

// After a renewal the old key still works for two hours.
func TestRenewedKey(t *testing.T) {
	testkit.NoLeaks(t)
	const grace = 2 * time.Hour
	r := startRenewable(t, demo.Options{KeyGrace: grace})
	renewed, pressed := r.Renew("uio", "stillinger"), time.Now()
	testkit.Eventually(t, "the newer key", r.shows(t, map[string]float64{r.superseded: 1, r.success: 1, r.accepted: 1, keyState("api", "stillinger", "dated"): 1}))
	ends := r.metrics(t)[keyEnd("api", "stillinger", "gravitee")]
	if left := ends - float64(pressed.Add(grace).UnixMilli())/1e3; left < -0.5 || left > 0.5 {
		t.Errorf("the old key ends %v s beside the grace of %v", left, grace)
	}
	r.replaceKey(t, renewed)
	if strings.Contains(r.err.String(), "key_") {
		t.Errorf("a failure in the log:\n%s", r.err)
	}
}

// Then the gateway refuses it. That it is called expired from the first run on is tested in internal/exporter.
func TestRenewedKeyExpires(t *testing.T) {
	testkit.NoLeaks(t)
	r := startRenewable(t, demo.Options{KeyGrace: time.Nanosecond})
	renewed := r.Renew("uio", "stillinger")
	testkit.Eventually(t, "the refusal", func() bool {
		now := r.metrics(t)
		return now.present(map[string]float64{r.success: 0, r.accepted: 0, r.superseded: 1}) &&
			maps.Equal(now.reasons(), map[string]string{"uio api stillinger": "key key_expired"})
	})
	r.replaceKey(t, renewed)
}

func TestRevokedKey(t *testing.T) {
	testkit.NoLeaks(t)
	uio := manage(t, demo.Options{}, "", "")
	s := start(t, "--config.file="+uio.config)
	testkit.Eventually(t, "a reading", func() bool { return s.metrics(t)[managerRead] == 1 })
	uio.Revoke("uio", "stillinger")
	testkit.Eventually(t, "the revocation", func() bool {
		return maps.Equal(s.metrics(t).reasons(), map[string]string{"uio api stillinger": "key key_revoked"})
	})
	if s.metrics(t)[of("integra_key_accepted", "stillinger")] != 0 {
		t.Error("the key is still accepted")
	}
	got := call(t, "check", "--config.file="+uio.config)
	if got.code != 1 || !strings.Contains(got.out, "Ask the API's owner why, then have a new key issued") {
		t.Errorf("check ends with %d and says\n%s%s", got.code, got.out, got.err)
	}
}

// A failure of the API manager is no failure of the API, and takes nothing away.
func TestFailingAPIManager(t *testing.T) {
	testkit.NoLeaks(t)
	uio := manage(t, demo.Options{}, "", "")
	uio.Renew("uio", "stillinger")
	s := start(t, "--config.file="+uio.config, "--web.enable-lifecycle")
	superseded, runs := of("integra_key_superseded", "stillinger"), of("integra_probe_runs_total", "stillinger")
	known := func() bool {
		return s.metrics(t).present(map[string]float64{superseded: 1, managerRead: 1, of("integra_probe_success", "stillinger"): 1})
	}
	testkit.Eventually(t, "a reading", known)
	uio.SetManagement("uio", demo.ManagementBroken)
	testkit.Eventually(t, "the failure", func() bool { return s.metrics(t).present(map[string]float64{managerRead: 0}) })
	failing := s.metrics(t)
	for _, what := range []string{"while it fails", "after a reload"} {
		before := s.metrics(t)[runs]
		testkit.Eventually(t, "more runs", func() bool { return s.metrics(t)[runs] > before+1 })
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
	testkit.Eventually(t, "the recovery", func() bool { return known() && s.metrics(t)[managerReadAt] > failing[managerReadAt] })
	testkit.Eventually(t, "the recovery in the log", func() bool { return strings.Contains(s.err.String(), "API manager is read again") })
	if n := strings.Count(s.err.String(), `msg="API manager cannot be read" institution=uio kind=server_error`); n != 1 {
		t.Errorf("the failure stands %d times in the log, want once, also over reloads:\n%s", n, s.err)
	}
}

// Two sources that disagree are both shown, and told once, also over a reload.
func TestDisagreement(t *testing.T) {
	testkit.NoLeaks(t)
	uio := manage(t, demo.Options{}, ", key_expires: 2030-01-01", "")
	end := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	uio.EndAt("uio", "stillinger", end)
	s := start(t, "--config.file="+uio.config, "--web.enable-lifecycle")
	for range 2 {
		before := s.metrics(t)[managerReadAt]
		testkit.Eventually(t, "two readings", func() bool {
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

// institute is one API of uio with its API manager, both asked every second.
type institute struct {
	*demo.Platform
	dir    string
	config string
}

// manage starts a platform and writes a configuration of uio's stillinger, with
// extra beside its key_file and keys as its list of watched credentials.
func manage(t *testing.T, options demo.Options, extra, keys string) institute {
	t.Helper()
	options.WithoutFaults = true
	platform, err := demo.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = platform.Close() })
	config, err := platform.WriteConfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	i := institute{platform, filepath.Dir(config), config}
	i.configure(t, extra, keys)
	return i
}

func (i institute) configure(t *testing.T, extra, keys string) {
	t.Helper()
	_, path, _ := i.Request("stillinger")
	testkit.WriteFile(t, i.dir, "config.yml", fmt.Sprintf(`
defaults: {interval: 1s, timeout: 1s, tls: {ca_file: ca.pem}}
apis:
  stillinger: {request: {path: %s}, unauthenticated: false}
institutions:
  uio:
    gateway: %s
    tls: {server_name: %s}
    apis: {stillinger: {key_file: keys/uio-stillinger%s}}
    keys: [%s]
    gravitee: {url: %q, application: %s, token_file: keys/uio-gravitee-token, interval: 1s}
`, path, i.URL("uio"), i.ServerName("uio"), extra, keys, i.ManagementURL("uio"), i.Application("uio")))
}

// present reports whether each of the API's series has its value; the key is name or name{label="value".
func (s series) present(want map[string]float64) bool {
	for name, value := range want {
		got, there := s[name]
		if !there || got != value {
			return false
		}
	}
	return true
}

func keyState(kind, target, state string) string {
	return fmt.Sprintf(`integra_key_expiry_state{institution="uio",kind=%q,state=%q,target=%q}`, kind, state, target)
}

func keyEnd(kind, target, source string) string {
	return fmt.Sprintf(`integra_key_expiry_timestamp_seconds{institution="uio",kind=%q,source=%q,target=%q}`, kind, source, target)
}

func jwtOf(subject string, end time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(fmt.Appendf(nil, `{"sub":%q,"exp":%d}`, subject, end.Unix())) + "." + encode([]byte(subject))
}

const managerRead = `integra_gravitee_success{institution="uio"}`

const managerReadAt = `integra_gravitee_last_success_timestamp_seconds{institution="uio"}`
