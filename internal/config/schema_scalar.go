package config

import "reflect"

// The parts of patterns, in what Go and ECMAScript have in common.
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

// scalarSchemas returns the schemas of the scalars. What the decoder takes as text may look like
// a number or a truth value: a title may be 2026.
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
