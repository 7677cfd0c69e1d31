package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"
	"github.com/google/go-cmp/cmp"
)

func readDocument(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

var inBackquotes = regexp.MustCompile("`([^`]+)`")

// The tables of docs/running.md against the command line, in both directions.
func TestDocumentedFlags(t *testing.T) {
	app, _, commands := commandLine(output{out: io.Discard, err: io.Discard})
	want := map[string][]string{"Every command": flagsOf(app.Model().FlagGroupModel)}
	for name := range commands {
		want[name] = flagsOf(app.GetCommand(name).Model().FlagGroupModel)
	}
	got := map[string][]string{}
	_, section, _ := strings.Cut(readDocument(t, "docs/running.md"), "\n## Flags\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, part := range strings.Split(section, "\n### ")[1:] {
		heading, table, _ := strings.Cut(part, "\n")
		rows := regexp.MustCompile("(?m)^\\| `--([a-z.-]+)` \\| `?([^|`]*)`? ?\\|").FindAllStringSubmatch(table, -1)
		names := []string{heading}
		for i, match := range inBackquotes.FindAllStringSubmatch(heading, -1) {
			names = append(names[:i], match[1])
		}
		for _, name := range names {
			for _, row := range rows {
				got[name] = append(got[name], strings.TrimSpace(row[1]+" "+row[2]))
			}
		}
	}
	for name := range want {
		slices.Sort(got[name])
		if len(want[name]) == 0 {
			delete(want, name)
			delete(got, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("docs/running.md (+) and the flags (-) differ:\n%s", diff)
	}
}

// flagsOf returns name and default of each flag that --help shows, sorted.
func flagsOf(group *kingpin.FlagGroupModel) []string {
	var flags []string
	for _, f := range group.Flags {
		if !f.Hidden {
			flags = append(flags, strings.TrimSpace(f.Name+" "+strings.Join(f.Default, " ")))
		}
	}
	slices.Sort(flags)
	return flags
}

// A command that a newcomer copies must find the test that it names.
func TestDocumentedTestExists(t *testing.T) {
	examples := regexp.MustCompile(`-run '(\w+)(?:/(\w+))?' \./(\S+?)`+"`").FindAllStringSubmatch(readDocument(t, "CONTRIBUTING.md"), -1)
	if len(examples) == 0 {
		t.Fatal("no example found")
	}
	for _, example := range examples {
		files, err := filepath.Glob(filepath.Join("..", "..", example[3], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		named := `"` + strings.ReplaceAll(example[2], "_", " ") + `"`
		found := slices.ContainsFunc(files, func(file string) bool {
			source, err := os.ReadFile(file)
			return err == nil && strings.Contains(string(source), "\nfunc "+example[1]+"(t *testing.T)") &&
				(example[2] == "" || strings.Contains(string(source), named))
		})
		if !found {
			t.Errorf("CONTRIBUTING.md names %s/%s in %s, which is not there", example[1], example[2], example[3])
		}
	}
}
