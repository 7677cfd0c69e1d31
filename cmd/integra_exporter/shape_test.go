package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shapeOf returns by target and outcome the names of all that is there, but for what only the API manager tells.
func shapeOf(t *testing.T, text string) map[string][]string {
	t.Helper()
	var documents []map[string]any
	err := json.Unmarshal([]byte(text), &documents)
	if err != nil {
		t.Fatalf("not JSON:\n%s", text)
	}
	shape := map[string][]string{}
	for _, d := range documents {
		names := map[string]bool{}
		addNames(names, "", d)
		maps.DeleteFunc(names, func(name string, _ bool) bool { return strings.HasPrefix(name, ".key") && name != ".key.accepted" })
		shape[fmt.Sprint(d["institution"], " ", d["kind"], " ", d["target"], " ", d["reason"])] = slices.Sorted(maps.Keys(names))
	}
	return shape
}

func addNames(names map[string]bool, path string, value any) {
	names[path] = true
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			addNames(names, path+"."+name, inner)
		}
	case []any:
		for _, inner := range v {
			addNames(names, path+"[]", inner)
		}
	}
}

// A script reads both alike.
func TestCheckJSONHasTheShapeOfTheEndpoint(t *testing.T) {
	t.Parallel()
	_, config := simulate(t, false)
	s, _ := spawn(t, "--config.file="+config)
	var answer string
	eventually(t, "every target to have run", func() bool {
		var status int
		status, answer = s.request(t, http.MethodGet, "/api/v1/targets")
		return status == http.StatusOK && !strings.Contains(answer, `"waiting"`)
	})
	want, got := shapeOf(t, answer), shapeOf(t, execute(t, "check", "--config.file="+config, "--output=json").out)
	// On a busy machine a few are slow in one of the two.
	differs := func(in map[string][]string) func(string, []string) bool {
		return func(target string, _ []string) bool { return in[target] == nil }
	}
	maps.DeleteFunc(want, differs(got))
	maps.DeleteFunc(got, differs(want))
	if len(want) < 50 {
		t.Errorf("only %d targets had the same outcome", len(want))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("/api/v1/targets (-) and check --output=json (+):\n%s", diff)
	}
}

// What the configuration says of a key's end is there without an API manager.
func TestCheckJSONKnowsTheConfiguredEnd(t *testing.T) {
	noLeaks(t)
	config := configure(t, t.TempDir(), "http://127.0.0.1:1", "org")
	replaceInFile(t, config, "{key_file: key}", "{key_file: key, key_expires: 2031-02-03}")
	documents := checkedJSON(t, call(t, "check", "--config.file="+config, "--output=json").out)
	want := map[string]any{"ends": []any{map[string]any{"source": "config", "at": "2031-02-03T00:00:00Z"}}}
	if diff := cmp.Diff(want, documents[0]["key"]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
