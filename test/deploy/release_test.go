package deploy

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// A release is built as make build builds it, and packs what is there.
func TestRelease(t *testing.T) {
	var release struct {
		Builds   []struct{ Flags, Ldflags, Goarch []string }
		Archives []struct{ Files []any }
	}
	err := yaml.Unmarshal([]byte(read(t, root+"/.goreleaser.yml")), &release)
	if err != nil {
		t.Fatal(err)
	}
	build := release.Builds[0]
	variable := regexp.MustCompile(`github\.com/prometheus/common/version\.(\w+)=`)
	var got []string
	for _, match := range variable.FindAllStringSubmatch(strings.Join(build.Ldflags, " "), -1) {
		got = append(got, match[1])
	}
	about := regexp.MustCompile(`(?m)^ABOUT += (.*)$`).FindStringSubmatch(read(t, root+"/Makefile"))
	want := regexp.MustCompile(`\w+=`).FindAllString(about[1], -1)
	for i := range want {
		want[i] = strings.TrimSuffix(want[i], "=")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the program says of itself, make build (-) and .goreleaser.yml (+):\n%s", diff)
	}
	if !slices.Contains(build.Flags, "-trimpath") || !slices.Equal(build.Goarch, []string{"amd64", "arm64"}) {
		t.Errorf("%+v", build)
	}
	for _, file := range release.Archives[0].Files {
		pattern, plain := file.(string)
		if !plain {
			continue // what scripts/package-files makes
		}
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Errorf("%s: nothing (%v)", pattern, err)
		}
	}
}
