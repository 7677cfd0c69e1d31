package config

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// outcome is the result of decoding a node.
type outcome int

const (
	absent outcome = iota // nothing is written: all lines of the section are commented out
	good
	bad // reported as a fault
)

// maxNodes bounds the size to which aliases can expand a file.
const maxNodes = 2_000_000

// decoder fills structs from nodes and reports every fault with its line. It
// replaces yaml.v3's own decoding, whose errors quote the file. Structs carry
// `yaml` tags; a field At of type position receives the position of its mapping,
// and stays zero if the value is not a mapping.
type decoder struct {
	*report
	file   string
	name   string // the key whose value is being decoded
	path   string // its path from the root, such as institutions.*.apis.*
	root   reflect.Type
	left   int                               // nodes that may still be visited
	open   map[*yaml.Node]bool               // anchors whose aliases are being followed
	fields map[reflect.Type]map[string][]int // cache of known
}

// decode fills target, a pointer to a struct, from n.
func (r *report) decode(file string, n *yaml.Node, target any) {
	root := reflect.ValueOf(target).Elem()
	d := &decoder{
		report: r, file: file, root: root.Type(), left: maxNodes,
		open: map[*yaml.Node]bool{}, fields: map[reflect.Type]map[string][]int{},
	}
	d.value(root, n, d.at(n))
}

// value decodes n into v. The position is that of the key, not of n: n may be the target of an alias elsewhere.
func (d *decoder) value(v reflect.Value, n *yaml.Node, at position) outcome {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(v.Elem(), n, at)
	}
	if !d.spend(1, at) {
		return bad
	}
	n, done := d.follow(n)
	defer done()
	if n == nil {
		return d.refuse(at, "the alias is inside its own anchor")
	}
	self, ok := v.Addr().Interface().(node)
	if ok {
		return self.decode(d, n, at)
	}
	if n.Style&yaml.TaggedStyle != 0 {
		return d.refuse(at, "YAML tags (a word after !) are not supported")
	}
	scalar, ok := v.Addr().Interface().(parser)
	if ok {
		return d.scalar(scalar, n, at)
	}
	return d.collection(v, n, at)
}

// node is a type that decodes itself. The decoder handles all other types by their kind.
type node interface {
	decode(d *decoder, n *yaml.Node, at position) outcome
}

func (d *decoder) scalar(v parser, n *yaml.Node, at position) outcome {
	switch {
	case n.Kind != yaml.ScalarNode:
		return d.refuse(at, "expected a single value, found a %s", kindName(n))
	case n.ShortTag() == "!!null":
		return d.refuse(at, "the value is missing")
	}
	problem := v.parse(n.Value)
	if problem != "" {
		return d.refuse(at, "%s", problem)
	}
	return good
}

// parser is a scalar that parses its own text. The problem continues the message
// "name: "; it may quote text only through quote, since text may be a secret.
type parser interface {
	parse(text string) (problem string)
}

func (d *decoder) collection(v reflect.Value, n *yaml.Node, at position) outcome {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return absent
	}
	if v.Kind() == reflect.Slice {
		return d.list(v, n, at)
	}
	if n.Kind != yaml.MappingNode {
		return d.refuse(at, "expected a mapping (key: value), found a %s", kindName(n))
	}
	if v.Kind() == reflect.Map {
		return d.mapping(v, n)
	}
	return d.structure(v, n, at)
}

func (d *decoder) list(v reflect.Value, n *yaml.Node, at position) outcome {
	if n.Kind != yaml.SequenceNode {
		return d.refuse(at, "expected a list, found a %s%s", kindName(n), listAdvice(v, n))
	}
	path := d.path
	d.path += "[]"
	defer func() { d.path = path }()
	result := good
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		switch d.value(v.Index(i), item, d.at(item)) {
		case absent:
			result = d.refuse(d.at(item), "the list has an empty item")
		case bad:
			result = bad
		}
	}
	return result
}

