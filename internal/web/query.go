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

// parameter is one that narrows which targets are shown.
type parameter struct {
	name   string
	of     func(*state.Target) string
	closed []string // the values there are; nil: any
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

// filter is which targets are wanted: by parameter any of its values; a parameter without values wants all.
type filter map[string][]string

// filterOf reads the filter in a request's query. Its errors are sentences for whoever asked.
func filterOf(r *http.Request) (filter, error) {
	given, err := queryOf(r)
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
				return nil, fmt.Errorf("there is no %s %q: it is one of %s", p.name, view.Printable(value), strings.Join(p.closed, ", "))
			}
		}
	}
	return f, unknown(given, "institution, kind, target and state")
}

// targetOf reads which one target a request's query names.
func targetOf(r *http.Request) (probe.Target, error) {
	given, err := queryOf(r)
	if err != nil {
		return probe.Target{}, err
	}
	return targetIn(given)
}

// targetIn takes from given which one target is named, and bears nothing else there.
func targetIn(given url.Values) (target probe.Target, err error) {
	for name, to := range map[string]*string{"institution": &target.Institution, "kind": &target.Kind, "target": &target.Name} {
		if len(given[name]) != 1 || given[name][0] == "" {
			return target, errors.New("give institution, kind and target, each once")
		}
		*to = given[name][0]
		delete(given, name)
	}
	return target, unknown(given, "institution, kind and target")
}

// valueLimit is how many values of one parameter are compared with every target.
const valueLimit = 100

func queryOf(r *http.Request) (url.Values, error) {
	given, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, errors.New("the query cannot be read: names and values stand percent-encoded between = and &")
	}
	for _, values := range given {
		if len(values) > valueLimit {
			return nil, fmt.Errorf("a parameter may be given at most %d times", valueLimit)
		}
	}
	return given, nil
}

func unknown(left url.Values, known string) error {
	if len(left) == 0 {
		return nil
	}
	return fmt.Errorf("unknown parameter %q: there are %s", view.Printable(slices.Min(slices.Collect(maps.Keys(left)))), known)
}

// narrow returns those of targets that f wants. It takes targets over.
func (f filter) narrow(targets []state.Target) []state.Target {
	for _, p := range parameters() {
		if len(f[p.name]) > 0 {
			targets = slices.DeleteFunc(targets, func(t state.Target) bool { return !slices.Contains(f[p.name], p.of(&t)) })
		}
	}
	return targets
}

// active says whether f leaves anything out.
func (f filter) active() bool {
	return slices.ContainsFunc(parameters(), func(p parameter) bool { return len(f[p.name]) > 0 })
}

// query returns f as it stands in a URL, with its question mark; nothing if it wants all.
func (f filter) query() string {
	if !f.active() {
		return ""
	}
	values := url.Values{}
	for name, wanted := range f {
		if len(wanted) > 0 {
			values[name] = wanted
		}
	}
	return "?" + values.Encode()
}

// linkTo returns the address of a target's page.
func linkTo(t probe.Target) string {
	return "./target?institution=" + url.QueryEscape(t.Institution) + "&kind=" + url.QueryEscape(t.Kind) +
		"&target=" + url.QueryEscape(t.Name)
}

// optionLimit is how many choices a form offers: beyond that nobody finds one.
const optionLimit = 300

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
		shownField := field{Name: p.name, Multiple: len(f[p.name]) > 1}
		for _, value := range values {
			shownField.Options = append(shownField.Options, option{value, view.Printable(value), slices.Contains(f[p.name], value)})
		}
		fields = append(fields, shownField)
	}
	return fields
}

// distinct returns the first values there are, sorted.
func distinct(targets []state.Target, of func(*state.Target) string) []string {
	seen := map[string]bool{}
	for i := range targets {
		seen[of(&targets[i])] = true
	}
	values := slices.Sorted(maps.Keys(seen))
	return values[:min(len(values), optionLimit)]
}

// institutionLink returns the address of the status page of one institution.
func institutionLink(name string) string { return "./?institution=" + url.QueryEscape(name) }
