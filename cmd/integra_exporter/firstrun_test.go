package main

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestFirstRun(t *testing.T) {
	noLeaks(t)
	t.Chdir(t.TempDir())
	for _, args := range [][]string{{}, {"serve"}, {"check"}, {"check-config"}, {"check", "--watch"}, {"--web.listen-address=127.0.0.1:0"}} {
		got := call(t, args...)
		lines := strings.Split(strings.TrimSuffix(got.err, "\n"), "\n")
		if got.code != exitCannotStart || got.out != "" || got.err != errFirstRun.Error()+"\n" || len(lines) != 4 {
			t.Errorf("%v: exit code %d\n%s%s", args, got.code, got.out, got.err)
		}
	}
	for _, way := range []string{"integra_exporter demo", "integra_exporter discover", "config.example.yml"} {
		if !strings.Contains(errFirstRun.Error(), "\n  "+way) {
			t.Errorf("%s is not shown as a way to begin", way)
		}
	}
}

// Whoever names a file hears about that file, also where it is the usual one.
func TestFirstRunWithAFile(t *testing.T) {
	noLeaks(t)
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
