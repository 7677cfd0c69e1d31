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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// What discover prints needs no more work: check is green, for every institution.
func TestDiscoverThenCheck(t *testing.T) {
	testkit.NoLeaks(t)
	p := platform(t, demo.Options{})
	apis := map[string]int{}
	for _, target := range p.Targets() {
		apis[target.Institution]++
	}
	for institution, n := range apis {
		dir := t.TempDir()
		args := append(discovering(t, p, institution, dir), "--write-keys="+filepath.Join(dir, "made", "keys"))
		got := succeeds(t, args...)
		if strings.Count(got.out, "key_file:") != n || strings.Count(got.out, "GUESS") != 1 {
			t.Errorf("%s: want %d APIs, and GUESS but once, where it is explained\n%s", institution, n, got.out)
		}
		config := passes(t, dir, got.out)
		checked := call(t, "check", "--config.file="+config)
		if checked.code != 0 || strings.Count(checked.out, institution+" api ") < n {
			t.Errorf("%s: check is not green\n%s%s", institution, checked.out, checked.err)
		}
		again := succeeds(t, args...)
		if again.out != got.out {
			t.Errorf("%s: the second time it prints something else (-first +second):\n%s", institution, cmp.Diff(got.out, again.out))
		}
		if !strings.Contains(got.err, "; "+view.Plural(n, "key", "keys")+" written to ") || !strings.Contains(again.err, "; 0 keys written to ") {
			t.Errorf("%s: said %q, then %q", institution, got.err, again.err)
		}
	}
}

func TestDiscoverPrints(t *testing.T) {
	p := platform(t, demo.Options{})
	p.EndAt("ntnu", "inspera", time.Date(2097, 3, 1, 0, 0, 0, 0, time.UTC))
	p.EndAt("ntnu", "organisasjoner", time.Date(2097, 5, 1, 0, 0, 0, 0, time.UTC)) // the scenario's own follows the calendar
	p.EndAt("ntnu", "krr", time.Date(2097, 3, 1, 12, 30, 0, 999e6, time.UTC))
	p.Revoke("ntnu", "fs-gemini")
	dir := t.TempDir()
	args := discovering(t, p, "ntnu", dir)
	got := succeeds(t, append(args, "--gravitee.organization=DEFAULT")...).out
	for _, secret := range []struct{ real, shown string }{
		{p.Application("ntnu"), "6b7f2c1e-0000-4000-8000-000000000000"},
		{p.ManagementURL("ntnu"), "https://api-mgmt.example.no/management"},
		{p.URL("ntnu"), "https://gw.example.no"},
		{dir, "DIR"},
		{strings.TrimPrefix(args[len(args)-1], "--tls.ca-file="), "ca.pem"},
	} {
		got = strings.ReplaceAll(got, secret.real, secret.shown)
	}
	golden(t, "discover.yml", got)
}

// Where the token may not read the APIs' definitions, their names must do.
func TestDiscoverWithoutDefinitions(t *testing.T) {
	p := platform(t, demo.Options{})
	p.SetManagement("ntnu", demo.ManagementNoDefinitions)
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	got := succeeds(t, append(discovering(t, p, "ntnu", dir), "--write-keys="+keys)...)
	if n := strings.Count(got.out, "# GUESS: the context path. The API manager did not tell it."); n != 8 || !strings.Contains(got.err, "8 of them with a GUESS") {
		t.Errorf("%d guesses, want 8; said %q\n%s", n, got.err, got.out)
	}
	passes(t, dir, got.out)
	want := []string{"ansatte", "fs", "fs-gemini", "inspera", "krr", "maskinporten", "organisasjoner", "stillinger"}
	if diff := cmp.Diff(want, named(got.out)); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

// 250 subscriptions: paused, expired, revoked, renewed and shared keys among them.
func TestDiscoverAMultitude(t *testing.T) {
	p := platform(t, demo.Options{Subscriptions: 250})
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	args := discovering(t, p, "uio", dir)
	without := succeeds(t, append(args, "--log.level=debug")...)
	if diff := cmp.Diff([]string{"-rw------- token"}, files(t, dir)); diff != "" {
		t.Errorf("without --write-keys (-want +got):\n%s", diff)
	}
	got := succeeds(t, append(args, "--log.level=debug", "--write-keys="+keys)...)
	passes(t, dir, got.out)
	said := without.out + without.err + got.out + got.err
	revoked, paused, unusable := 0, 0, 0
	for _, k := range p.ManagedKeys("uio") {
		if strings.Contains(said, k.Value) {
			t.Fatal("a key is printed")
		}
		if k.Paused {
			paused++
		}
		if k.Revoked {
			revoked++
		}
		if k.Revoked || k.Expired {
			unusable++
		}
	}
	if strings.Contains(said, p.ManagementToken("uio")) {
		t.Error("the token is printed")
	}
	counts := map[string]int{
		"PAUSED": strings.Count(got.out, "# PAUSED"), "left out": strings.Count(got.out, "# Left out"),
		"files": len(files(t, keys)), "key_file": strings.Count(got.out, "key_file:"),
	}
	want := map[string]int{"PAUSED": paused, "left out": unusable, "files": 250 - unusable, "key_file": 250 - unusable}
	if diff := cmp.Diff(want, counts); diff != "" || paused == 0 || revoked == 0 || unusable <= revoked {
		t.Errorf("(-want +got):\n%s", diff)
	}
	newest(t, p, keys)
}

// newest holds what was written against what the simulation has.
func newest(t *testing.T, p *demo.Platform, keys string) {
	t.Helper()
	usable := map[string]bool{}
	for _, k := range p.ManagedKeys("uio") {
		if !k.Revoked && !k.Expired && !k.Superseded {
			usable[k.Value+"\n"] = true
		}
	}
	entries, err := os.ReadDir(keys)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(keys, e.Name()))
		if err != nil || !usable[string(content)] {
			t.Errorf("%s holds no newest usable key, %v", e.Name(), err)
		}
	}
	content, err := os.ReadFile(filepath.Join(keys, "uio-krr"))
	if err != nil || string(content) != p.Key("uio", "krr")+"\n" {
		t.Errorf("the file of krr holds another key, %v", err)
	}
}

