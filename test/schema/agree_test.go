package schema_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// changes are what is put in the place of every value of a good file.
func changes() map[string]any {
	return map[string]any{
		"nothing": nil, "a mapping": map[string]any{}, "a list of nothing": []any{nil}, "a list of a word": []any{"word"},
		"empty": "", "a word": "word", "blanks": " word ", "a line break": "a\nb", "beyond ASCII": "/ø", "a path": "/path",
		"zero": 0, "a number": 700, "true": true, "a duration": "20s", "a URL": "https://user:word@host.example.no",
	}
}

// TestSchemaAgrees changes a file that has every key, in every place, and holds that the schema refuses
// nothing that the exporter takes, and takes what the exporter refuses only for a listed reason.
func TestSchemaAgrees(t *testing.T) {
	schema := compiled(t)
	dir := t.TempDir()
	err := os.CopyFS(dir, os.DirFS(testdata+"/good"))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := parsed(read(t, testdata+"/good/full.yml"))
	if err != nil {
		t.Fatal(err)
	}
	agreed, used := 0, map[string]bool{}
	path := filepath.Join(dir, "changed.yml")
	for _, m := range mutants("", whole, func(v any) any { return v }) {
		text, err := json.Marshal(m.whole)
		if err != nil {
			t.Fatal(err)
		}
		err = os.WriteFile(path, text, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, loading := config.Load(path, probe.NewShared())
		underlined := schema.Validate(m.whole)
		why := excuse(m.place + ": " + m.change)
		switch {
		case (loading == nil) == (underlined == nil):
			agreed++
		case loading == nil || why == "":
			t.Errorf("%s: %s\n  the exporter: %v\n  the schema: %v", m.place, m.change, loading, underlined)
		default:
			used[why] = true
		}
	}
	if agreed < 1500 {
		t.Errorf("%d changes agreed on: the test is blind", agreed)
	}
	for _, e := range excuses() {
		if !used[e.why] {
			t.Errorf("no difference any more: %s", e.why)
		}
	}
}

// mutant is a file with one change.
type mutant struct {
	place, change string
	whole         any
}

// mutants returns the file with every change of value, which stands at place, and of all below it; within makes the file of a value there.
func mutants(place string, value any, within func(any) any) []mutant {
	var all []mutant
	table := changes()
	for _, change := range slices.Sorted(maps.Keys(table)) {
		all = append(all, mutant{place, change, within(table[change])})
	}
	switch v := value.(type) {
	case map[string]any:
		all = append(all, mutant{place, "one key more", within(with(v, "nonsense", 1))})
		for _, key := range slices.Sorted(maps.Keys(v)) {
			less := maps.Clone(v)
			delete(less, key)
			all = append(all, mutant{place + "." + key, "removed", within(less)})
			all = append(all, mutants(place+"."+key, v[key], func(below any) any { return within(with(v, key, below)) })...)
		}
	case []any:
		for i := range v {
			all = append(all, mutants(fmt.Sprintf("%s[%d]", place, i), v[i], func(below any) any {
				changed := slices.Clone(v)
				changed[i] = below
				return within(changed)
			})...)
		}
	}
	return all
}

func with(m map[string]any, key string, value any) map[string]any {
	more := maps.Clone(m)
	more[key] = value
	return more
}

// excuse returns why the schema may let a change pass that the exporter refuses.
func excuse(change string) string {
	for _, e := range excuses() {
		if regexp.MustCompile(e.change).MatchString(change) {
			return e.why
		}
	}
	return ""
}

// excuses are the differences that there must be.
func excuses() []struct{ change, why string } {
	const text = "(a (word|duration|path|URL|number)|blanks|beyond ASCII|zero|true)$"
	return []struct{ change, why string }{
		{`(file|include\[0\]): ` + text + `|include: a list of a word$`, "it sees no other file"},
		{`^\.apis(\.(org|fs)(\.request(\.path)?)?)?: (removed|nothing|a mapping)$`, "a path may stand at the institution"},
		{`\.jq: `, "it reads no jq"},
		{`\.key: beyond ASCII$`, "a password may be what a key may not"},
	}
}
