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
