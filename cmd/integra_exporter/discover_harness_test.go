package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

// discovering returns the flags that read an institution of the simulation. Files lie in dir.
func discovering(t *testing.T, p *demo.Platform, institution, dir string) []string {
	t.Helper()
	config, err := p.WriteConfig(t.TempDir()) // for its ca.pem
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"discover", "--institution=" + institution,
		"--gravitee.url=" + p.ManagementURL(institution), "--gravitee.application=" + p.Application(institution),
		"--gravitee.token-file=" + write(t, dir, "token", p.ManagementToken(institution)+"\n"),
		"--gateway=" + p.URL(institution), "--tls.server-name=" + p.ServerName(institution),
		"--tls.ca-file=" + filepath.Join(filepath.Dir(config), "ca.pem"),
	}
}

func platform(t *testing.T, options demo.Options) *demo.Platform {
	t.Helper()
	options.WithoutFaults = true
	p, err := demo.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// succeeds runs a command that must end well.
func succeeds(t *testing.T, args ...string) called {
	t.Helper()
	got := call(t, args...)
	if got.code != 0 {
		t.Fatalf("%s: exit code %d\n%s%s", args[0], got.code, got.out, got.err)
	}
	return got
}

// passes feeds what was printed to check-config, and returns its file.
func passes(t *testing.T, dir, printed string) (config string) {
	t.Helper()
	config = write(t, dir, "config.yml", printed)
	got := call(t, "check-config", "--config.file="+config)
	if got.code != 0 {
		t.Errorf("check-config: exit code %d\n%s%s\n%s", got.code, got.out, got.err, printed)
	}
	return config
}

// subscribed is a subscription as a simulated API manager of this test's own tells it.
type subscribed struct {
	api, plan string // names
	key       string // empty: none
	path      string // empty: not to be read
	more      string // of the key, JSON members
	ends      int64  // of the subscription, epoch milliseconds; 0: never
}

// managing answers as an API manager, over plain HTTP, and returns the flags to read it.
func managing(t *testing.T, dir string, all ...subscribed) []string {
	t.Helper()
	const environment = "/management/organizations/DEFAULT/environments/DEFAULT"
	answers := map[string]any{}
	metadata, data := map[string]any{}, []any{}
	for i, s := range all {
		n := fmt.Sprint(i)
		metadata["api"+n], metadata["plan"+n] = map[string]any{"name": s.api}, map[string]any{"name": s.plan}
		subscription := map[string]any{"id": "s" + n, "api": "api" + n, "plan": "plan" + n, "status": "ACCEPTED"}
		if s.ends != 0 {
			subscription["ending_at"] = s.ends
		}
		data = append(data, subscription)
		answers[environment+"/applications/app/subscriptions/s"+n+"/apikeys"] = json.RawMessage("[" + s.keyEntity(t) + "]")
		if s.path != "" {
			answers[environment+"/apis/api"+n] = map[string]any{"proxy": map[string]any{"virtual_hosts": []any{map[string]any{"path": s.path}}}}
		}
	}
	answers[environment+"/applications/app/subscriptions"] = map[string]any{"data": data, "metadata": metadata, "page": map[string]any{"total_pages": 1}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return []string{
		"discover", "--institution=uio", "--gravitee.url=" + server.URL + "/management", "--gravitee.application=app",
		"--gravitee.token-file=" + write(t, dir, "token", "token\n"),
	}
}

func (s subscribed) keyEntity(t *testing.T) string {
	t.Helper()
	if s.key == "" {
		return ""
	}
	key, err := json.Marshal(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return `{"key":` + string(key) + `,"created_at":1763800000000` + s.more + `}`
}

// files returns what lies below dir, with its mode.
func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %s", info.Mode(), e.Name()))
	}
	return all
}

// named returns the names of the institution's APIs in what was printed.
func named(printed string) (all []string) {
	_, institution, _ := strings.Cut(printed, "\ninstitutions:\n")
	for _, line := range regexp.MustCompile(`(?m)^ {6}"?([a-z0-9-]+)"?:$`).FindAllStringSubmatch(institution, -1) {
		all = append(all, line[1])
	}
	slices.Sort(all)
	return all
}
