package main

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// explained returns what docs/dependencies.md has under heading: by name, the cells of its row.
func explained(t *testing.T, heading string) map[string][]string {
	t.Helper()
	_, section, found := strings.Cut(readDocument(t, "docs/dependencies.md"), "\n## "+heading+"\n")
	if !found {
		t.Fatalf("there is no chapter %s", heading)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string][]string{}
	for _, match := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|(.+)\\|$").FindAllStringSubmatch(section, -1) {
		rows[match[1]] = strings.Split(match[2], "|")
	}
	return rows
}

// required returns the modules that a go.mod asks for, and whether directly.
func required(t *testing.T, file string) map[string]bool {
	t.Helper()
	out, err := exec.Command("go", "mod", "edit", "-json", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	err = json.Unmarshal(out, &parsed)
	if err != nil {
		t.Fatal(err)
	}
	direct := map[string]bool{}
	for _, one := range parsed.Require {
		direct[one.Path] = !one.Indirect
	}
	return direct
}

func TestDependenciesAreExplained(t *testing.T) {
	t.Parallel()
	npm := map[string]bool{}
	for _, file := range []string{"dashboards/package.json", "test/browser/package.json"} {
		var manifest struct{ Dependencies, DevDependencies map[string]string }
		err := json.Unmarshal([]byte(readDocument(t, file)), &manifest)
		if err != nil {
			t.Fatal(err)
		}
		for _, list := range []map[string]string{manifest.Dependencies, manifest.DevDependencies} {
			for name := range list {
				npm[name] = true
			}
		}
	}
	for heading, direct := range map[string]map[string]bool{
		"The program": required(t, "../../go.mod"), "The tests against other programs": required(t, "../../test/go.mod"), "Dashboards and pages": npm,
	} {
		rows := explained(t, heading)
		for name, isDirect := range direct {
			if _, has := rows[name]; isDirect && !has && !strings.HasSuffix(name, "/"+program) {
				t.Errorf("docs/dependencies.md, %s: %s has no row", heading, name)
			}
		}
		for name := range rows {
			if _, known := direct[name]; !known {
				t.Errorf("docs/dependencies.md, %s: nothing requires %s", heading, name)
			}
		}
	}
}

// What the page calls part of the program is what the program is built of.
func TestPartsOfTheProgram(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Fields(string(out))
	for name, cells := range explained(t, "The program") {
		want := map[bool]string{true: "yes", false: "no"}[slices.Contains(parts, name)]
		if got := strings.TrimSpace(cells[0]); got != want {
			t.Errorf("%s: part of the program: %s, want %s", name, got, want)
		}
	}
}
