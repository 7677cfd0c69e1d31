package exporter

import (
	"crypto/sha256"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/gravitee"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

var org = probe.Target{Institution: "uio", Kind: probe.KindAPI, Name: "org"}

// withKey returns an exporter of org, whose key is in a file, and what it logs.
func withKey(t *testing.T, keyFile string, reading gravitee.Reading) (*Exporter, *testkit.Buffer) {
	t.Helper()
	log := &testkit.Buffer{}
	e := New(Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	t.Cleanup(e.scheduler.Close)
	e.store.Replace([]probe.Check{{Target: org, Interval: time.Minute, Timeout: time.Second}})
	e.keys.used[org] = usedKey{source: secret.NewFile(keyFile), reading: new(sync.Mutex)}
	e.keys.readings["uio"] = reading
	return e, log
}

// A key that the API manager has announced to expire is called expired at once, without another reading.
func TestKeyExpiresBetweenReadings(t *testing.T) {
	dir := t.TempDir()
	file := testkit.WriteFile(t, dir, "key", "old\n")
	synctest.Test(t, func(t *testing.T) {
		const grace = 2 * time.Hour
		e, log := withKey(t, file, gravitee.Reading{At: time.Now(), Keys: []gravitee.Key{
			{Hash: sha256.Sum256([]byte("new")), Subscriptions: []string{"s"}, Created: time.Now()},
			{Hash: sha256.Sum256([]byte("old")), Subscriptions: []string{"s"}, Created: time.Now().Add(-grace), Expires: time.Now().Add(grace)},
		}})
		rejected := probe.Result{Err: probe.Fail(probe.ReasonKeyRejected, "HTTP status 401")}
		for _, step := range []struct {
			result     probe.Result
			reason     probe.Reason
			superseded int64
		}{
			{probe.Result{}, "", 1},
			{rejected, probe.ReasonKeyExpired, 1},
			{probe.Result{}, "", 0},
		} {
			e.report(org, step.result)
			row, _ := e.store.Target(org)
			reason, _ := probe.ReasonOf(row.Last.Err)
			if reason != step.reason || row.Key.Info.Superseded != (probe.Count{N: step.superseded, OK: true}) {
				t.Errorf("reason %q, superseded %+v; want %q, %d", reason, row.Key.Info.Superseded, step.reason, step.superseded)
			}
			time.Sleep(grace)
			if step.superseded == 1 && reason != "" {
				testkit.WriteFile(t, dir, "key", "new\n")
			}
		}
		if strings.Contains(log.String(), "key_rejected") || !strings.Contains(log.String(), "reason=key_expired") {
			t.Errorf("the log is vague:\n%s", log)
		}
	})
}

// hangingSource hangs like a file on a dead mount, until released.
type hangingSource struct {
	secret.Source
	read    chan<- struct{}
	release <-chan struct{}
}

func (s hangingSource) Read() (secret.Value, error) {
	s.read <- struct{}{}
	<-s.release
	return s.Source.Read()
}

// A key that hangs holds up neither another target's key nor a reload, and what was read last is remembered last.
func TestAHangingKeyHoldsUpItsTargetAlone(t *testing.T) {
	dir := t.TempDir()
	old, renewed := testkit.WriteFile(t, dir, "old", "old\n"), testkit.WriteFile(t, dir, "new", "new\n")
	read, release := make(chan struct{}, 1), make(chan struct{})
	keys := NewKeys(slog.New(slog.DiscardHandler))
	other := probe.Target{Institution: "uio", Kind: probe.KindAPI, Name: "other"}
	order := new(sync.Mutex)
	keys.used[org] = usedKey{source: hangingSource{secret.NewFile(old), read, release}, reading: order}
	keys.used[other] = usedKey{source: secret.NewFile(renewed), reading: new(sync.Mutex)}
	keys.readings["uio"] = gravitee.Reading{At: time.Now(), Keys: []gravitee.Key{
		{Hash: sha256.Sum256([]byte("old")), Subscriptions: []string{"s"}, Expires: time.Unix(1, 0)},
		{Hash: sha256.Sum256([]byte("new")), Subscriptions: []string{"s"}, Expires: time.Unix(2, 0)},
	}}
	var mu sync.Mutex
	ends := map[string][]int64{}
	remember := func(target probe.Target, info state.KeyInfo) {
		mu.Lock()
		defer mu.Unlock()
		ends[target.Name] = append(ends[target.Name], info.Ends[0].At.Unix())
	}
	var all sync.WaitGroup
	all.Go(func() { keys.Refresh(org, remember) })
	<-read
	keys.Refresh(other, remember)
	keys.mu.Lock() // as a reload does
	keys.used[org] = usedKey{source: secret.NewFile(renewed), reading: order}
	keys.mu.Unlock()
	all.Go(func() { keys.Refresh(org, remember) })
	close(release)
	all.Wait()
	if diff := cmp.Diff(map[string][]int64{"other": {2}, "org": {1, 2}}, ends); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
}

// What the gateway said of a key says nothing of the next one.
func TestAReplacedKeyIsUnproven(t *testing.T) {
	dir := t.TempDir()
	file := testkit.WriteFile(t, dir, "key", "old\n")
	e, _ := withKey(t, file, gravitee.Reading{})
	verdict := func() probe.KeyVerdict {
		row, _ := e.store.Target(org)
		return row.Key.Accepted
	}
	e.report(org, probe.Result{Observation: probe.Observation{KeyVerdict: probe.KeyAccepted}})
	e.report(org, probe.Result{Err: probe.Fail(probe.ReasonConnect, "")})
	if verdict() != probe.KeyAccepted {
		t.Errorf("the same key: %v", verdict())
	}
	for _, unreadable := range []string{"", "old\n"} {
		testkit.WriteFile(t, dir, "key", unreadable)
		e.report(org, probe.Result{Err: probe.Fail(probe.ReasonConnect, "")})
		if verdict() != probe.KeyAccepted {
			t.Errorf("%q in the file: %v", unreadable, verdict())
		}
	}
	testkit.WriteFile(t, dir, "key", "new\n")
	e.report(org, probe.Result{Err: probe.Fail(probe.ReasonConnect, "")})
	if verdict() != probe.KeyUnproven {
		t.Errorf("another key: %v", verdict())
	}
	e.report(org, probe.Result{Observation: probe.Observation{KeyVerdict: probe.KeyRejected}})
	if verdict() != probe.KeyRejected {
		t.Errorf("another key, once the gateway has said so: %v", verdict())
	}
}

// The client certificate that goes with a key ends too, and says nothing of the key.
func TestClientCertificateBesideAKey(t *testing.T) {
	dir := t.TempDir()
	end := time.Now().AddDate(0, 1, 0).Truncate(time.Second)
	certificate, _ := testkit.SelfSigned("exporter", testkit.NotAfter(end)).Files(t, dir, "own")
	e, _ := withKey(t, testkit.WriteFile(t, dir, "key", "key\n"), gravitee.Reading{})
	used := e.keys.used[org]
	used.certificate = certificate
	e.keys.used[org] = used
	e.report(org, probe.Result{})
	row, _ := e.store.Target(org)
	want := []probe.KeyEnd{{Source: probe.SourceCertificate, At: end.UTC()}}
	if diff := cmp.Diff(want, row.Key.Info.Ends); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
}
