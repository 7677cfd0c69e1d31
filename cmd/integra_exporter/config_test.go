package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

func TestCheckConfig(t *testing.T) {
	testkit.NoLeaks(t)
	dir := t.TempDir()
	good := configure(t, dir, "https://gw.example.no", "org", "fs")
	one := testkit.WriteFile(t, dir, "one.yml", `apis: {org: {request: {path: /org/}, unauthenticated: false}}
institutions:
  uio:
    apis:
      org:
        key: in-the-file
`)
	plain := testkit.WriteFile(t, dir, "plain.yml", `apis: {org: {request: {path: /org/}}}
institutions:
  uio:
    gateway: http://gw.example.no
    apis:
      org:
        key: in-the-file
`)
	bad := testkit.WriteFile(t, dir, "bad.yml", `defaults:
  intervall: 1s
  timeout: never
include: [more/*.yml]
institutions:
  uio:
    apis:
      org: {key_file: nowhere}
`)
	missing := filepath.Join(dir, "missing.yml")
	for _, c := range []struct {
		name, file string
		want       called
	}{
		{"usable", good, called{0, good + " is usable: 2 checks, 0 warnings\n", ""}},
		{"one of each", one, called{
			0, one + ":6: warning: key: the secret is in the configuration itself; use key_file to keep it out\n" +
				one + " is usable: 1 check, 1 warning\n", "",
		}},
		{"warnings", plain, called{
			0, plain + ":4: warning: plain http: anyone on the network path can read the requests and the key\n" +
				plain + ":7: warning: key: the secret is in the configuration itself; use key_file to keep it out\n" +
				plain + " is usable: 2 checks, 2 warnings\n", "",
		}},
		{"faults", bad, called{
			2, "", bad + ":2: unknown key \"intervall\"; did you mean \"interval\"?\n" +
				bad + ":3: timeout: \"never\" is not a duration such as 30s, 5m or 1d\n" +
				bad + ":8: api \"org\" is not defined under apis: define it there or give its request.path here\n",
		}},
		{"no file", missing, called{2, "", missing + ": no such file; name one with --config.file, copy config.example.yml, or try: integra_exporter demo\n"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := call(t, "check-config", "--config.file="+c.file)
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(called{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckConfigThroughTheProgram(t *testing.T) {
	t.Parallel()
	got := execute(t, "check-config", "--config.file="+configure(t, t.TempDir(), "https://gw.example.no", "org"))
	if got.code != 0 || got.err != "" {
		t.Errorf("a usable file: %+v", got)
	}
	got = execute(t, "check-config", "--config.file="+testkit.WriteFile(t, t.TempDir(), "bad.yml", "apis: 7\n"))
	if got.code != 2 || got.out != "" {
		t.Errorf("a bad file: %+v", got)
	}
}

func TestNoConfig(t *testing.T) {
	testkit.NoLeaks(t)
	t.Chdir(t.TempDir())
	for _, args := range [][]string{{}, {"serve"}, {"check"}, {"check-config"}, {"check", "--watch"}, {"--web.listen-address=127.0.0.1:0"}} {
		got := call(t, args...)
		lines := strings.Split(strings.TrimSuffix(got.err, "\n"), "\n")
		if got.code != exitCannotStart || got.out != "" || got.err != errNoConfig.Error()+"\n" || len(lines) != 4 {
			t.Errorf("%v: exit code %d\n%s%s", args, got.code, got.out, got.err)
		}
	}
	for _, way := range []string{"integra_exporter demo", "integra_exporter discover", "config.example.yml"} {
		if !strings.Contains(errNoConfig.Error(), "\n  "+way) {
			t.Errorf("%s is not shown as a way to begin", way)
		}
	}
}

// If a flag names a file the error is about that file, also if it is the default one.
func TestNoConfigAtTheNamedFile(t *testing.T) {
	testkit.NoLeaks(t)
	t.Chdir(t.TempDir())
	for _, command := range []string{"serve", "check", "check-config"} {
		for file, want := range map[string]string{
			"config.yml":              "config.yml: no such file; ",
			filepath.Join("a", "b.y"): "a/b.y: no such file; ",
			"":                        "--config.file needs the name of a file\n",
		} {
			got := call(t, command, "--config.file="+file)
			if got.code != exitCannotStart || got.out != "" || !strings.HasPrefix(got.err, want) {
				t.Errorf("%s with %q: %+v", command, file, got)
			}
		}
	}
}

func TestConfigSchema(t *testing.T) {
	got := call(t, "config-schema")
	if got.code != 0 || got.err != "" || got.out != readDocument(t, "config.schema.json") {
		t.Errorf("exit code %d, %s, %d bytes", got.code, got.err, len(got.out))
	}
	first, _, _ := strings.Cut(readDocument(t, "config.example.yml"), "\n")
	if first != "# yaml-language-server: $schema=config.schema.json" {
		t.Errorf("config.example.yml begins with %q", first)
	}
}
