package config

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocumentation holds the tables of docs/configuration.md against the grammar, in both directions.
func TestDocumentation(t *testing.T) {
	want := map[string][]string{}
	collectKeys(t, want, headings(), reflect.TypeFor[root]())

	content, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for _, section := range strings.Split(string(content), "\n## ")[1:] {
		heading, text, _ := strings.Cut(section, "\n")
		if heading == "Secrets" { // repeats keys of other sections
			continue
		}
		for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\|").FindAllStringSubmatch(text, -1) {
			got[heading] = append(got[heading], row[1])
		}
		slices.Sort(got[heading])
		if len(got[heading]) == 0 {
			delete(got, heading)
		}
	}
	diff := cmp.Diff(want, got)
	if diff != "" {
		t.Errorf("docs/configuration.md (+) and the grammar (-) differ:\n%s", diff)
	}
}

func collectKeys(t *testing.T, keys map[string][]string, headings map[reflect.Type]string, of reflect.Type) {
	of, _ = elem(of)
	if of.Kind() != reflect.Struct || keys[headings[of]] != nil {
		return
	}
	for i := range of.NumField() {
		f := of.Field(i)
		tag := f.Tag.Get("yaml")
		if tag != "" {
			if headings[of] == "" {
				t.Fatalf("%v has no section", of)
			}
			keys[headings[of]] = append(keys[headings[of]], tag)
		}
		if tag != "" || f.Anonymous {
			collectKeys(t, keys, headings, f.Type)
		}
	}
	slices.Sort(keys[headings[of]])
}
