package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// A secret that every user of the machine can read is warned of where it is named first.
func TestExposedSecrets(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "integra") // which every user can reach, and t.TempDir need not be
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	err = os.CopyFS(dir, os.DirFS(write(t, `institutions:
  uio:
    apis:
      a: {request: {path: /}, key_file: open}
      b: {request: {path: /}, key_file: open}
      c: {request: {path: /, secret_headers: {X-A: {file: header}}}, key_file: shut}
    rabbitmq: [{application: a, password_file: password}]
    gravitee: {url: "https://api.example.no/", application: a, token_file: token}
`, [2]string{"open", "k"}, [2]string{"shut", "k"}, [2]string{"header", "k"}, [2]string{"password", "k"}, [2]string{"token", "k"})))
	if err != nil {
		t.Fatal(err)
	}
	for path, mode := range map[string]os.FileMode{
		dir: 0o755, dir + "/open": 0o644, dir + "/shut": 0o640,
		dir + "/header": 0o604, dir + "/password": 0o444, dir + "/token": 0o666,
	} {
		err := os.Chmod(path, mode)
		if err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(filepath.Join(dir, "config.yml"), probe.NewShared())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, warning := range c.Warnings {
		got = append(got, strings.ReplaceAll(warning.String(), dir+"/", ""))
	}
	const open = ": every user of this machine may read or change "
	want := []string{
		"config.yml:4: key_file" + open + "open: chmod 0640", "config.yml:6: file" + open + "header: chmod 0640",
		"config.yml:7: password_file" + open + "password: chmod 0640", "config.yml:8: token_file" + open + "token: chmod 0640",
	}
	diff := cmp.Diff(want, got)
	if diff != "" {
		t.Error(diff)
	}
}
