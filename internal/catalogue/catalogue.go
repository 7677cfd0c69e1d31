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

// Find returns the request for a subscription, by the API's context path or, if
// that is empty, by its name. If several requests share a context path, the
// plan's name decides, then the API's.
func (c Catalogue) Find(context, api, plan string) (Entry, bool) {
	for _, hint := range []string{plan, api} {
		for _, e := range c {
			if e.describes(context, api) && matches(e.Plan, hint) {
				return e, true
			}
		}
	}
	return Entry{}, false
}

// describes reports whether the entry belongs to an API, before its plan is known.
func (e Entry) describes(context, api string) bool {
	if context == "" {
		return matches(e.Called, api)
	}
	return matches(e.Path, context)
}

// matches is true for the empty pattern, too.
func matches(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }
