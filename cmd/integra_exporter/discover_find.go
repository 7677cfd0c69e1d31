package main

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/integra-exporter/integra_exporter/internal/catalogue"
	"github.com/integra-exporter/integra_exporter/internal/gravitee"
)

// finding is a subscription, and what a configuration can say of it.
type finding struct {
	gravitee.Subscription
	Name       string // in the configuration and of the key's file: a-z, 0-9 and hyphens, no other finding's
	context    string // path; empty: not to be known
	entry      catalogue.Entry
	Documented bool // entry is its request
	Key        gravitee.Key
	usable     bool // Key is one
}

// find reads the application and names what it finds. The order and the names
// depend on nothing but what was read.
func find(ctx context.Context, client *gravitee.Client) ([]finding, error) {
	reading, err := client.Read(ctx)
	if err != nil {
		return nil, err
	}
	documented := catalogue.Load()
	contexts := map[string]string{}
	var found []finding
	for _, s := range reading.Subscriptions {
		context, known := contexts[s.API]
		if !known {
			context, err = client.ContextPath(ctx, s.API)
			if err != nil {
				return nil, err
			}
			contexts[s.API] = context
		}
		f := finding{Subscription: s, context: context}
		f.entry, f.Documented = documented.Find(context, s.APIName, s.PlanName)
		f.Key, f.usable = reading.Newest(s)
		found = append(found, f)
	}
	slices.SortFunc(found, func(a, b finding) int {
		return cmp.Or(cmp.Compare(a.wanted(), b.wanted()), cmp.Compare(a.Path(), b.Path()),
			cmp.Compare(a.PlanName, b.PlanName), cmp.Compare(a.ID, b.ID))
	})
	name(found)
	return found, nil
}

// wanted is the name, unless another has it.
func (f finding) wanted() string {
	if f.Documented {
		return f.entry.Name
	}
	return cmp.Or(slug(f.APIName), "api")
}

// name gives each finding a name of its own: with its plan, and with a number
// where that does not tell them apart either.
func name(found []finding) {
	taken := map[string]bool{}
	for i := range found {
		f := &found[i]
		f.Name = f.wanted()
		plan := slug(f.PlanName)
		if taken[f.Name] && plan != "" {
			f.Name += "-" + plan
		}
		for base, n := f.Name, 2; taken[f.Name]; n++ {
			f.Name = fmt.Sprintf("%s-%d", base, n)
		}
		taken[f.Name] = true
	}
}

// slug makes a foreign name safe for a file and for YAML: at most 60 of a-z, 0-9
// and hyphens, and no more than that it says; empty if nothing is left.
func slug(s string) string {
	s = strings.NewReplacer("æ", "ae", "ø", "o", "å", "a", "ö", "o", "ä", "a", "é", "e").Replace(strings.ToLower(s))
	s = strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(s, "-"), "-")
	return strings.TrimRight(s[:min(len(s), 60)], "-")
}

// plain is foreign text that is fit for a comment or a title: one line, nothing
// that does not show, at most 100 characters.
func plain(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	runes := []rune(strings.Join(strings.Fields(s), " "))
	return string(runes[:min(len(runes), 100)])
}

// Path is the context path, as good as it is known.
func (f finding) Path() string {
	switch {
	case f.context != "":
		return f.context
	case f.Documented:
		return f.entry.Context
	}
	return "/" + cmp.Or(slug(f.APIName), "api")
}

// GuessedPath says that the context path is not what the API manager said.
func (f finding) GuessedPath() bool { return f.context == "" }

func withKey(found []finding) []finding { return only(found, true) }

// only returns those with a usable key, or those without.
func only(found []finding, usable bool) []finding {
	return slices.DeleteFunc(slices.Clone(found), func(f finding) bool { return f.usable != usable })
}

func guesses(found []finding) (n int) {
	for _, f := range withKey(found) {
		if f.GuessedPath() || !f.Documented {
			n++
		}
	}
	return n
}
