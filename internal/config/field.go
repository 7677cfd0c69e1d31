package config

import (
	"reflect"
	"strings"

	"gopkg.in/yaml.v3"
)

// field is a leaf of the grammar: a value, whether it is written, and where.
type field[T any] struct {
	value T
	set   bool
	bad   bool     // written, but unusable: its fault is reported, and must not lead to others
	at    position // nowhere unless set
}

func (f *field[T]) decode(d *decoder, n *yaml.Node, at position) outcome {
	result := d.value(reflect.ValueOf(&f.value).Elem(), n, at)
	if result != absent {
		f.set, f.bad, f.at = true, result == bad, at
	}
	return result
}

func (f *field[T]) markBad(at position) { f.set, f.bad, f.at = true, true, at }

func (f *field[T]) isSet() bool { return f.set }

// or returns the value if it is usable, else otherwise.
func (f *field[T]) or(otherwise T) T {
	if f.good() {
		return f.value
	}
	return otherwise
}

// override replaces the field with other if that is written.
func (f *field[T]) override(other field[T]) {
	if other.set {
		*f = other
	}
}

// good reports whether the field has a usable value.
func (f *field[T]) good() bool { return f.set && !f.bad }

// merge puts what is written in src over dst, both structs of the grammar:
// mappings merge key by key, lists and scalars replace. Maps of dst are copies,
// never shared with src: many targets merge over the same defaults.
func merge[T any](dst, src *T) {
	mergeValue(reflect.ValueOf(dst).Elem(), reflect.ValueOf(src).Elem())
}

func mergeValue(dst, src reflect.Value) {
	if src.IsZero() { // nothing is written
		return
	}
	leaf, ok := leafOf(src)
	if ok {
		if leaf.isSet() {
			dst.Set(src)
		}
		return
	}
	switch src.Kind() {
	case reflect.Map:
		mergeMap(dst, src)
	case reflect.Pointer:
		dst.Set(src)
	case reflect.Struct:
		mergeStruct(dst, src)
	}
}

// leafOf returns v as a leaf. Reflection may not call methods of an embedded struct, as its name is not exported.
func leafOf(v reflect.Value) (replaceable, bool) {
	if !v.Addr().CanInterface() {
		return nil, false
	}
	leaf, ok := v.Addr().Interface().(replaceable)
	return leaf, ok
}

// mergeStruct clears, before it merges, the fields that the tag instead names: an API of its own that sets body must
// not inherit body_file as well, since both together are a fault.
func mergeStruct(dst, src reflect.Value) {
	t := src.Type()
	if t == reflect.TypeFor[position]() {
		dst.Set(src)
		return
	}
	for i := range t.NumField() {
		rival := t.Field(i).Tag.Get("instead")
		if rival != "" && src.Field(i).Addr().Interface().(replaceable).isSet() {
			dst.FieldByName(rival).SetZero()
		}
	}
	for i := range t.NumField() {
		mergeValue(dst.Field(i), src.Field(i))
	}
}

// replaceable is a node that a more specific level replaces as a whole.
type replaceable interface{ isSet() bool }

// mergeMap replaces a header even if its name is written in another case.
func mergeMap(dst, src reflect.Value) {
	if dst.IsNil() {
		dst.Set(reflect.MakeMapWithSize(dst.Type(), src.Len()))
	}
	for _, key := range src.MapKeys() {
		for _, old := range dst.MapKeys() {
			if strings.EqualFold(old.String(), key.String()) {
				dst.SetMapIndex(old, reflect.Value{})
			}
		}
		dst.SetMapIndex(key, src.MapIndex(key))
	}
}
