//go:build conformance

package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/testkit/recordings"
)

// What the exporter says of real gateways' answers, in the command check and in the running exporter.
func TestExporterOnRealGateways(t *testing.T) {
	program := build(t)
	expected, err := recordings.ReadExpected()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range versions() {
		t.Run(strings.Join(append([]string{v.number}, v.flags...), " "), func(t *testing.T) {
			gateway := startGateway(t, v, startBackends(t))
			for suffix, engine := range v.engines {
				recorded := recordingOf(t, v.number, engine)
				situations := asked(t, &expected, recorded)
				useUpLimits(t, gateway, v, suffix, situations)
				file := configure(t, gateway, v, suffix, situations)
				for how, targets := range map[string][]target{"check": check(t, program, file), "serve": serve(t, program, file)} {
					judge(t, how, &expected, recorded, targets)
				}
			}
		})
	}
}

func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "integra_exporter")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/integra_exporter")
	command.Dir = "../.."
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// asked returns the situations in which our key is sent and something is expected of the exporter.
func asked(t *testing.T, expected *recordings.Expected, g *recordings.Gateway) []recordings.Situation {
	t.Helper()
	situations := slices.DeleteFunc(slices.Clone(g.Situations), func(s recordings.Situation) bool {
		_, known := expected.For(g.Version, g.Engine, s.Name, false)
		return !known || !s.Key || absent.MatchString(s.Name) || strings.HasSuffix(s.Name, "-ok") && limits.MatchString(s.Name)
	})
	if len(situations) < 60 {
		t.Fatalf("only %d situations of %s", len(situations), g.Name())
	}
	return situations
}

// useUpLimits asks until the limits are reached.
func useUpLimits(t *testing.T, gateway string, v version, suffix string, situations []recordings.Situation) {
	t.Helper()
	for _, s := range situations {
		for range 3 {
			if limits.MatchString(s.Name) {
				ask(t, gateway, v.request(s, suffix), patience)
			}
		}
	}
}

// configure writes a configuration with an API for each situation.
func configure(t *testing.T, gateway string, v version, suffix string, situations []recordings.Situation) string {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "defaults: {gateway: 'http://%s', interval: 12s, timeout: 12s, max_concurrent_per_host: 32}\ninstitutions:\n  uio:\n    apis:\n", gateway)
	for _, s := range situations {
		r := v.request(s, suffix)
		fmt.Fprintf(&text, "      %s:\n        key: %s\n        request: {method: %s, path: '%s'", s.Name, r.key, r.method, r.path)
		if r.body != "" {
			fmt.Fprintf(&text, ", body: '%s'", r.body)
		}
		text.WriteString("}\n")
		if r.method == http.MethodHead {
			text.WriteString("        expect: {json: false}\n")
		}
	}
	file := filepath.Join(t.TempDir(), "config.yml")
	err := os.WriteFile(file, []byte(text.String()), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// target is what the exporter's JSON says of one.
type target struct {
	Kind, Target, State, Reason, Layer string
	Key                                struct{ Accepted *bool }
}

func check(t *testing.T, program, file string) (targets []target) {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, "check", "--output=json", "--config.file="+file)
	var out, log bytes.Buffer
	command.Stdout, command.Stderr = &out, &log
	_ = command.Run() // fails, as the checks do
	err := json.Unmarshal(out.Bytes(), &targets)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.Bytes())
	}
	return targets
}

// serve runs the exporter until every target has run.
func serve(t *testing.T, program, file string) (targets []target) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	command := exec.CommandContext(ctx, program, "serve", "--config.file="+file, "--web.listen-address="+address)
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	err := command.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		stop()
		_ = command.Wait()
	}()
	for waiting := true; waiting; {
		if ctx.Err() != nil {
			t.Fatalf("some targets have not run: %v", targets)
		}
		time.Sleep(time.Second)
		targets = targetsOf(ctx, "http://"+address+"/api/v1/targets")
		waiting = targets == nil || slices.ContainsFunc(targets, func(t target) bool { return t.Kind == "api" && t.State == "waiting" })
	}
	return targets
}

func targetsOf(ctx context.Context, url string) (targets []target) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil || json.Unmarshal(body, &targets) != nil {
		return nil
	}
	return targets
}

func judge(t *testing.T, how string, expected *recordings.Expected, g *recordings.Gateway, targets []target) {
	t.Helper()
	judged := 0
	for _, got := range targets {
		want, known := expected.For(g.Version, g.Engine, got.Target, false)
		renewed := how == "serve" && strings.HasSuffix(got.Target, "-exceeded") // a limit begins anew while the exporter runs
		if got.Kind != "api" || !known || renewed {
			continue
		}
		judged++
		reason, key := got.Reason, ""
		if got.State == "ok" {
			reason = "ok"
		}
		if got.Key.Accepted != nil {
			key = map[bool]string{true: "accepted", false: "rejected"}[*got.Key.Accepted]
		}
		// A success proves a key only once a wrong one has been refused, which the check of kind auth finds out beside it.
		unproven := reason == "ok" && key == ""
		if !slices.Contains(want.Reason, reason) || !slices.Contains(want.Layer, got.Layer) || !unproven && !slices.Contains(want.Key, key) {
			t.Errorf("%s, %s, %s: %q of layer %q, key %q; want one of %q, %q, %q",
				how, g.Name(), got.Target, reason, got.Layer, key, want.Reason, want.Layer, want.Key)
		}
	}
	if judged < 60 {
		t.Errorf("%s, %s: only %d situations judged", how, g.Name(), judged)
	}
}
