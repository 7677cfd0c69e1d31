package check

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// filter returns the checks that the flags select. It is an error if there is
// none, or if a name matches no target at all.
func (o Options) filter(all []probe.Check) ([]probe.Check, error) {
	if len(all) == 0 {
		return nil, errors.New("nothing to check: no institution is configured in " + o.ConfigFile + ", or none has a target")
	}
	for _, filter := range o.filters() {
		for _, value := range filter.values {
			matches := slices.ContainsFunc(all, func(c probe.Check) bool { return filter.of(c.Target) == value })
			if !matches && filter.flag != "--kind" { // whose values are a closed set, so it is no typing error
				return nil, fmt.Errorf("nothing to check: %s=%s matches no target in %s%s", filter.flag, value, o.ConfigFile, filter.suggest(value, all))
			}
		}
	}
	selected := slices.DeleteFunc(all, func(c probe.Check) bool { return !o.selects(c.Target) })
	if len(selected) == 0 {
		return nil, errors.New("nothing to check: no target in " + o.ConfigFile + " matches --institution, --kind and --target together")
	}
	return selected, nil
}

func (o Options) selects(t probe.Target) bool {
	for _, filter := range o.filters() {
		if len(filter.values) > 0 && !slices.Contains(filter.values, filter.of(t)) {
			return false
		}
	}
	return true
}

func (o Options) filters() []flagFilter {
	return []flagFilter{
		{"--institution", o.Institutions, func(t probe.Target) string { return t.Institution }},
		{"--kind", o.Kinds, func(t probe.Target) string { return t.Kind }},
		{"--target", o.Targets, func(t probe.Target) string { return t.Name }},
	}
}

// flagFilter is what a flag selects, and where a target has it.
type flagFilter struct {
	flag   string
	values []string
	of     func(probe.Target) string
}

// suggest names the existing value that may have been meant.
func (f flagFilter) suggest(value string, all []probe.Check) string {
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
