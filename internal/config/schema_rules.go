package config

import (
	"reflect"
	"strings"
	"unicode"
)

// structureRules returns what a schema can say of a mapping as a whole.
func structureRules() map[reflect.Type]object {
	return map[reflect.Type]object{
		reflect.TypeFor[negative]():     {"type": []string{"boolean", "object"}},
		reflect.TypeFor[api]():          {"allOf": []object{keyHeaderRule()}},
		reflect.TypeFor[ownAPI]():       {"allOf": []object{keyHeaderRule()}, "oneOf": eitherOf("key_file", "key_env", "key")},
		reflect.TypeFor[secretHeader](): {"oneOf": eitherOf("file", "env")},
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

// eitherOf wants exactly one of keys.
func eitherOf(keys ...string) []object {
	var choices []object
	for _, key := range keys {
		choices = append(choices, object{"type": "object", "required": []string{key}})
	}
	return choices
}

// keyHeaderRule refuses to send the key in a header that is not the user's.
func keyHeaderRule() object {
	return object{"properties": object{"key_header": object{"not": object{"type": "string", "pattern": anyCase(reservedNames()...)}}}}
}

// headerRule refuses the headers that are not the user's. Accept may say what is sent anyway.
func headerRule() object {
	var plain []string
	for _, id := range reservedNames() {
		if id != "Accept" {
			plain = append(plain, id)
		}
	}
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

// anyCase returns a pattern for words in capitals or not: a schema has no flag for that.
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
