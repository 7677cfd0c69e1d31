package config

import (
	"reflect"

	"gopkg.in/yaml.v3"
)

// field is a leaf of the grammar: a value, whether it is written at all, and where.
type field[T any] struct {
	value T
	set   bool
	bad   bool // written, but not usable: the fault is told, no other may follow from it
	at    position
}

// node is what decodes itself; everything else is decoded by its kind.
type node interface {
	decode(d *decoder, n *yaml.Node, at position) outcome
}

// spoilable is a node that can be taken for written without being usable.
type spoilable interface{ spoil(at position) }

// replaceable is a node that a more specific level replaces as a whole.
type replaceable interface{ isSet() bool }

func (f *field[T]) decode(d *decoder, n *yaml.Node, at position) outcome {
	result := d.value(reflect.ValueOf(&f.value).Elem(), n, at)
	if result != absent {
		f.set, f.bad, f.at = true, result == bad, at
	}
	return result
}

func (f *field[T]) spoil(at position) { f.set, f.bad, f.at = true, true, at }

func (f *field[T]) isSet() bool { return f.set }

// good reports whether there is a value to look at.
func (f *field[T]) good() bool { return f.set && !f.bad }

// or returns the value, otherwise unless there is a usable one.
func (f *field[T]) or(otherwise T) T {
	if f.good() {
		return f.value
	}
	return otherwise
}

// override is merge for a single field.
func (f *field[T]) override(other field[T]) {
	if other.set {
		*f = other
	}
}
