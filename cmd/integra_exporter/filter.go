package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// narrow returns the checks that the flags ask for; file is where they stand.
// It is an error if there is none, or if a name fits no target at all.
func (f checkFlags) narrow(all []probe.Check, file string) ([]probe.Check, error) {
	if len(all) == 0 {
		return nil, errors.New("nothing to check: no institution is configured in " + file + ", or none has a target")
	}
	for _, filter := range f.filters() {
		for _, value := range filter.values {
			fits := slices.ContainsFunc(all, func(c probe.Check) bool { return filter.of(c.Target) == value })
			if !fits && filter.flag != "--kind" { // its values are a closed set: no slip of the pen
				return nil, fmt.Errorf("nothing to check: %s=%s fits no target of %s%s", filter.flag, value, file, filter.guess(value, all))
			}
		}
	}
	wanted := slices.DeleteFunc(all, func(c probe.Check) bool { return !f.want(c.Target) })
	if len(wanted) == 0 {
		return nil, errors.New("nothing to check: no target of " + file + " fits --institution, --kind and --target together")
	}
	return wanted, nil
}

// filter is what a flag asks for, and where a target has it.
type filter struct {
	flag   string
	values []string
	of     func(probe.Target) string
}

// guess says which value there is that may have been meant.
func (f filter) guess(value string, all []probe.Check) string {
	names := map[string]bool{}
	for _, c := range all {
		names[f.of(c.Target)] = true
	}
	meant := config.Nearest(value, slices.Sorted(maps.Keys(names)))
	if meant == "" {
		return ""
	}
	return "; did you mean " + meant + "?"
}

func (f checkFlags) filters() []filter {
	return []filter{
		{"--institution", *f.institutions, institutionOf},
		{"--kind", *f.kinds, func(t probe.Target) string { return t.Kind }},
		{"--target", *f.targets, nameOf},
	}
}

func (f checkFlags) want(t probe.Target) bool {
	for _, filter := range f.filters() {
		if len(filter.values) > 0 && !slices.Contains(filter.values, filter.of(t)) {
			return false
		}
	}
	return true
}
