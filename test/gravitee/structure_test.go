package gravitee_test

import (
	"fmt"
	"testing"
)

// structure is which keys the platform's seven published templates have, and of
// which type: paths such as .plans[].name, without any of their values.
type structure struct {
	Document map[string]string            // everything but the configuration of policies
	Policies map[string]map[string]string // the configuration of each policy
	Always   []string                     // the keys that every template with flows has, but for dates of creation
}

// shape is the structure of one definition.
type shape struct {
	document map[string]string
	policies map[string]map[string]string
}

func (s shape) walk(v any, path string, into map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		into[orRoot(path)] = "object"
		policy, isStep := v["policy"].(string)
		for key, child := range v {
			if isStep && key == "configuration" {
				into[path+".configuration"] = "object"
				s.policies[policy] = map[string]string{}
				s.walk(child, "", s.policies[policy])
				continue
			}
			s.walk(child, path+"."+key, into)
		}
	case []any:
		into[orRoot(path)] = "array"
		for _, child := range v {
			s.walk(child, path+"[]", into)
		}
	case float64:
		into[path] = "number"
	case bool:
		into[path] = "boolean"
	default:
		into[path] = fmt.Sprintf("%T", v)
	}
}

func orRoot(path string) string {
	if path == "" {
		return "."
	}
	return path
}

// Every key that we have is in a template, with the same type; what every template has, we have.
func TestStructureOfTheTemplates(t *testing.T) {
	var theirs structure
	read(t, "testdata/templates.json", &theirs)
	var document any
	read(t, root+"deploy/gravitee/integra-dfo.json", &document)
	got := shape{map[string]string{}, map[string]map[string]string{}}
	got.walk(document, "", got.document)

	within(t, "", got.document, theirs.Document)
	for policy, keys := range got.policies {
		within(t, policy+" ", keys, theirs.Policies[policy])
	}
	for _, key := range theirs.Always {
		_, there := got.document[key]
		if !there {
			t.Errorf("%s is in every template, and not here", key)
		}
	}
}

func within(t *testing.T, what string, got, known map[string]string) {
	t.Helper()
	for key, kind := range got {
		if known[key] != kind {
			t.Errorf("%s%s is of type %q, in the templates %q", what, key, kind, known[key])
		}
	}
}
