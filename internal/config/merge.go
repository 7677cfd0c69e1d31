package config

import (
	"reflect"
	"strings"
)

// merge puts what is written in src over dst, both structs of the grammar:
// mappings merge key by key, lists and scalars replace. It shares no map with src.
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

func leafOf(v reflect.Value) (replaceable, bool) {
	if !v.Addr().CanInterface() { // an embedded struct
		return nil, false
	}
	leaf, ok := v.Addr().Interface().(replaceable)
	return leaf, ok
}

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

// mergeMap treats names of headers that differ in case alone as the same.
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
