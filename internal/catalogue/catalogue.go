// Package catalogue holds the documented verification requests of the platform's
// APIs, as text for a configuration.
package catalogue

import (
	"bytes"
	_ "embed"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

//go:embed catalogue.yml
var document []byte

// Catalogue is all documented requests, in the order of config.example.yml.
type Catalogue []Entry

// Entry is one documented request.
type Entry struct {
	Name    string `yaml:"name"`    // of the API in a configuration
	Context string `yaml:"context"` // path, as documented
	Own     string `yaml:"own"`     // YAML lines that belong with an institution's key, empty or ending in a line break
	Path    string `yaml:"path"`
	Called  string `yaml:"called"`
	Plan    string `yaml:"plan"`
	Text    string `yaml:"api"`
}

// Load returns the catalogue.
func Load() Catalogue {
	var c Catalogue
	decoder := yaml.NewDecoder(bytes.NewReader(document))
	decoder.KnownFields(true)
	err := decoder.Decode(&c)
	if err != nil {
		panic("catalogue: the built-in document is not readable") // a test reads it
	}
	return c
}

// API returns the entry of a configuration's apis, as YAML lines without
// indentation, for an API at that context path.
func (e Entry) API(context string) string {
	return strings.ReplaceAll(e.Text, "{context}", context)
}

// Find returns the request for a subscription, told by the API's context path
// or, if that is empty, by its name. Where several APIs share a context path
// the plan's name decides, and after it the API's.
func (c Catalogue) Find(context, api, plan string) (Entry, bool) {
	for _, said := range []string{plan, api} {
		for _, e := range c {
			if e.lies(context, api) && matches(e.Plan, said) {
				return e, true
			}
		}
	}
	return Entry{}, false
}

func (e Entry) lies(context, api string) bool {
	if context == "" {
		return matches(e.Called, api)
	}
	return matches(e.Path, context)
}

// matches holds for the empty pattern too.
func matches(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }
