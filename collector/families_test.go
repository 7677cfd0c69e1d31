package collector_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// credential is a target of kind key.
func credential(name string) probe.Check {
	c := check("uio", name)
	c.Kind, c.Address, c.Interval = probe.KindKey, "", time.Hour
	return c
}

func ended() probe.Result {
	return ran(nil, probe.Observation{KeyEnds: []probe.KeyEnd{{Source: probe.SourceCertificate, At: start}}},
		probe.Fail(probe.ReasonKeyExpired, "on 2026-11-02"))
}

// learned is what configuration and API manager say of a key that somebody has renewed.
func learned() state.KeyInfo {
	return state.KeyInfo{
		Used: true,
		Ends: []probe.KeyEnd{
			{Source: probe.SourceConfig, At: expiry}, {Source: probe.SourceGravitee, At: start.Add(2 * time.Hour)},
		},
		Superseded: probe.Count{N: 1, OK: true},
	}
}

func accepted() probe.Result {
	result := healthy()
	result.KeyVerdict = probe.KeyAccepted
	return result
}

func manageAll(w world) {
	w.store.SetInstitutions([]state.Institution{{Name: "uio", Managed: true, CAEnd: expiry}, {Name: "ntnu", Managed: true}, {Name: "uib"}})
	w.store.SetManagerStatus("uio", true, start)
	w.store.SetManagerStatus("ntnu", false, time.Time{})
}

func TestKeyExposition(t *testing.T) {
	api, cert := check("uio", "organisasjoner"), credential("virksomhetssertifikat")
	w := newWorld(api, cert)
	w.report(api.Target, accepted())
	w.report(cert.Target, ended())
	w.store.SetKeyInfo(api.Target, learned())
	manageAll(w)
	golden(t, "keys", text(t, gather(t, w.metrics)))
}

// keySeries returns the series about keys of the one target in w, without what identifies it.
func keySeries(t *testing.T, w world) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(text(t, gather(t, w.metrics))) {
		if strings.HasPrefix(line, "integra_key_") {
			_, extra, _ := strings.Cut(line, "{")
			name, _, _ := strings.Cut(line, "{")
			for _, identity := range []string{`institution="uio",`, `kind="api",`, `kind="key",`, `,target="a"`, `target="a"`} {
				extra = strings.Replace(extra, identity, "", 1)
			}
			lines = append(lines, strings.TrimPrefix(name, "integra_key_")+"{"+strings.TrimSpace(extra))
		}
	}
	return lines
}

func TestKeyStates(t *testing.T) {
	never := probe.KeyEnd{Source: probe.SourceConfig}
	dated := probe.KeyEnd{Source: probe.SourceGravitee, At: time.Unix(2000000000, 0)}
	is := func(present string) []string {
		var lines []string
		for _, name := range []string{"dated", "never", "unknown"} {
			value := "0"
			if name == present {
				value = "1"
			}
			lines = append(lines, `expiry_state{state="`+name+`"} `+value)
		}
		return lines
	}
	for name, c := range map[string]struct {
		learned state.KeyInfo
		want    []string
	}{
		"no key":           {state.KeyInfo{}, nil},
		"unknown":          {state.KeyInfo{Used: true}, is("unknown")},
		"never":            {state.KeyInfo{Used: true, Ends: []probe.KeyEnd{never}}, is("never")},
		"newest of never":  {state.KeyInfo{Used: true, Ends: []probe.KeyEnd{never}, Superseded: probe.Count{OK: true}}, append(is("never"), "superseded{} 0")},
		"dated and never":  {state.KeyInfo{Used: true, Ends: []probe.KeyEnd{never, dated}}, append(is("dated"), `expiry_timestamp_seconds{source="gravitee"} 2e+09`)},
		"superseded alone": {state.KeyInfo{Used: true, Superseded: probe.Count{N: 1, OK: true}}, append(is("unknown"), "superseded{} 1")},
	} {
		w := newWorld(check("uio", "a"))
		w.store.SetKeyInfo(check("uio", "a").Target, c.learned)
		if diff := cmp.Diff(c.want, keySeries(t, w)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestUnreadableCredentialIsUnknown(t *testing.T) {
	w := newWorld(credential("a"))
	if got := keySeries(t, w); got != nil {
		t.Errorf("before the first look: %v", got)
	}
	w.report(credential("a").Target, ran(nil, probe.Observation{}, probe.Fail(probe.ReasonKeyUnreadable, "x")))
	want := []string{`expiry_state{state="dated"} 0`, `expiry_state{state="never"} 0`, `expiry_state{state="unknown"} 1`}
	if diff := cmp.Diff(want, keySeries(t, w)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAcceptedSaysWhatTheGatewayLastSaid(t *testing.T) {
	w := newWorld(check("uio", "a"))
	for _, step := range []struct {
		result probe.Result
		want   []string
	}{
		{refused(), nil},
		{accepted(), []string{"accepted{} 1"}},
		{refused(), []string{"accepted{} 1"}},
		{ran(whole(), probe.Observation{KeyVerdict: probe.KeyRejected}, probe.Fail(probe.ReasonKeyRejected, "")), []string{"accepted{} 0"}},
		{refused(), []string{"accepted{} 0"}},
	} {
		w.report(check("uio", "a").Target, step.result)
		if diff := cmp.Diff(step.want, keySeries(t, w)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

// A credential that is looked at takes no time: it has no histogram and no phases.
func TestCredentialsHaveNoDurations(t *testing.T) {
	w := newWorld(credential("a"), check("uio", "a"))
	w.report(credential("a").Target, ended())
	w.report(check("uio", "a").Target, healthy())
	said := map[string]int{}
	for _, f := range gather(t, w.metrics) {
		for _, m := range f.GetMetric() {
			if label(m, "kind") == probe.KindKey {
				said[f.GetName()]++
			}
		}
	}
	for _, name := range []string{"integra_probe_duration_seconds", "integra_probe_phase_duration_seconds"} {
		if said[name] != 0 {
			t.Errorf("%s of a credential", name)
		}
	}
	for _, name := range []string{"integra_probe_success", "integra_probe_failure_info", "integra_probe_runs_total", "integra_key_expiry_timestamp_seconds"} {
		if said[name] != 1 {
			t.Errorf("%d series of %s", said[name], name)
		}
	}
}
