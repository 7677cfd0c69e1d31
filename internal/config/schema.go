package config

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
)

// Schema returns the JSON Schema of a configuration file, for editors: draft 7, which all of them
// know. It is what Load decodes, so far as a schema can say it. A file that is included has the
// same one, although it may hold only apis and institutions.
func Schema() []byte {
	schema := schemaOf(reflect.TypeFor[root]())
	maps.Copy(schema, object{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"$id":         "https://github.com/integra-exporter/integra_exporter/blob/main/config.schema.json",
		"title":       "Configuration of integra_exporter",
		"description": "Which APIs and message queues of IntArk are verified, how and how often. docs/configuration.md describes every key.",
	})
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(schema)
	if err != nil {
		panic("config: a schema of what JSON cannot hold") // only plain values are in there
	}
	return text.Bytes()
}

// object is a JSON object.
type object = map[string]any

// schemaOf returns the schema of what decodes into t, a type of the grammar.
func schemaOf(t reflect.Type) object {
	scalar, ok := scalarSchemas()[t]
	if ok {
		return scalar
	}
	switch t.Kind() {
	case reflect.Pointer:
		return schemaOf(t.Elem())
	case reflect.Slice:
		return listSchema(t)
	case reflect.Map:
		return object{"type": "object", "propertyNames": schemaOf(t.Key()), "additionalProperties": schemaOf(t.Elem())}
	}
	value, ok := t.FieldByName("value")
	if ok { // a field
		return schemaOf(value.Type)
	}
	return structureSchema(t)
}

func listSchema(t reflect.Type) object {
	schema := object{"type": "array", "items": schemaOf(t.Elem())}
	if t.Elem() == reflect.TypeFor[field[status]]() { // no answer is in an empty list
		schema["minItems"] = 1
	}
	return schema
}

func structureSchema(t reflect.Type) object {
	properties := object{}
	for _, f := range reflect.VisibleFields(t) {
		key := f.Tag.Get("yaml")
		if key != "" {
			properties[key] = property(f)
		}
	}
	schema := object{"type": "object", "properties": properties, "additionalProperties": false}
	maps.Copy(schema, structureRules()[t])
	return schema
}

// property returns the schema of a key's value, with what is said about the key.
func property(f reflect.StructField) object {
	schema := schemaOf(f.Type)
	types, ok := schema["type"].([]string)
	if !ok {
		types = []string{schema["type"].(string)}
	}
	if slices.Contains(types, "object") || slices.Contains(types, "array") { // all lines of it may be commented out
		schema["type"] = append(slices.Clone(types), "null")
		choices, ok := schema["oneOf"].([]object)
		if ok {
			schema["oneOf"] = append(choices, object{"type": "null"})
		}
	}
	schema["description"] = f.Tag.Get("doc")
	text, ok := f.Tag.Lookup("default")
	if ok {
		schema["default"] = literal(text)
	}
	return schema
}

// literal returns the value that text stands for in YAML: text, unless it is a number, a truth value or a list.
func literal(text string) any {
	var value any
	err := json.Unmarshal([]byte(text), &value)
	if err != nil {
		return text
	}
	return value
}
