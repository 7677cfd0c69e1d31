// Package gravitee_test holds deploy/gravitee/integra-dfo.json against the
// structure of the platform's published templates and against what the
// exporter asks for. It has not been imported into a Gravitee: none can be had here.
package gravitee_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const root = "../../"

// definition is what the tests look at of the API definition.
type definition struct {
	Flows      []flow
	Properties []struct {
		Key, Value string
		Encrypted  bool
	}
	Plans []plan
	Proxy struct {
		VirtualHosts []struct{ Path string } `json:"virtual_hosts"`
		Groups       []struct{ Endpoints []struct{ Target string } }
	}
}

type plan struct {
	ID, Name, Security, SecurityDefinition, Status, Validation string
	Flows                                                      []flow
}

type flow struct {
	PathOperator struct{ Path, Operator string } `json:"path-operator"`
	Pre          []step
}

type step struct {
	Policy        string
	Configuration struct {
		AddHeaders []struct{ Name, Value string }
		Whitelist  []struct {
			Pattern string
			Methods []string
		}
	}
}

func read(t *testing.T, path string, into any) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	err = json.Unmarshal(content, into)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func ours(t *testing.T) (d definition) {
	t.Helper()
	read(t, root+"deploy/gravitee/integra-dfo.json", &d)
	return d
}

// Each property that holds a backend's key is sent on the paths of its API, and stands empty.
func TestBackendKeys(t *testing.T) {
	d := ours(t)
	want := map[string]string{"/ansatte": "DFØ ansatt", "/stillinger": "DFØ stilling", "/organisasjoner": "DFØ organisasjon"}
	if len(d.Flows) != len(want) || len(d.Properties) != len(want) {
		t.Fatalf("%d flows, %d properties, want %d each", len(d.Flows), len(d.Properties), len(want))
	}
	properties := map[string]bool{}
	for _, p := range d.Properties {
		properties[p.Key] = p.Value == "" && !p.Encrypted // the console encrypts what is entered
	}
	for _, f := range d.Flows {
		name := want[f.PathOperator.Path]
		if !properties[name] {
			t.Errorf("%s: no empty property %q", f.PathOperator.Path, name)
		}
		if f.PathOperator.Operator != "STARTS_WITH" || len(f.Pre) != 1 || f.Pre[0].Policy != "transform-headers" ||
			len(f.Pre[0].Configuration.AddHeaders) != 1 ||
			f.Pre[0].Configuration.AddHeaders[0].Value != "{#properties['"+name+"']}" {
			t.Errorf("%s does not send the key in %q", f.PathOperator.Path, name)
		}
	}
}

// A key of the consumer's is demanded by every plan and never passed on.
func TestPlansDemandAKey(t *testing.T) {
	uuid, seen := regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`), map[string]bool{}
	for _, p := range ours(t).Plans {
		if p.Security != "API_KEY" || p.Validation != "MANUAL" || p.Status != "PUBLISHED" || p.SecurityDefinition != `{"propagateApiKey":false}` {
			t.Errorf("%s: %+v", p.Name, p)
		}
		if !uuid.MatchString(p.ID) || seen[p.ID] || seen[p.Name] {
			t.Errorf("%s: id %q", p.Name, p.ID)
		}
		seen[p.ID], seen[p.Name] = true, true
	}
}

// allows says what the plan's filter makes of a request, the path without the context path.
func (p plan) allows(method, path string) bool {
	for _, w := range p.Flows[0].Pre[0].Configuration.Whitelist {
		prefix, any := strings.CutSuffix(w.Pattern, "**")
		if path == w.Pattern || any && strings.HasPrefix(path, prefix) {
			return len(w.Methods) == 1 && w.Methods[0] == method
		}
	}
	return false
}

// What config.example.yml asks for is what the plans give, and the plan for monitoring gives nothing else.
func TestPlansFitTheVerificationRequests(t *testing.T) {
	d := ours(t)
	requests := verificationRequests(t, d.Proxy.VirtualHosts[0].Path)
	for _, c := range []struct {
		plan  string
		gives []string
	}{
		{"Overvåking", []string{requests["organisasjoner"], requests["stillinger"], requests["ansatte"]}},
		{"Ansatte", []string{requests["ansatte"], "/ansatte/v1/", "/ansatte/v1/12345678"}},
		{"Stillinger", []string{requests["stillinger"], "/stillinger/v1/10000001"}},
		{"Organisasjoner", []string{requests["organisasjoner"], "/organisasjoner/v1/100"}},
	} {
		p := planNamed(t, d, c.plan)
		given := map[string]bool{}
		for _, path := range c.gives {
			given[path] = true
		}
		for _, path := range append(c.gives, requests["organisasjoner"], requests["stillinger"], requests["ansatte"],
			"/ansatte/v1/", "/ansatte/v1/12345678", "/stillinger/v1/10000001", "/ansattefravar/v1/") {
			if p.allows("GET", path) != given[path] {
				t.Errorf("%s: GET %s is allowed: %v", c.plan, path, !given[path])
			}
			if p.allows("PUT", path) {
				t.Errorf("%s: PUT %s is allowed", c.plan, path)
			}
		}
	}
}

func planNamed(t *testing.T, d definition, name string) plan {
	t.Helper()
	for _, p := range d.Plans {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no plan %q", name)
	return plan{}
}

// verificationRequests returns the paths of the example's requests under context, without it.
func verificationRequests(t *testing.T, context string) map[string]string {
	t.Helper()
	content, err := os.ReadFile(root + "config.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	var example struct {
		APIs map[string]struct{ Request struct{ Path string } } `yaml:"apis"`
	}
	err = yaml.Unmarshal(content, &example)
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string]string{}
	for name, api := range example.APIs {
		rest, under := strings.CutPrefix(api.Request.Path, context)
		if under {
			paths[name] = rest
		}
	}
	if len(paths) != 3 {
		t.Fatalf("under %s: %v, want the three of DFØ", context, paths)
	}
	return paths
}
