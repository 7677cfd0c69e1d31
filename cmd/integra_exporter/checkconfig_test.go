package main

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckConfig(t *testing.T) {
	noLeaks(t)
	dir := t.TempDir()
	good := configure(t, dir, "https://gw.example.no", "org", "fs")
	one := write(t, dir, "one.yml", `apis: {org: {request: {path: /org/}, unauthenticated: false}}
institutions:
  uio:
    apis:
      org:
        key: in-the-file
`)
	plain := write(t, dir, "plain.yml", `apis: {org: {request: {path: /org/}}}
institutions:
  uio:
    gateway: http://gw.example.no
    apis:
      org:
        key: in-the-file
`)
	bad := write(t, dir, "bad.yml", `defaults:
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
	got = execute(t, "check-config", "--config.file="+write(t, t.TempDir(), "bad.yml", "apis: 7\n"))
	if got.code != 2 || got.out != "" {
		t.Errorf("a bad file: %+v", got)
	}
}
