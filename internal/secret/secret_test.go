package secret

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const canary = "c4n4ry"

// holders are a secret in every place where a value can stand.
func holders() map[string]any {
	v := New(canary)
	type inner struct {
		hidden  Value
		pointer *Value
		list    []Value
		source  Source
	}
	type outer struct {
		Value  Value
		hidden inner
		any    any
	}
	held := outer{v, inner{v, &v, []Value{v}, Literal{v}}, v}
	return map[string]any{
		"value": v, "pointer": &v, "slice": []Value{v}, "pointers": []*Value{&v}, "array": [1]Value{v}, "map": map[string]Value{"k": v},
		"struct": held, "pointer to struct": &held, "structs": []outer{held}, "interface": []any{v, held, &held},
		"literal": Literal{v}, "pointer to literal": &Literal{v}, "sources": []Source{Literal{v}}, "embedded": struct{ Value }{v},
		"error": fmt.Errorf("%v %w", v, fmt.Errorf("%s", v)),
	}
}

// tells reports whether text holds the canary in any form that fmt knows.
func tells(text string) bool {
	raw := []byte(canary)
	for _, form := range []string{canary, fmt.Sprintf("%x", raw), fmt.Sprintf("%X", raw), fmt.Sprintf("% x", raw), strings.Trim(fmt.Sprint(raw), "[]"), strings.TrimSuffix(fmt.Sprintf("%#v", raw)[7:], "}")} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func TestTells(t *testing.T) {
	for _, verb := range []string{"%s", "%x", "%X", "% x", "%d", "%#v", "%q"} {
		if !tells(fmt.Sprintf(verb, []byte(canary))) {
			t.Errorf("this test cannot see a secret printed with %s", verb)
		}
	}
}

func TestEveryVerb(t *testing.T) {
	verbs := []string{"%v", "%+v", "%#v", "%s", "%q", "%#q", "%x", "%X", "% x", "%#x", "%d", "%o", "%b", "%c", "%U", "%e", "%f", "%g", "%t", "%p", "%T", "%10s", "%-10v", "%.2s", "%z", "%w"}
	for name, held := range holders() {
		for _, verb := range verbs {
			got := fmt.Sprintf(verb, held)
			if tells(got) {
				t.Errorf("%s under %s: %s", name, verb, got)
			}
		}
		if tells(fmt.Sprint(held)) || tells(fmt.Sprintln(held)) {
			t.Errorf("%s under Print", name)
		}
	}
	if got := fmt.Sprintf("%s %v %+v %#v %d", New(canary), New(canary), New(canary), New(canary), New(canary)); got != strings.TrimSpace(strings.Repeat(Placeholder+" ", 5)) {
		t.Errorf("a value prints as %s", got)
	}
}

func TestEncoders(t *testing.T) {
	for name, held := range holders() {
		asJSON, err := json.Marshal(held)
		if err != nil || tells(string(asJSON)) {
			t.Errorf("%s as JSON: %s, %v", name, asJSON, err)
		}
		asYAML, err := yaml.Marshal(held)
		if err != nil || tells(string(asYAML)) {
			t.Errorf("%s as YAML: %s, %v", name, asYAML, err)
		}
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("m", "k", held, slog.Group("g", "k", held))
		slog.New(slog.NewJSONHandler(&log, nil)).With("w", held).Info("m", "k", held)
		if tells(log.String()) || log.Len() == 0 {
			t.Errorf("%s in a log: %s", name, log.String())
		}
	}
	asJSON, err := json.Marshal(map[string]any{"k": New(canary)})
	if err != nil || string(asJSON) != `{"k":"\u003csecret\u003e"}` {
		t.Errorf("as JSON: %s, %v", asJSON, err)
	}
	asYAML, err := yaml.Marshal(map[string]any{"k": New(canary)})
	if err != nil || string(asYAML) != "k: <secret>\n" {
		t.Errorf("as YAML: %s, %v", asYAML, err)
	}
}

func TestReveal(t *testing.T) {
	if got := New(canary).Reveal(); got != canary {
		t.Errorf("Reveal is %q", got)
	}
	if got := (Value{}).Reveal(); got != "" {
		t.Errorf("Reveal of the zero Value is %q", got)
	}
}