func TestDiscoverWithoutKeys(t *testing.T) {
	dir := t.TempDir()
	args := managing(
		t, dir,
		subscribed{api: "No key", plan: "OAuth"},
		subscribed{api: "Expired", key: "k1", more: `,"expired":true,"expire_at":1763800000000`},
		subscribed{api: "Expired by our clock", key: "k2", more: `,"expire_at":1763800000000`},
		subscribed{api: "Revoked", key: "k3", more: `,"revoked":true`},
	)
	got := succeeds(t, append(args, "--write-keys="+filepath.Join(dir, "keys"))...)
	passes(t, dir, got.out)
	if n := strings.Count(got.out, "# Left out: "); n != 4 || strings.Contains(got.out, "apis:") || len(files(t, filepath.Join(dir, "keys"))) != 0 {
		t.Errorf("%d left out, want 4 and no API\n%s", n, got.out)
	}
	args = managing(t, dir)
	empty := call(t, args...)
	if empty.code != 2 || empty.out != "" || !strings.Contains(empty.err, "no accepted subscription") {
		t.Errorf("no subscription: %+v", empty)
	}
}

func TestDiscoverEnds(t *testing.T) {
	const end = 4012588800000 // 2097-02-25
	expires := fmt.Sprintf(`,"expire_at":%d`, int64(end))
	dir := t.TempDir()
	got := succeeds(t, managing(
		t, dir,
		subscribed{api: "a", key: "k1"},
		subscribed{api: "b", key: "k2", more: expires},
		subscribed{api: "c", key: "k3", more: expires, ends: end},
		subscribed{api: "d", key: "k4", ends: end},
	)...)
	want := []string{"2097-02-25", "2097-02-25", "2097-02-25"} // of b, c and d
	var ends []string
	for _, line := range regexp.MustCompile(`(?m)^        # Ends (\S+)\. `).FindAllStringSubmatch(got.out, -1) {
		ends = append(ends, line[1])
	}
	if diff := cmp.Diff(want, ends); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
}

// A name is the only thing that strangers can put into a configuration.
func TestDiscoverHostileNames(t *testing.T) {
	hostile := []string{
		"../../etc/passwd", "a\nb: c\n# d", "x: {y: z}", "\u2028apis:\u2028  evil: {}", "\x1b[31mred\x1b[0m", "\u202egnp.exe", "null", "yes", "~", "42", "1e3",
		"", "...", "日本語", "\"quoted\" 'and' `more`", "{{.URL}}", "&anchor *alias !!tag", "Ærlig Øl på Ås", strings.Repeat("long ", 90), "*", "-", "con", "\x00",
		"same", "same", "Same!", "same-2", "a\u0085b", "%s %d", "key_file: /etc/shadow", "\ufeffbom", "😀 smile",
	}
	var all []subscribed
	for i, name := range hostile {
		all = append(all, subscribed{api: name, plan: hostile[len(hostile)-1-i], key: fmt.Sprint("key-", i), path: []string{"", "/../..", "/ok", "/a b", "/{x}", "//evil", "/a/.hidden", "/a\nb"}[i%8]})
	}
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	args := append(managing(t, dir, all...), "--write-keys="+keys)
	got := succeeds(t, args...)
	config := passes(t, dir, got.out)
	if again := succeeds(t, args...); again.out != got.out {
		t.Error("the second time it prints something else")
	}
	names := named(got.out)
	if len(names) != len(hostile) || len(slices.Compact(names)) != len(hostile) {
		t.Errorf("%d names of %d:\n%s", len(names), len(hostile), got.out)
	}
	if n := len(files(t, keys)); n != len(hostile) {
		t.Errorf("%d files, want %d", n, len(hostile))
	}
	if diff := cmp.Diff([]string{"config.yml", "keys", "token"}, base(t, dir)); diff != "" {
		t.Errorf("beside the keys (-want +got):\n%s", diff)
	}
	for _, r := range got.out {
		if r != '\n' && (r < ' ' || r == '\x7f' || r == '\u0085' || r == '\u2028' || r == '\u202e' || r == '\ufeff') {
			t.Fatalf("%q is printed", r)
		}
	}
	for line := range strings.Lines(got.out) {
		if len(line) > 400 {
			t.Errorf("a line of %d characters", len(line))
		}
	}
	if loaded := call(t, "check-config", "--config.file="+config); !strings.Contains(loaded.out, "is usable: ") {
		t.Errorf("%+v", loaded)
	}
}

func base(t *testing.T, dir string) (names []string) {
	t.Helper()
	for _, f := range files(t, dir) {
		_, name, _ := strings.Cut(f, " ")
		names = append(names, name)
	}
	return names
}

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
		"--gravitee.token-file=" + testkit.WriteFile(t, dir, "token", p.ManagementToken(institution)+"\n"),
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
	config = testkit.WriteFile(t, dir, "config.yml", printed)
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
		"--gravitee.token-file=" + testkit.WriteFile(t, dir, "token", "token\n"),
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
