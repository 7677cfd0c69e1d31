package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

// outcome is what became of a node.
type outcome int

const (
	absent outcome = iota // nothing written: a section whose lines are all commented out
	good
	bad // told as a fault
)

// maxNodes bounds what aliases can multiply a file to.
const maxNodes = 2_000_000

// decoder fills structs from nodes strictly and collects every fault on the way.
// Structs carry `yaml` tags; a field At of type position learns where its
// mapping stands, and stays nowhere if there is something else than a mapping.
type decoder struct {
	*report
	file   string
	name   string // the key whose value is being decoded
	place  string // where in the grammar, as addPlaces writes it
	root   reflect.Type
	left   int
	open   map[*yaml.Node]bool // anchors whose aliases are being followed
	fields map[reflect.Type]map[string][]int
}

// parser is a scalar that reads itself. Its problem is a sentence that goes on
// from "name: "; it may quote text only with quote.
type parser interface {
	parse(text string) (problem string)
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

func (d *decoder) at(n *yaml.Node) position { return position{d.file, max(n.Line, 1)} }

func (d *decoder) refuse(at position, format string, args ...any) outcome {
	message := fmt.Sprintf(format, args...)
	if d.name != "" {
		message = d.name + ": " + message
	}
	d.fault(at, "%s", message)
	return bad
}

// entry decodes the value of a mapping's entry; step is its key in the grammar.
func (d *decoder) entry(v reflect.Value, p pair, step string) outcome {
	name, place := d.name, d.place
	d.name, d.place = shown(p.key), strings.TrimPrefix(place+"."+step, ".")
	defer func() { d.name, d.place = name, place }()
	return d.value(v, p.value, p.at)
}

// spend reports whether n more nodes may be visited, and tells once if not.
func (d *decoder) spend(n int, at position) bool {
	before := d.left
	d.left -= n
	if d.left < 0 && before >= 0 {
		d.fault(at, "the aliases of this file multiply to more than %d values", maxNodes)
	}
	return d.left >= 0
}

// follow returns what the alias n stands for, nil within its own anchor, and
// the function that ends the following.
func (d *decoder) follow(n *yaml.Node) (target *yaml.Node, done func()) {
	if d.open[n.Alias] {
		return nil, func() {}
	}
	d.open[n.Alias] = true
	return n.Alias, func() { delete(d.open, n.Alias) }
}

// value decodes n, written at at, into v.
func (d *decoder) value(v reflect.Value, n *yaml.Node, at position) outcome {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return d.value(v.Elem(), n, at)
	}
	if !d.spend(1, at) {
		return bad
	}
	if n.Kind == yaml.AliasNode {
		target, done := d.follow(n)
		defer done()
		if target == nil {
			return d.refuse(at, "an alias within its own anchor")
		}
		n = target
	}
	self, ok := v.Addr().Interface().(node)
	if ok {
		return self.decode(d, n, at)
	}
	if n.Style&yaml.TaggedStyle != 0 {
		return d.refuse(at, "YAML tags (a word after !) are not understood here")
	}
	scalar, ok := v.Addr().Interface().(parser)
	if ok {
		return d.scalar(scalar, n, at)
	}
	return d.collection(v, n, at)
}

func (d *decoder) scalar(v parser, n *yaml.Node, at position) outcome {
	switch {
	case n.Kind != yaml.ScalarNode:
		return d.refuse(at, "a single value is wanted here, not a %s", kindName(n))
	case n.ShortTag() == "!!null":
		return d.refuse(at, "a value is missing here")
	}
	problem := v.parse(n.Value)
	if problem != "" {
		return d.refuse(at, "%s", problem)
	}
	return good
}

func (d *decoder) collection(v reflect.Value, n *yaml.Node, at position) outcome {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return absent
	}
	if v.Kind() == reflect.Slice {
		return d.list(v, n, at)
	}
	if n.Kind != yaml.MappingNode {
		return d.refuse(at, "a mapping (key: value) is wanted here, not a %s", kindName(n))
	}
	if v.Kind() == reflect.Map {
		return d.names(v, n)
	}
	return d.structure(v, n, at)
}

func (d *decoder) list(v reflect.Value, n *yaml.Node, at position) outcome {
	if n.Kind != yaml.SequenceNode {
		return d.refuse(at, "a list is wanted here, not a %s%s", kindName(n), asList(v, n))
	}
	place := d.place
	d.place += "[]"
	defer func() { d.place = place }()
	result := good
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		switch d.value(v.Index(i), item, d.at(item)) {
		case absent:
			result = d.refuse(d.at(item), "an empty item in a list")
		case bad:
			result = bad
		}
	}
	return result
}

// asList says how a lone value becomes the list that v wants, where it may be repeated.
func asList(v reflect.Value, n *yaml.Node) string {
	if v.Type().Elem().Kind() == reflect.Pointer || n.Kind != yaml.ScalarNode || !quotable(n.Value) {
		return ""
	}
	if regexp.MustCompile(`^[A-Za-z0-9_./][A-Za-z0-9_./*?-]*$`).MatchString(n.Value) {
		return ": write [" + n.Value + "]"
	}
	return fmt.Sprintf(": write [%q]", n.Value)
}

// names decodes a mapping whose keys the user chooses.
func (d *decoder) names(v reflect.Value, n *yaml.Node) outcome {
	v.Set(reflect.MakeMap(v.Type()))
	headers := map[string]bool{} // in lower case: their names are the same in any
	for _, p := range d.pairs(n) {
		name := reflect.New(v.Type().Key())
		problem := name.Interface().(parser).parse(p.key)
		if problem != "" {
			d.refuse(p.at, "%s", problem)
			continue
		}
		lower := strings.ToLower(p.key)
		if headers[lower] {
			d.fault(p.at, "%s: this header stands here already, in another spelling", shown(p.key))
			continue
		}
		headers[lower] = v.Type().Key() == reflect.TypeFor[header]()
		value := reflect.New(v.Type().Elem()).Elem()
		if d.entry(value, p, "*") == absent {
			d.fault(p.at, "%s: nothing stands under this name", shown(p.key))
			continue
		}
		v.SetMapIndex(name.Elem(), value)
	}
	return good
}

// structure decodes a mapping whose keys the grammar knows.
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

func kindName(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "mapping"
	case yaml.SequenceNode:
		return "list"
	}
	return "single value"
}
