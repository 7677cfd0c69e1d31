package config

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// known returns the keys of a struct type and the fields they belong to.
func (d *decoder) known(t reflect.Type) map[string][]int {
	if d.fields[t] == nil {
		d.fields[t] = keysOf(t)
	}
	return d.fields[t]
}

func keysOf(t reflect.Type) map[string][]int {
	keys := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		tag := f.Tag.Get("yaml")
		if tag != "" {
			keys[tag] = f.Index
		}
	}
	return keys
}

// unknown tells a key that the grammar does not know at this place.
func (d *decoder) unknown(v reflect.Value, known map[string][]int, p pair) {
	places := map[string][]string{}
	addPlaces(places, d.root, "")
	elsewhere := fitting(places[p.key], d.place)
	if elsewhere != nil {
		d.fault(p.at, "unknown key %q here: it belongs in %s", p.key, strings.Join(elsewhere, ", "))
		return
	}
	if d.root == reflect.TypeFor[included]() && (p.key == "defaults" || p.key == "include") {
		d.fault(p.at, "unknown key %q here: it belongs in the main file", p.key)
		return
	}
	all := slices.Sorted(maps.Keys(known))
	guess := Nearest(p.key, all)
	if guess == "" {
		d.fault(p.at, "unknown key %q; known here are %s", shown(p.key), strings.Join(all, ", "))
		return
	}
	d.fault(p.at, "unknown key %q; did you mean %q?", shown(p.key), guess)
	meant, ok := v.FieldByIndex(known[guess]).Addr().Interface().(spoilable)
	if ok { // what was meant to be written must not be missed as well
		meant.spoil(p.at)
	}
}

// addPlaces notes for every key below t where it may stand.
func addPlaces(places map[string][]string, t reflect.Type, path string) {
	t, suffix := elem(t)
	if t.Kind() != reflect.Struct {
		return
	}
	for key, index := range keysOf(t) {
		inner := t.FieldByIndex(index).Type
		places[key] = append(places[key], strings.TrimPrefix(path+suffix, "."))
		addPlaces(places, inner, path+suffix+"."+key)
	}
}

// fitting returns the three of places that are most likely meant from here:
// first what ends alike (a shared API and an institution's), then what is near.
func fitting(places []string, here string) []string {
	from := strings.Split(here, ".")
	likeness := func(place string) (alike, steps int) {
		to := strings.Split(place, ".")
		for alike < min(len(from), len(to)) && from[len(from)-1-alike] == to[len(to)-1-alike] {
			alike++
		}
		return alike, distance(from, to)
	}
	slices.SortFunc(places, func(a, b string) int {
		alikeA, stepsA := likeness(a)
		alikeB, stepsB := likeness(b)
		return cmp.Or(cmp.Compare(alikeB, alikeA), cmp.Compare(stepsA, stepsB), cmp.Compare(a, b))
	})
	places = places[:min(len(places), 3)]
	for i, place := range places {
		places[i] = cmp.Or(place, "the top of the file")
	}
	return places
}

// elem strips pointers, fields, lists and maps from a type of the grammar.
func elem(t reflect.Type) (inner reflect.Type, suffix string) {
	for {
		switch t.Kind() {
		case reflect.Pointer:
			t = t.Elem()
		case reflect.Slice:
			t, suffix = t.Elem(), suffix+"[]"
		case reflect.Map:
			t, suffix = t.Elem(), suffix+".*"
		case reflect.Struct:
			value, ok := t.FieldByName("value")
			if !ok {
				return t, suffix
			}
			t = value.Type
		default:
			return t, suffix
		}
	}
}

// Nearest returns the candidate that word is most likely a slip of, or nothing.
func Nearest(word string, candidates []string) string {
	best, least := "", max(2, len(word)/2)+1
	for _, candidate := range candidates {
		d := distance([]byte(strings.ToLower(word)), []byte(strings.ToLower(candidate)))
		if d < least && d < len(candidate) {
			best, least = candidate, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours between a and b.
func distance[E comparable](a, b []E) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// quotable reports whether text is a short single word: anything else may be
// a line too many that slipped into a value, with a secret on it.
func quotable(text string) bool {
	return text != "" && len(text) <= 40 && !secret.LooksLikeKey(text) &&
		!strings.ContainsFunc(text, func(r rune) bool { return r == ':' || unicode.IsSpace(r) || !unicode.IsPrint(r) })
}

// quote returns text in quotes, or "this" where it must not be repeated.
func quote(text string) string {
	if !quotable(text) {
		return "this"
	}
	return fmt.Sprintf("%q", text)
}

// beginning returns the first word of text in quotes, enough to find it by.
func beginning(text string) string {
	word, _, more := strings.Cut(text, " ")
	if more && quotable(word) {
		return fmt.Sprintf("%q", word+" …")
	}
	return quote(text)
}

// shown returns a key as it is named in a message, nothing where it must not be repeated.
func shown(key string) string {
	if !quotable(key) {
		return "…"
	}
	return key
}
