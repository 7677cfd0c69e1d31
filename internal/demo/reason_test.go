package demo

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// checksOf loads the configuration that p writes, as the demo does, and returns its checks of one kind.
func checksOf(t *testing.T, p *Platform, kind string) map[Target]probe.Check {
	t.Helper()
	path, err := p.WriteConfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path, probe.NewShared())
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) > 0 {
		t.Errorf("warnings: %v", c.Warnings)
	}
	found := map[Target]probe.Check{}
	for _, check := range c.Checks() {
		if check.Kind != kind {
			continue
		}
		found[Target{check.Institution, check.Name}] = check
		every := map[string]time.Duration{probe.KindAPI: 10 * time.Second, probe.KindAuth: 15 * time.Second}[kind]
		if check.Interval != every || check.Timeout != 4*time.Second {
			t.Errorf("%v: interval %v, timeout %v", check.Target, check.Interval, check.Timeout)
		}
	}
	return found
}

func reasonOf(t *testing.T, check probe.Check, timeout time.Duration) probe.Reason {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	_, err := check.Prober.Probe(ctx)
	reason, _ := probe.ReasonOf(err)
	return reason
}

func TestWhatTheProbeMakesOfTheDemo(t *testing.T) {
	p := start(t, Options{DeadAfter: time.Millisecond, SlowAfter: 1050 * time.Millisecond})
	checks := checksOf(t, p, probe.KindAPI)
	if len(checks) != len(p.Targets()) {
		t.Errorf("%d checks for %d targets", len(checks), len(p.Targets()))
	}
	want := map[Target]probe.Reason{
		{"ntnu", "stillinger"}:    probe.ReasonSlow,
		{"ntnu", "fs-gemini"}:     probe.ReasonNotJSON,
		{"ntnu", "krr"}:           probe.ReasonBackendUnauthorized,
		{"uib", "inspera"}:        probe.ReasonRateLimited,
		{"uib", "freg"}:           probe.ReasonNoSuchAPI,
		{"uio", "ansatte"}:        probe.ReasonBackendTimeout,
		{"uit", "organisasjoner"}: probe.ReasonKeyRejected,
		{"uit", "fs-emner"}:       probe.ReasonBody,
		{"himolde", "inspera"}:    probe.ReasonForbidden,
	}
	if diff := cmp.Diff(want, failures(t, checks)); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	strangers := checksOf(t, p, probe.KindAuth)
	if len(strangers) != len(p.Targets()) {
		t.Errorf("%d negative tests for %d targets", len(strangers), len(p.Targets()))
	}
	want = map[Target]probe.Reason{
		{"ntnu", "ansatte"}: probe.ReasonNotRefused,
		{"uib", "freg"}:     probe.ReasonNoSuchAPI,
	}
	if diff := cmp.Diff(want, failures(t, strangers)); diff != "" {
		t.Errorf("failures of the negative test (-want +got):\n%s", diff)
	}
}

// failures returns the reasons of the checks that fail.
func failures(t *testing.T, checks map[Target]probe.Check) map[Target]probe.Reason {
	t.Helper()
	found := map[Target]probe.Reason{}
	for target, check := range checks {
		reason := reasonOf(t, check, check.Timeout)
		if reason != "" {
			found[target] = reason
		}
	}
	return found
}

func TestWhatTheProbeMakesOfEveryFault(t *testing.T) {
	p := start(t, quick())
	want := map[Fault]probe.Reason{
		Healthy:             "",
		Refused:             probe.ReasonConnect,
		Silent:              probe.ReasonGatewayTimeout,
		RouterUnavailable:   probe.ReasonGatewayUnavailable,
		UnknownContextPath:  probe.ReasonNoSuchAPI,
		KeyRejected:         probe.ReasonKeyRejected,
		KeyOpen:             "",
		ResourceForbidden:   probe.ReasonForbidden,
		MethodForbidden:     probe.ReasonForbidden,
		RateLimited:         probe.ReasonRateLimited,
		GatewayError:        probe.ReasonGatewayError,
		BackendDead:         probe.ReasonBackendTimeout,
		BackendRefused:      probe.ReasonBackendUnreachable,
		BackendUnavailable:  probe.ReasonBackendUnreachable,
		BackendUnauthorized: probe.ReasonBackendUnauthorized,
		BackendForbidden:    probe.ReasonBackendForbidden,
		BackendNotFound:     probe.ReasonNotFound,
		BackendError:        probe.ReasonBackendError,
		Redirect:            probe.ReasonRedirect,
		Slow:                "", // this API may take its time
		HTMLPage:            probe.ReasonNotJSON,
		EmptyBody:           probe.ReasonNotJSON,
		TruncatedBody:       probe.ReasonBody,
		BrokenJSON:          probe.ReasonNotJSON,
		UnexpectedJSON:      probe.ReasonExpectation,

		InnerGateway:           probe.ReasonBackendUnauthorized,
		ResponseTemplate:       probe.ReasonKeyRejected,
		PolicyUnauthorized:     probe.ReasonGatewayError,
		BackendBadRequest:      probe.ReasonStatus,
		BackendRateLimited:     probe.ReasonRateLimited,
		PlanCondition:          probe.ReasonKeyRejected,
		RequestTimeout:         probe.ReasonBackendTimeout,
		TemporarilyUnavailable: probe.ReasonGatewayError,
		Failover:               probe.ReasonBackendUnreachable,
		LimitStoreDown:         "",
		JustStarted:            probe.ReasonNoSuchAPI,
		RouterNotFound:         probe.ReasonGatewayUnavailable,
		RouterBadGateway:       probe.ReasonGatewayUnavailable,
		RouterTimeout:          probe.ReasonGatewayTimeout,
	}
	if diff := cmp.Diff(want, reasonsOfFaults(t, p, probe.KindAPI)); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// The negative test sees only faults that accept any key, and those before the gateway checks the key.
func TestWhatTheNegativeTestMakesOfEveryFault(t *testing.T) {
	p := start(t, quick())
	want := map[Fault]probe.Reason{
		Refused:            probe.ReasonConnect,
		Silent:             probe.ReasonGatewayTimeout,
		RouterUnavailable:  probe.ReasonGatewayUnavailable,
		UnknownContextPath: probe.ReasonNoSuchAPI,
		KeyOpen:            probe.ReasonNotRefused,

		TemporarilyUnavailable: probe.ReasonGatewayError,
		JustStarted:            probe.ReasonNoSuchAPI,
		RouterNotFound:         probe.ReasonGatewayUnavailable,
		RouterBadGateway:       probe.ReasonGatewayUnavailable,
		RouterTimeout:          probe.ReasonGatewayTimeout,
	}
	got := reasonsOfFaults(t, p, probe.KindAuth)
	for f, reason := range got {
		if reason == "" {
			delete(got, f)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reasons (-want +got):\n%s", diff)
	}
}

// reasonsOfFaults shows the check of that kind of uio's fs-emner one fault after the other. None knows how the API refused
// before.
func reasonsOfFaults(t *testing.T, p *Platform, kind string) map[Fault]probe.Reason {
	t.Helper()
	got := map[Fault]probe.Reason{}
	for _, f := range Faults() {
		api, timeout := "fs-emner", 4*time.Second
		switch f {
		case Refused:
			api = ""
		case Silent:
			timeout = 300 * time.Millisecond
		}
		p.Set("uio", api, f)
		got[f] = reasonOf(t, checksOf(t, p, kind)[Target{"uio", "fs-emner"}], timeout)
		p.Clear("uio", api)
	}
	return got
}
