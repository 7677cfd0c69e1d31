package platform

import (
	"os"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
)

// The exporter's intervals here. A login that is refused takes 3 s, and an answer
// that is too slow for the rules more than 3 s; these targets run more seldom.
const (
	often  = "2s"
	seldom = "5s"
	twice  = "4s" // for a negative test, which is two requests
)

type object = map[string]any

// document is a YAML file that is changed in the course of the test.
type document struct {
	path string
	root object
}

func readDocument(t *testing.T, path string) document {
	t.Helper()
	d := document{path: path}
	content, err := os.ReadFile(path)
	if err == nil {
		err = yaml.Unmarshal(content, &d.root)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (d document) write(path string) {
	content, err := yaml.Marshal(d.root)
	must(err)
	must(os.WriteFile(path, content, 0o600))
}

// must is for what fails only if the machine does.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// at returns the mapping at the end of path, made where it is missing.
func (d document) at(path ...string) object {
	node := d.root
	for _, name := range path {
		_, there := node[name]
		if !there {
			node[name] = object{}
		}
		node = node[name].(object)
	}
	return node
}

// hasten makes everything run often.
func (d document) hasten() {
	defaults := d.at("defaults")
	defaults["interval"], defaults["timeout"] = often, often
	for name := range d.at("apis") {
		d.at("apis", name, "unauthenticated")["interval"] = twice
	}
	for name := range d.at("institutions") {
		institution := d.at("institutions", name)
		d.at("institutions", name, "gravitee")["interval"] = "1s"
		for _, list := range []string{"rabbitmq", "keys"} {
			entries, _ := institution[list].([]any)
			for _, entry := range entries {
				entry.(object)["interval"] = seldom
			}
		}
	}
	slow := d.at("institutions", slowTarget.Institution, "apis", slowTarget.API)
	slow["interval"], slow["timeout"] = seldom, seldom
	flapping := d.at("institutions", flappingTarget.Institution, "apis", flappingTarget.API)
	flapping["interval"], flapping["timeout"], flapping["unauthenticated"] = "1s", "1s", false
}

// alone leaves an institution without an API manager to ask, and with a ca_file of its own.
func (d document) alone(institution, caFile string) {
	delete(d.at("institutions", institution), "gravitee")
	for api := range d.at("institutions", institution, "apis") {
		d.at("institutions", institution, "apis", api)["key_expires"] = "never"
	}
	d.at("institutions", institution, "tls")["ca_file"] = caFile
}

// shortenRules writes shortened copies of the rules into dir.
func shortenRules(t *testing.T, pattern, dir string) {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no rules at %s", pattern)
	}
	for _, path := range paths {
		d := readDocument(t, path)
		shorten(d.root)
		d.write(filepath.Join(dir, filepath.Base(path)))
	}
}

// shortenRoutes writes a shortened copy of Alertmanager's configuration that
// tells every receiver's notifications to url, each at its name.
func shortenRoutes(t *testing.T, from, to, url string) {
	t.Helper()
	d := readDocument(t, from)
	shorten(d.root)
	for _, receiver := range d.root["receivers"].([]any) {
		r := receiver.(object)
		name := r["name"]
		clear(r)
		r["name"] = name
		r["webhook_configs"] = []any{object{"url": url + "/" + name.(string), "send_resolved": true}}
	}
	d.write(to)
}

// scraping is Prometheus's configuration.
func scraping(path, rules, exporter, alertmanager string, native bool) document {
	static := func(address string) []any { return []any{object{"targets": []any{address}}} }
	global := object{"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
	if native {
		global["scrape_native_histograms"], global["always_scrape_classic_histograms"] = true, true
	}
	return document{path, object{
		"global":         global,
		"rule_files":     []any{rules},
		"scrape_configs": []any{object{"job_name": "integra", "static_configs": static(exporter)}},
		"alerting":       object{"alertmanagers": []any{object{"static_configs": static(alertmanager)}}},
	}}
}
