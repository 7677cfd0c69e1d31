package web

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// filter selects targets: by parameter the values of which a target must have one. A parameter without values selects all.
type filter map[string][]string

// filterOf reads the filter in a request's query. Its errors are sentences for the client.
func filterOf(r *http.Request) (filter, error) {
	given, err := parseQuery(r)
	if err != nil {
		return nil, err
	}
	f := filter{}
	for _, p := range parameters() {
		// A form sends an empty value for "all".
		f[p.name] = slices.DeleteFunc(given[p.name], func(value string) bool { return value == "" })
		delete(given, p.name)
		for _, value := range f[p.name] {
			if p.closed != nil && !slices.Contains(p.closed, value) {
				return nil, fmt.Errorf("unknown %s %q: it must be one of %s", p.name, view.Printable(value), strings.Join(p.closed, ", "))
			}
		}
	}
	return f, rejectUnknown(given, "institution, kind, target and state")
}

// apply returns the targets that f selects. It reuses the memory of targets.
func (f filter) apply(targets []state.Target) []state.Target {
	for _, p := range parameters() {
		if len(f[p.name]) > 0 {
			targets = slices.DeleteFunc(targets, func(t state.Target) bool { return !slices.Contains(f[p.name], p.of(&t)) })
		}
	}
	return targets
}

// query returns f as part of a URL, with its question mark; empty if it selects all.
func (f filter) query() string {
	if !f.active() {
		return ""
	}
	values := url.Values{}
	for name, selected := range f {
		if len(selected) > 0 {
			values[name] = selected
		}
	}
	return "?" + values.Encode()
}

// active says whether f may leave anything out.
func (f filter) active() bool {
	return slices.ContainsFunc(parameters(), func(p parameter) bool { return len(f[p.name]) > 0 })
}

// field is a parameter as the form shows it.
type field struct {
	Name     string
	Multiple bool // more than one value is chosen
	Options  []option
}

type option struct {
	Value, Text string
	Selected    bool
}

// form returns the fields by which the filter can be changed; all are the targets without it.
func (f filter) form(all []state.Target) []field {
	var fields []field
	for _, p := range parameters() {
		values := p.closed
		if values == nil {
			values = distinct(all, p.of)
		}
		values = append(values, slices.DeleteFunc(slices.Clone(f[p.name]), func(v string) bool { return slices.Contains(values, v) })...)
		shown := field{Name: p.name, Multiple: len(f[p.name]) > 1}
		for _, value := range values {
			shown.Options = append(shown.Options, option{value, view.Printable(value), slices.Contains(f[p.name], value)})
		}
		fields = append(fields, shown)
	}
	return fields
}

// maxOptions is how many choices a form offers: in a longer list nobody finds one.
const maxOptions = 300

// distinct returns the first of the targets' values, sorted.
func distinct(targets []state.Target, of func(*state.Target) string) []string {
	seen := map[string]bool{}
	for i := range targets {
		seen[of(&targets[i])] = true
	}
	values := slices.Sorted(maps.Keys(seen))
	return values[:min(len(values), maxOptions)]
}

// parameter is one by which targets can be filtered.
type parameter struct {
	name   string
	of     func(*state.Target) string
	closed []string // all values that are allowed; nil: any
}

func parameters() []parameter {
	return []parameter{
		{"institution", func(t *state.Target) string { return t.Institution }, nil},
		{"kind", func(t *state.Target) string { return t.Kind }, kinds()},
		{"target", func(t *state.Target) string { return t.Name }, nil},
		{"state", view.StateOf, []string{view.StateFailed, view.StateWaiting, view.StateOK}},
	}
}

func kinds() []string {
	return []string{probe.KindAPI, probe.KindAuth, probe.KindRabbitMQ, probe.KindKey}
}

// targetOf reads which target a request's query names.
func targetOf(r *http.Request) (probe.Target, error) {
	given, err := parseQuery(r)
	if err != nil {
		return probe.Target{}, err
	}
	return takeTarget(given)
}

// takeTarget removes the name of one target from given. Nothing else may be left there.
func takeTarget(given url.Values) (target probe.Target, err error) {
	for name, to := range map[string]*string{"institution": &target.Institution, "kind": &target.Kind, "target": &target.Name} {
		if len(given[name]) != 1 || given[name][0] == "" {
			return target, errors.New("give institution, kind and target, each once")
		}
		*to = given[name][0]
		delete(given, name)
	}
	return target, rejectUnknown(given, "institution, kind and target")
}

// maxValues is how many values of one parameter are compared with every target.
const maxValues = 100

func parseQuery(r *http.Request) (url.Values, error) {
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, errors.New("the query cannot be parsed: names and values must be percent-encoded, with = and & between them")
	}
	for _, values := range given {
		if len(values) > maxValues {
			return nil, fmt.Errorf("a parameter may be given at most %d times", maxValues)
		}
	}
	return given, nil
}

func rejectUnknown(left url.Values, known string) error {
	if len(left) == 0 {
		return nil
	}
	return fmt.Errorf("unknown parameter %q: known are %s", view.Printable(slices.Min(slices.Collect(maps.Keys(left)))), known)
}

// targetLink returns the address of a target's page.
func targetLink(t probe.Target) string {
	return "./target?institution=" + url.QueryEscape(t.Institution) + "&kind=" + url.QueryEscape(t.Kind) +
		"&target=" + url.QueryEscape(t.Name)
}

// institutionLink returns the address of the status page of one institution.
func institutionLink(name string) string { return "./?institution=" + url.QueryEscape(name) }
