package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSectionsStay(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.md")
	names := []string{"first", "second", "third"}
	for _, name := range []string{"third", "first", "second", "first"} {
		old, _ := os.ReadFile(file)
		text := "## " + name + "\n\nmeasured beside " + strings.Join(measuredParts(string(old), names), " ")
		err := replaceSection(file, names, name, text)
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := introduction + `
<!-- part: first -->
## first

measured beside first second third

<!-- part: second -->
## second

measured beside first third

<!-- part: third -->
## third

measured beside
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

func measuredParts(document string, names []string) (found []string) {
	for _, name := range names {
		if strings.Contains(document, mark(name)) {
			found = append(found, name)
		}
	}
	return found
}

func TestRatio(t *testing.T) {
	m := measured{{2, 2}, {2, 4}, {2, 8}, {2, 3}, {2, 2}}
	got := atMost("half", m.ratio(1), 1.4)
	want := row{"half", "1.50 (1.00–2.00)", "≤ 1.40", "no"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestChoose(t *testing.T) {
	all := []part{{name: "a"}, {name: "b"}, {name: "c"}}
	chosen, err := choose(all, "c,a")
	if err != nil || len(chosen) != 2 || chosen[0].name != "c" || chosen[1].name != "a" {
		t.Errorf("chose %v, %v", chosen, err)
	}
	_, err = choose(all, "a,d")
	if err == nil || !strings.Contains(err.Error(), `"d"`) {
		t.Errorf("a part that is not there: %v", err)
	}
}
