package config

import (
	"gopkg.in/yaml.v3"
)

// pair is an entry of a mapping.
type pair struct {
	key   string
	at    position
	value *yaml.Node
}

// pairs returns the entries of a mapping, those of its merge keys (<<) last,
// and tells every key that is not text or stands there twice.
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
			d.fault(d.at(key), "a key that is not text: quote it")
		case lines[key.Value] > 0:
			d.fault(d.at(key), "%s: this key stands in line %d already", shown(key.Value), lines[key.Value])
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

// merged returns the entries that the value of a merge key brings.
func (d *decoder) merged(n *yaml.Node) []pair {
	at := d.at(n)
	if !d.spend(1, at) {
		return nil
	}
	if n.Kind == yaml.AliasNode {
		target, done := d.follow(n)
		defer done()
		if target == nil {
			d.fault(at, "<<: an alias within its own anchor")
			return nil
		}
		n = target
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
		d.fault(at, "<<: a mapping or a list of mappings is wanted here")
	}
	d.spend(len(result), at)
	return result
}
