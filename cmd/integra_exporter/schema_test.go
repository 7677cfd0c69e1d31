package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// schema is as much of JSON Schema as docs/targets.schema.json uses; another keyword in it is an error.
type schema struct {
	Schema      string            `json:"$schema"`
	ID          string            `json:"$id"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Defs        map[string]schema `json:"$defs"`
	Ref         string            `json:"$ref"`
	Type        string            `json:"type"`
	Format      string            `json:"format"`
	Enum        []string          `json:"enum"`
	Items       *schema           `json:"items"`
	Required    []string          `json:"required"`
	Properties  map[string]schema `json:"properties"`
	Additional  any               `json:"additionalProperties"`
}

func documentedSchema(t *testing.T) *schema {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(readDocument(t, "docs/targets.schema.json")))
	decoder.DisallowUnknownFields()
	var s schema
	err := decoder.Decode(&s)
	if err != nil {
		t.Fatal(err)
	}
	return &s
}

// faults returns what is wrong with value under s; seen counts the properties that occur, by their place.
func (s *schema) faults(root *schema, at string, value any, seen map[string]int) (faults []string) {
	if s.Ref != "" {
		def, known := root.Defs[strings.TrimPrefix(s.Ref, "#/$defs/")]
		if !known {
			return []string{at + ": no definition " + s.Ref}
		}
		return def.faults(root, at, value, seen)
	}
	word, isWord := value.(string)
	if s.Enum != nil && !slices.Contains(s.Enum, word) || s.Type != "" && !hasType(value, s.Type) {
		return []string{fmt.Sprintf("%s: %v is not %s%v", at, value, s.Type, s.Enum)}
	}
	if s.Format == "date-time" && isWord {
		_, err := time.Parse(time.RFC3339, word)
		if err != nil || !strings.HasSuffix(word, "Z") {
			faults = append(faults, at+": no time in UTC: "+word)
		}
	}
	if list, isList := value.([]any); isList {
		for _, item := range list {
			faults = append(faults, s.Items.faults(root, at+"[]", item, seen)...)
		}
	}
	object, _ := value.(map[string]any)
	for _, name := range s.Required {
		if _, there := object[name]; !there {
			faults = append(faults, at+": "+name+" is missing")
		}
	}
	for name, property := range object {
		seen[at+"."+name]++
		known, there := s.Properties[name]
		switch {
		case there:
			faults = append(faults, known.faults(root, at+"."+name, property, seen)...)
		case s.Additional == false:
			faults = append(faults, at+": "+name+" is not in the schema")
		case !hasType(property, "number"):
			faults = append(faults, at+": "+name+" is not a number")
		}
	}
	return faults
}

func hasType(value any, want string) bool {
	number, isNumber := value.(float64)
	switch want {
	case "integer":
		return isNumber && number == math.Trunc(number)
	case "number":
		return isNumber
	}
	kinds := map[string]reflect.Kind{"string": reflect.String, "boolean": reflect.Bool, "array": reflect.Slice, "object": reflect.Map}
	return value != nil && reflect.TypeOf(value).Kind() == kinds[want]
}

// What the exporter and check answer of the demo's targets is what the schema says, and shows nearly all of it.
func TestAnswersFollowTheSchema(t *testing.T) {
	_, config := simulate(t, false)
	s := start(t, "serve", "--config.file="+config)
	want := documentedSchema(t)
	seen := map[string]int{}
	follow := func(where, body string) {
		t.Helper()
		var value any
		err := json.Unmarshal([]byte(body), &value)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		for _, fault := range want.faults(want, "", value, seen) {
			t.Errorf("%s%s", where, fault)
		}
	}
	_, begun := s.request(t, "GET", "/api/v1/targets")
	follow("at first: ", begun)
	testkit.Eventually(t, "every target to have run", func() bool {
		_, left := s.request(t, "GET", "/api/v1/targets?state=waiting")
		return left == "[]\n"
	})
	_, all := s.request(t, "GET", "/api/v1/targets")
	follow("later: ", all)
	follow("check: ", call(t, "check", "--config.file="+config, "--output=json").out)
	for name := range want.Defs["target"].Properties {
		if seen["[]."+name] == 0 {
			t.Errorf("no answer has %s: the test is blind for it", name)
		}
	}
}

func TestSchemaFindsFaults(t *testing.T) {
	want := documentedSchema(t)
	const good = `"institution":"a","kind":"api","target":"b","institution_title":"","title":"","address":"","interval_seconds":1,` +
		`"timeout_seconds":0.5,"state":"ok","runs":1,"failures":0`
	for text, fault := range map[string]string{
		"[]":               "",
		"{}":               ": map[] is not array[]",
		"[{" + good + "}]": "",
		"[{" + good[len(`"institution":"a",`):] + "}]":            "[]: institution is missing",
		"[{" + good + `,"body":"x"}]`:                             "[]: body is not in the schema",
		"[{" + good + `,"success":"yes"}]`:                        "[].success: yes is not boolean[]",
		"[{" + good + `,"status_code":1.5}]`:                      "[].status_code: 1.5 is not integer[]",
		"[{" + good + `,"since":"today"}]`:                        "[].since: no time in UTC: today",
		"[{" + good + `,"phases_seconds":{"tls":"x"}}]`:           "[].phases_seconds: tls is not a number",
		"[{" + good + `,"key":{"ends":[{"source":"a letter"}]}}]`: "[].key.ends[].source: a letter is not [config gravitee certificate jwt]",
	} {
		var value any
		err := json.Unmarshal([]byte(text), &value)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(want.faults(want, "", value, map[string]int{}), "\n"); got != fault {
			t.Errorf("%s: %q, want %q", text, got, fault)
		}
	}
}

// The schema, the description and the code name the same fields.
func TestDocumentedJSONFields(t *testing.T) {
	var fields, described []string
	shape := reflect.TypeFor[view.Document]()
	for i := range shape.NumField() {
		name, _, _ := strings.Cut(shape.Field(i).Tag.Get("json"), ",")
		fields = append(fields, name)
	}
	_, section, _ := strings.Cut(readDocument(t, "docs/api.md"), "\n## Fields\n")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]+`) \\|").FindAllStringSubmatch(section, -1) {
		for _, match := range inBackquotes.FindAllStringSubmatch(row[1], -1) {
			described = append(described, match[1])
		}
	}
	slices.Sort(fields)
	slices.Sort(described)
	if diff := cmp.Diff(fields, described); diff != "" {
		t.Errorf("docs/api.md (+) and the JSON (-) differ:\n%s", diff)
	}
	if diff := cmp.Diff(fields, slices.Sorted(maps.Keys(documentedSchema(t).Defs["target"].Properties))); diff != "" {
		t.Errorf("the schema (+) and the JSON (-) differ:\n%s", diff)
	}
}
