package deploy

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/template"

	"go.yaml.in/yaml/v3"
)

// release is the part of .goreleaser.yml that is not about packages.
type release struct {
	Builds []struct {
		Main                        string
		Env, Flags, Ldflags, Goarch []string
		ModTimestamp                string `yaml:"mod_timestamp"`
	}
	Archives []struct{ Files []any }
}

func readRelease(t *testing.T) release {
	t.Helper()
	var r release
	err := yaml.Unmarshal([]byte(read(t, root+"/.goreleaser.yml")), &r)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// filled is a template of GoReleaser's, filled in as GoReleaser does it.
func filled(t *testing.T, text string, commit map[string]string) string {
	t.Helper()
	parsed, err := template.New("").Option("missingkey=error").Funcs(template.FuncMap{"replace": strings.ReplaceAll}).Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var result strings.Builder
	err = parsed.Execute(&result, commit)
	if err != nil {
		t.Fatal(err)
	}
	return result.String()
}

// make build and GoReleaser give the same program of the same commit: they call go build alike.
func TestReleaseIsMakeBuild(t *testing.T) {
	for branch, named := range map[string]string{"main": "main", "HEAD": "unknown"} {
		want := output(t, "env", "-i", "PATH="+os.Getenv("PATH"), "make", "--no-print-directory", "-C", root, "-n", "build",
			"VERSION=1.2.3", "REVISION=abc", "BRANCH="+named, "SOURCE_DATE_EPOCH=1700000000")
		build := readRelease(t).Builds[0]
		flags := filled(t, strings.Join(build.Ldflags, " "), map[string]string{
			"Version": "1.2.3", "FullCommit": "abc", "Branch": branch, "CommitDate": "2023-11-14T22:13:20Z",
		})
		got := fmt.Sprintf("%s go build %s -ldflags '%s' -o integra_exporter %s\n",
			strings.Join(build.Env, " "), strings.Join(build.Flags, " "), flags, build.Main)
		if want != got {
			t.Errorf("make build: %s.goreleaser.yml: %s", want, got)
		}
	}
}

// A release packs what is there.
func TestRelease(t *testing.T) {
	release := readRelease(t)
	build := release.Builds[0]
	if !slices.Equal(build.Goarch, []string{"amd64", "arm64"}) || build.ModTimestamp != "{{ .CommitTimestamp }}" {
		t.Errorf("%+v", build)
	}
	for _, file := range release.Archives[0].Files {
		pattern, plain := file.(string)
		if !plain {
			pattern = fmt.Sprint(file.(map[string]any)["src"])
		}
		if strings.HasPrefix(pattern, "deploy/package/generated/") {
			continue // scripts/package-files makes them
		}
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Errorf("%s: nothing (%v)", pattern, err)
		}
	}
}