// listAdvice shows how to write a single value as a list, if the message may repeat the value.
func listAdvice(v reflect.Value, n *yaml.Node) string {
	if v.Type().Elem().Kind() == reflect.Pointer || n.Kind != yaml.ScalarNode || !printable(n.Value) {
		return ""
	}
	if regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./*?-]*$`).MatchString(n.Value) {
		return ": write [" + n.Value + "]"
	}
	return fmt.Sprintf(": write [%q]", n.Value)
}

// mapping decodes a mapping whose keys the user chooses.
func (d *decoder) mapping(v reflect.Value, n *yaml.Node) outcome {
	v.Set(reflect.MakeMap(v.Type()))
	headers := map[string]bool{} // in lower case: case does not tell header names apart
	for _, p := range d.pairs(n) {
		name := reflect.New(v.Type().Key())
		problem := name.Interface().(parser).parse(p.key)
		if problem != "" {
			d.refuse(p.at, "%s", problem)
			continue
		}
		lower := strings.ToLower(p.key)
		if headers[lower] {
			d.fault(p.at, "%s: this header is already set here, in another spelling", redactKey(p.key))
			continue
		}
		headers[lower] = v.Type().Key() == reflect.TypeFor[header]()
		value := reflect.New(v.Type().Elem()).Elem()
		if d.entry(value, p, "*") == absent {
			d.fault(p.at, "%s: this entry is empty", redactKey(p.key))
			continue
		}
		v.SetMapIndex(name.Elem(), value)
	}
	return good
}

// structure decodes a mapping into a struct of the grammar.
func (d *decoder) structure(v reflect.Value, n *yaml.Node, at position) outcome {
	known := d.known(v.Type())
	where := v.FieldByName("At")
	if where.IsValid() {
		where.Set(reflect.ValueOf(at))
	}
	for _, p := range d.pairs(n) {
		index, ok := known[p.key]
		if ok {
			d.entry(v.FieldByIndex(index), p, p.key)
			continue
		}
		d.unknown(v, known, p)
	}
	return good
}

// entry decodes the value of a mapping's entry; step is its part of the path, "*" for a key that the user chooses.
func (d *decoder) entry(v reflect.Value, p pair, step string) outcome {
	name, path := d.name, d.path
	d.name, d.path = redactKey(p.key), strings.TrimPrefix(path+"."+step, ".")
	defer func() { d.name, d.path = name, path }()
	return d.value(v, p.value, p.at)
}

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "mapping"
	case yaml.SequenceNode:
		return "list"
	}
	return "single value"
}

// pair is an entry of a mapping.
type pair struct {
	key   string
	at    position
	value *yaml.Node
}

// pairs returns the entries of a mapping and reports keys that are not text or
// are repeated. Entries of merge keys (<<) come last, so that a key written in
// the mapping itself wins, as YAML defines it.
func (d *decoder) pairs(n *yaml.Node) []pair {
	result := make([]pair, 0, len(n.Content)/2)
	lines := map[string]int{}
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		tag := key.ShortTag()
		switch {
		case tag == "!!merge" && key.Kind == yaml.ScalarNode:
			merges = append(merges, value)
		case key.Kind != yaml.ScalarNode || tag != "!!str" || key.Style&yaml.TaggedStyle != 0:
			d.fault(d.at(key), "the key is not text: quote it")
		case lines[key.Value] > 0:
			d.fault(d.at(key), "%s: this key is already set in line %d", redactKey(key.Value), lines[key.Value])
		default:
			lines[key.Value] = d.at(key).line
			result = append(result, pair{key.Value, d.at(key), value})
		}
	}
	for _, value := range merges {
		for _, p := range d.merged(value) {
			if lines[p.key] == 0 {
				lines[p.key] = p.at.line
				result = append(result, p)
			}
		}
	}
	return result
}

// merged returns the entries of the value of a merge key.
func (d *decoder) merged(n *yaml.Node) []pair {
	at := d.at(n)
	if !d.spend(1, at) {
		return nil
	}
	n, done := d.follow(n)
	defer done()
	if n == nil {
		d.fault(at, "<<: the alias is inside its own anchor")
		return nil
	}
	var result []pair
	switch n.Kind {
	case yaml.MappingNode:
		result = d.pairs(n)
	case yaml.SequenceNode:
		for _, item := range n.Content {
			result = append(result, d.merged(item)...)
		}
	default:
		d.fault(at, "<<: expected a mapping or a list of mappings")
	}
	d.spend(len(result), at)
	return result
}

// follow returns n, or its target if n is an alias, or nil if the alias is inside
// its own anchor, where following would never end. The caller calls done when it
// has decoded the target.
func (d *decoder) follow(n *yaml.Node) (target *yaml.Node, done func()) {
	switch {
	case n.Kind != yaml.AliasNode:
		return n, func() {}
	case d.open[n.Alias]:
		return nil, func() {}
	}
	d.open[n.Alias] = true
	return n.Alias, func() { delete(d.open, n.Alias) }
}

// spend reports whether n more nodes may be visited. It reports a fault the first time they may not.
func (d *decoder) spend(n int, at position) bool {
	before := d.left
	d.left -= n
	if d.left < 0 && before >= 0 {
		d.fault(at, "the aliases of this file expand to more than %d values", maxNodes)
	}
	return d.left >= 0
}

// known returns the keys of a struct type with the index of their fields.
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

// unknown reports a key that the grammar does not know here, and where it belongs: first by its exact name elsewhere
// in the grammar, then by the most similar name here.
func (d *decoder) unknown(v reflect.Value, known map[string][]int, p pair) {
	paths := map[string][]string{}
	addPaths(paths, d.root, "")
	elsewhere := closest(paths[p.key], d.path)
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
		d.fault(p.at, "unknown key %q; the known keys are %s", redactKey(p.key), strings.Join(all, ", "))
		return
	}
	d.fault(p.at, "unknown key %q; did you mean %q?", redactKey(p.key), guess)
	meant, ok := v.FieldByIndex(known[guess]).Addr().Interface().(badMarker)
	if ok { // otherwise the key that was meant would be reported as missing, too
		meant.markBad(p.at)
	}
}

// badMarker is a node that can be marked as written, but unusable.
type badMarker interface{ markBad(at position) }

// addPaths adds, for every key below t, the paths of the mappings that can hold it.
func addPaths(paths map[string][]string, t reflect.Type, path string) {
	t, suffix := elem(t)
	if t.Kind() != reflect.Struct {
		return
	}
	for key, index := range keysOf(t) {
		inner := t.FieldByIndex(index).Type
		paths[key] = append(paths[key], strings.TrimPrefix(path+suffix, "."))
		addPaths(paths, inner, path+suffix+"."+key)
	}
}

// elem strips pointers, fields, lists and maps from a type of the grammar, and returns the path's part for them.
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

// closest returns the at most three paths that were most likely meant at path: first those with the same end (a shared
// API and an institution's), then those within few steps.
func closest(paths []string, path string) []string {
	from := strings.Split(path, ".")
	likeness := func(other string) (alike, steps int) {
		to := strings.Split(other, ".")
		for alike < min(len(from), len(to)) && from[len(from)-1-alike] == to[len(to)-1-alike] {
			alike++
		}
		return alike, distance(from, to)
	}
	slices.SortFunc(paths, func(a, b string) int {
		alikeA, stepsA := likeness(a)
		alikeB, stepsB := likeness(b)
		return cmp.Or(cmp.Compare(alikeB, alikeA), cmp.Compare(stepsA, stepsB), cmp.Compare(a, b))
	})
	paths = paths[:min(len(paths), 3)]
	for i := range paths {
		paths[i] = cmp.Or(paths[i], "the top of the file")
	}
	return paths
}

func (d *decoder) refuse(at position, format string, args ...any) outcome {
	message := fmt.Sprintf(format, args...)
	if d.name != "" {
		message = d.name + ": " + message
	}
	d.fault(at, "%s", message)
	return bad
}

func (d *decoder) at(n *yaml.Node) position { return position{d.file, max(n.Line, 1)} }
