package config

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// Schema returns the JSON Schema of a configuration file, for editors: draft 7, which all of them
// know. It accepts what Load accepts, as far as a schema can express it. Included files use it
// too, although they can hold only apis and institutions.
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
	if t.Elem() == reflect.TypeFor[field[status]]() { // no status matches an empty list
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

// property returns the schema of a key's value, with the description and the default of the key.
func property(f reflect.StructField) object {
	schema := schemaOf(f.Type)
	types, ok := schema["type"].([]string)
	if !ok {
		types = []string{schema["type"].(string)}
	}
	if slices.Contains(types, "object") || slices.Contains(types, "array") { // or null, since all its lines may be commented out
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

// literal returns the value that YAML reads from text: a number, a truth value, a list, else the text itself.
func literal(text string) any {
	var value any
	err := json.Unmarshal([]byte(text), &value)
	if err != nil {
		return text
	}
	return value
}

// structureRules returns the rules of mappings that concern more than one key.
func structureRules() map[reflect.Type]object {
	return map[reflect.Type]object{
		reflect.TypeFor[negative]():        {"type": []string{"boolean", "object"}},
		reflect.TypeFor[api]():             {"allOf": []object{notReserved("key_header", "")}},
		reflect.TypeFor[ownAPI]():          {"allOf": []object{notReserved("key_header", "")}, "oneOf": eitherOf("key_file", "key_env", "key")},
		reflect.TypeFor[secretHeader]():    {"oneOf": eitherOf("file", "env")},
		reflect.TypeFor[graviteeHeaders](): {"allOf": []object{notReserved("transaction_id", transactionHeader)}},
		reflect.TypeFor[gravitee](): {
			"required": []string{"url", "application"},
			"oneOf":    eitherOf("token_file", "token_env", "token"),
		},
		reflect.TypeFor[rabbitmq](): {
			"required": []string{"application"},
			"oneOf":    eitherOf("password_file", "password_env", "password"),
		},
		reflect.TypeFor[credential](): {
			"required":     []string{"name"},
			"oneOf":        eitherOf("expires", "certificate_file", "jwt_file"),
			"dependencies": object{"certificate_password_file": []string{"certificate_file"}},
		},
		reflect.TypeFor[request](): {
			"not":   object{"type": "object", "required": []string{"body", "body_file"}},
			"allOf": []object{headerRule()},
		},
	}
}

// eitherOf requires exactly one of keys.
func eitherOf(keys ...string) []object {
	var choices []object
	for _, key := range keys {
		choices = append(choices, object{"type": "object", "required": []string{key}})
	}
	return choices
}

// notReserved rejects the name of a header that the user cannot set, but for one.
func notReserved(key, but string) object {
	names := slices.DeleteFunc(reservedNames(), func(id string) bool { return id == but })
	return object{"properties": object{key: object{"not": object{"type": "string", "pattern": anyCase(names...)}}}}
}

// headerRule rejects the headers that the user cannot set. Accept is allowed with the value that is sent anyway.
func headerRule() object {
	plain := slices.DeleteFunc(reservedNames(), func(id string) bool { return id == "Accept" })
	return object{"properties": object{
		"headers": object{
			"propertyNames":     object{"not": object{"pattern": anyCase(plain...)}},
			"patternProperties": object{anyCase("Accept"): object{"const": "application/json"}},
		},
		"secret_headers": object{"propertyNames": object{"not": object{"pattern": anyCase(reservedNames()...)}}},
	}}
}

func reservedNames() []string {
	var names []string
	for _, row := range reservedHeaders() {
		names = append(names, row.id)
	}
	return names
}

// anyCase returns a pattern that matches words in any case, since a schema has no flag for that.
func anyCase(words ...string) string {
	var pattern strings.Builder
	for _, r := range strings.Join(words, "|") {
		if unicode.IsLetter(r) {
			pattern.WriteString("[" + string(unicode.ToUpper(r)) + string(unicode.ToLower(r)) + "]")
		} else {
			pattern.WriteRune(r)
		}
	}
	return "^(" + pattern.String() + ")$"
}

// Parts of patterns, in the syntax that Go and ECMAScript share.
const (
	noControl  = `[^\x00-\x1f\x7f-\x9f]`
	noBlank    = `[^\x00-\x20\x7f-\xa0]`
	trimmed    = "^" + noBlank + "(" + noControl + "*" + noBlank + ")?$"
	sent       = `(%[0-9A-Fa-f]{2}|[!"$&'()*+,\-.0-9:;<=>@A-Z\[\\\]^_` + "`" + `a-z{|}~])` // in a path, but for /
	ipv6       = `\[[0-9A-Fa-f:.]+\]`
	hostPart   = `[^\s/@?#%:\[\]"'<>\\^` + "`" + `{|}]`
	host       = "(" + ipv6 + "|" + hostPart + "+)"
	hostNaming = "(" + ipv6 + "|(" + hostPart + `|\{institution\})+)`
	port       = `(:[0-9]{1,5})?`
	urlPath    = `(/(%[0-9A-Fa-f]{2}|[^%?#\x00-\x1f\x7f])*)?$`
)

// scalarSchemas returns the schemas of the scalars. Where the decoder reads any text, YAML may see
// a number or a truth value: a title can be 2026.
func scalarSchemas() map[reflect.Type]object {
	anything := []string{"string", "number", "boolean"}
	const (
		duration = "^([0-9]+y)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$"
		bytes    = `^\+?([0-9]*\.?[0-9]*([KMGTPE]i?)?B)+$`
	)
	aboveZero := func(pattern string) []object { return []object{{"pattern": pattern}, {"pattern": "[1-9]"}} }
	return map[reflect.Type]object{
		reflect.TypeFor[flag]():       {"type": "boolean"},
		reflect.TypeFor[count]():      {"type": "integer", "minimum": 1},
		reflect.TypeFor[status]():     {"type": "integer", "minimum": 100, "maximum": 599},
		reflect.TypeFor[span]():       {"type": "string", "allOf": aboveZero(duration), "examples": []string{"15s", "1m30s"}},
		reflect.TypeFor[interval]():   {"type": "string", "allOf": aboveZero(duration), "examples": []string{"30s", "5m", "1h30m", "1d"}},
		reflect.TypeFor[size]():       {"type": "string", "allOf": aboveZero(bytes), "examples": []string{"512KiB", "10MiB"}},
		reflect.TypeFor[method]():     {"type": "string", "enum": methods()},
		reflect.TypeFor[mode]():       {"type": "string", "enum": []string{"fresh", "reuse"}},
		reflect.TypeFor[text]():       {"type": anything},
		reflect.TypeFor[line]():       {"type": anything, "pattern": "^" + noControl + "*$"},
		reflect.TypeFor[name]():       {"type": anything, "maxLength": 255, "pattern": trimmed},
		reflect.TypeFor[path]():       {"type": "string", "pattern": "^/(" + sent + "(" + sent + `|/)*)?(\?[!-"$-~]*)?$`},
		reflect.TypeFor[filename]():   {"type": anything, "pattern": "^" + noControl + "+$"},
		reflect.TypeFor[variable]():   {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
		reflect.TypeFor[header]():     {"type": anything, "pattern": "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$"},
		reflect.TypeFor[headerLine](): {"type": anything, "pattern": "^" + noControl + "*$"},
		reflect.TypeFor[pattern]():    {"type": anything},
		reflect.TypeFor[expression](): {"type": anything},
		reflect.TypeFor[hidden]():     {"type": anything, "pattern": trimmed},
		reflect.TypeFor[Expiry](): {
			"type":     "string",
			"pattern":  `^(never|[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2}))?)$`,
			"examples": []string{"2027-03-01", "never"},
		},
		reflect.TypeFor[gatewayURL](): {"type": "string", "pattern": "^[hH][tT][tT][pP][sS]?://" + hostNaming + port + urlPath},
		reflect.TypeFor[brokerURL]():  {"type": "string", "pattern": "^[aA][mM][qQ][pP][sS]?://" + hostNaming + port + "/*$"},
		reflect.TypeFor[restURL]():    {"type": "string", "pattern": "^[hH][tT][tT][pP][sS]?://" + host + port + urlPath},
		reflect.TypeFor[proxyURL]():   {"type": "string", "pattern": "^([hH][tT][tT][pP]|[sS][oO][cC][kK][sS]5)://" + host + port + "/*$"},
	}
}
