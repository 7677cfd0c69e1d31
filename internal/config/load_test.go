package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// write puts files into a new directory, config.yml and a key among them, and returns it.
func write(t testing.TB, config string, files ...[2]string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range append(files, [2]string{"config.yml", config}, [2]string{"k", "not-a-real-key\n"}) {
		path := filepath.Join(dir, f[0])
		err := os.MkdirAll(filepath.Dir(path), 0o700)
		if err != nil {
			t.Fatal(err)
		}
		err = os.WriteFile(path, []byte(f[1]), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t testing.TB, config string, files ...[2]string) *Config {
	t.Helper()
	c, err := Load(filepath.Join(write(t, config, files...), "config.yml"), probe.NewShared())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// faults returns what is wrong with files, without the directory.
func faults(t *testing.T, config string, files ...[2]string) []string {
	t.Helper()
	dir := write(t, config, files...)
	_, err := Load(filepath.Join(dir, "config.yml"), probe.NewShared())
	var list Faults
	if !errors.As(err, &list) {
		t.Fatalf("the error is %v, want Faults", err)
	}
	return strings.Split(strings.ReplaceAll(list.Error(), dir+"/", ""), "\n")
}

func TestWholeFiles(t *testing.T) {
	for _, test := range []struct{ name, content, want string }{
		{"empty", "", "config.yml:1: the file is empty"},
		{"comments", "# nothing\n\n", "config.yml:1: the file is empty"},
		{"null", "---\n", "config.yml:1: the file is empty"},
		{"NUL", "apis:\n  a: \x00\n", "config.yml:2: a NUL byte: this is not a text file in UTF-8"},
		{"UTF-16", "\xff\xfea\x00p\x00i\x00s\x00", "config.yml:1: a NUL byte: this is not a text file in UTF-8"},
		{"Latin-1", "institutions:\n  uio: {title: \xf8}\n", "config.yml:2: this is not a text file in UTF-8"},
		{"control", "apis: {a: \x01}\n", "config.yml:1: a control character: this is not a text file"},
		{"scalar", "hunter2", "config.yml:1: expected a mapping (key: value), found a single value"},
	} {
		t.Run(test.name, func(t *testing.T) {
			diff := cmp.Diff([]string{test.want}, faults(t, test.content))
			if diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	const missing = ": no such file; name one with --config.file, copy config.example.yml, or try: integra_exporter demo"
	dir := t.TempDir()
	for path, want := range map[string]string{
		filepath.Join(dir, "none.yml"):  missing,
		dir:                             ": is a directory; name the file in it with --config.file",
		filepath.Join(dir, "none", "x"): missing,
	} {
		_, err := Load(path, probe.NewShared())
		if err == nil || err.Error() != path+want {
			t.Errorf("got %v, want %s%s", err, path, want)
		}
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	got := faults(t, `include: [b.yml, a.yml]
defaults: {interval: 5x, http2: maybe}
apis:
  org: {request: {pth: /}, title: [a]}
institutions:
  uio:
    gateway: https://canary:canary@gw.example.no
    gateway: https://gw.example.no
    apis:
      org: {}
      orgg: {key_file: none}
`, [2]string{"a.yml", "apis:\n  x: {conection: fresh, request: {path: /}}\n"}, [2]string{"b.yml", "institutions:\n  uio: {}\n"})
	want := []string{
		`a.yml:2: unknown key "conection"; did you mean "connection"?`,
		`b.yml:2: institution "uio" is already defined at config.yml:6`,
		`config.yml:10: institution "uio", api "org" has no key: give key_file, key_env or key`,
		`config.yml:11: api "orgg" is not defined under apis; did you mean "org"?`,
		`config.yml:2: http2: "maybe" is neither true nor false`,
		`config.yml:2: interval: "5x" is not a duration such as 30s, 5m or 1d`,
		`config.yml:4: title: expected a single value, found a list`,
		`config.yml:4: unknown key "pth"; did you mean "path"?`,
		`config.yml:7: gateway: the URL holds user information: remove it up to the @, and give a secret with the key that is meant for it`,
		`config.yml:8: gateway: this key is already set in line 7`,
	}
	// by file, then line: the lines above are in the order of text
	order := []string{want[0], want[1], want[4], want[5], want[6], want[7], want[8], want[9], want[2], want[3]}
	diff := cmp.Diff(order, got)
	if diff != "" {
		t.Error(diff)
	}
}

func TestInclude(t *testing.T) {
	c := load(t, `include: ["*.yml", conf.d/*/*.yml, conf.d/uio/uio.yml, none.d/*.yml]
apis:
  org: {request: {path: /org/}}
`, [2]string{"conf.d/uio/uio.yml", `
institutions:
  uio: {apis: {org: {key_file: keys/key}}}
`}, [2]string{"conf.d/uio/keys/key", "a"}, [2]string{"conf.d/ntnu/ntnu.yml", `
apis:
  body: {request: {path: /, method: POST, body_file: body.json}}
institutions:
  ntnu: {apis: {body: {key_file: ../../k}}}
`}, [2]string{"conf.d/ntnu/body.json", `{"a":1}`})
	var got []probe.Target
	for _, check := range c.Checks() {
		got = append(got, check.Target)
	}
	want := []probe.Target{
		{Institution: "ntnu", Kind: "api", Name: "body"},
		{Institution: "ntnu", Kind: "auth", Name: "body"},
		{Institution: "uio", Kind: "api", Name: "org"},
		{Institution: "uio", Kind: "auth", Name: "org"},
	}
	diff := cmp.Diff(want, got)
	if diff != "" {
		t.Error(diff)
	}
	if body := string(c.APIs()[0].sealed().request.Body); body != `{"a":1}` {
		t.Errorf("body %s", body)
	}
}

func TestAliases(t *testing.T) {
	c := load(t, `
apis:
  a: &a
    interval: 30s
    request: &request {path: /a, headers: {X-A: "1"}}
  b:
    <<: *a
    request: {<<: *request, path: /b}
  c: {<<: [{interval: 10s}, *a]}
institutions:
  uio: &uio {apis: {a: &k {key_file: k}, b: *k, c: *k}}
  ntnu: *uio
`)
	var got []string
	for _, a := range c.APIs() {
		got = append(got, a.Institution+" "+a.Name+" "+a.Interval.String()+" "+a.Request.Path+" "+a.Request.Headers[0].Name)
	}
	want := []string{"ntnu a 30s /a X-A", "ntnu b 30s /b X-A", "ntnu c 10s /a X-A", "uio a 30s /a X-A", "uio b 30s /b X-A", "uio c 10s /a X-A"}
	diff := cmp.Diff(want, got)
	if diff != "" {
		t.Error(diff)
	}
}

func TestAliasBombs(t *testing.T) {
	lists := "apis:\n  a0: &a0 {title: a, request: {path: /}}\n"
	merges := lists
	for i := 1; i <= 12; i++ {
		previous := strings.TrimSuffix(strings.Repeat("*a"+string(rune('a'+i-1))+", ", 10), ", ")
		if i == 1 {
			previous = "*a0"
		}
		merges += "  a" + string(rune('a'+i)) + ": &a" + string(rune('a'+i)) + " {<<: [" + previous + "]}\n"
	}
	got := faults(t, merges)
	told := 0
	for _, fault := range got {
		if strings.HasSuffix(fault, "the aliases of this file expand to more than 2000000 values") {
			told++
		}
	}
	if told != 1 || len(got) > 2 { // where it stopped, a path may be missing
		t.Errorf("told %d times, %d faults, the first: %.200s", told, len(got), got[0])
	}
}

func TestSectionsCommentedOut(t *testing.T) {
	c := load(t, "defaults:\ninclude:\napis:\ninstitutions:\n  uio: {title: Oslo, rabbitmq: , keys: , gravitee: , apis: , tls: }\n")
	if len(c.Checks())+len(c.Warnings) != 0 {
		t.Errorf("%d checks, warnings %v", len(c.Checks()), c.Warnings)
	}
}

// TestBadFiles holds each file under testdata/bad, which has one fault, against
// its first line: "# want: line: message", with another file's name before the line where it is elsewhere.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d bad files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yml"), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(content), "\n")
			_, err = Load(file, probe.NewShared())
			got := strings.ReplaceAll(fmt.Sprint(err), "testdata/bad/", "")
			got = strings.TrimPrefix(got, filepath.Base(file)+":")
			diff := cmp.Diff(strings.TrimPrefix(first, "# want: "), got)
			if diff != "" {
				t.Errorf("%s", diff)
			}
			var faults Faults
			if !errors.As(err, &faults) || len(faults) != 1 {
				t.Errorf("%d faults, want 1", len(faults))
			}
			if strings.Contains(got, "canary") {
				t.Errorf("a secret is repeated: %s", got)
			}
		})
	}
}

// Elements that exist as they are written are literal; what an include matches does not depend on where it stands.
func TestIncludeBelowOddDirectories(t *testing.T) {
	for _, dir := range []string{"a[b]", "{a,b}", "a*", "a?b", "plain", "[", `a\b`, "a[!b]"} {
		root := filepath.Join(t.TempDir(), dir)
		put(t, root, "conf.d/uio.yml", "institutions: {uio: {keys: [{name: k, expires: never}]}}")
		put(t, root, "conf.d/.hidden.yml", "institutions: {hidden: {keys: [{name: k, expires: never}]}}")
		put(t, root, "conf.d/.d/uit.yml", "institutions: {uit: {keys: [{name: k, expires: never}]}}")
		put(t, root, "sub/config.txt", "")
		for pattern, want := range map[string][]string{
			"conf.d/*.yml":                         {"uio"},
			"conf.d/uio.yml":                       {"uio"},
			"*/*.yml":                              {"uio"},
			"conf.d/[u]io.yml":                     {"uio"},
			"conf.d/.*.yml":                        {"hidden"},
			"conf.d/.*/*.yml":                      {"uit"},
			"sub/../conf.d/*.yml":                  {"uio"},
			filepath.Join(root, "conf.d", "*.yml"): {"uio"},
			filepath.Join(root, "conf.d/uio.yml"):  {"uio"},
			"../" + dir + "/conf.d/*.yml":          {"uio"},
		} {
			put(t, root, "config.yml", fmt.Sprintf("include: [%q]\ninstitutions: {nobody: {}}\n", pattern))
			c, err := Load(filepath.Join(root, "config.yml"), probe.NewShared())
			if err != nil {
				t.Errorf("below %s: %s: %v", dir, pattern, err)
				continue
			}
			var got []string
			for _, k := range c.Keys {
				got = append(got, k.Institution)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("below %s: %s (-want +got):\n%s", dir, pattern, diff)
			}
		}
		put(t, root, "config.yml", "include: [conf.d/*.json, conf.d/none.yml]\n")
		_, err := Load(filepath.Join(root, "config.yml"), probe.NewShared())
		if err == nil || !strings.Contains(err.Error(), "none.yml: no such file") {
			t.Errorf("below %s: %v", dir, err)
		}
		put(t, root, "config.yml", "include: [conf.d/*.json]\ninstitutions: {uio: {}}\n")
		c, err := Load(filepath.Join(root, "config.yml"), probe.NewShared())
		if err != nil || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0].Message, "conf.d/*.json matches no file") {
			t.Errorf("below %s: %v, %v", dir, err, c)
		}
	}
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	err := os.MkdirAll(filepath.Dir(path), 0o700)
	if err == nil {
		err = os.WriteFile(path, []byte(content), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
