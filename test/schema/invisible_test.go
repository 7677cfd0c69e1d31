package schema_test

// invisible returns the bad files whose fault a schema cannot see, by the reason why.
func invisible() map[string][]string {
	return map[string][]string{
		"it sees no other file": {
			"body-file-missing", "certificate-as-file", "certificate-as-file-below", "include-missing", "include-twice-defined",
			"jwt-as-file", "jwt-file-mark", "key-as-file-below", "key-as-file-hex", "key-as-file-uuid", "key-file-blank",
			"key-file-directory", "key-file-empty", "key-file-mark", "key-file-missing", "key-file-not-ascii", "key-file-two-lines",
			"keys-certificate-missing", "password-as-file", "password-file-mark", "secret-header-as-file",
			"secret-header-not-ascii", "tls-ca-damaged", "tls-ca-missing", "tls-ca-no-certificate", "tls-cert-damaged", "tls-cert-no-certificate", "token-as-file",
			"token-file-not-ascii", "unused-api-tls",
		},
		"it sees no environment": {"key-as-variable", "key-env-unset", "secret-header-as-variable"},
		"it sees one level, and the others count too": {
			"body-head", "header-and-secret-header", "header-key", "header-own-key", "header-transaction-is-key",
			"header-transaction-renamed", "header-transaction-renamed-key", "header-transaction-renamed-secret", "header-transaction-renamed-unused", "jq-head", "jq-without-json", "json-head",
			"path-missing", "rabbitmq-name-too-long", "timeout-built-in-interval", "timeout-inherited", "timeout-same-line", "timeout-too-long",
			"tls-cert-without-key", "unused-api-path", "unused-api-timeout",
		},
		"it knows no header":                           {"expect-header-hop-by-hop"},
		"it compares no two places":                    {"api-undefined", "api-undefined-far", "gateway-name", "header-twice", "keys-twice", "rabbitmq-twice"},
		"it reads no number in a text":                 {"gateway-port", "interval-too-long", "interval-too-short", "key-expires-before-2000"},
		"it reads no other language":                   {"expect-header-pattern", "gravitee-url-organizations", "gravitee-url-v2", "include-pattern", "jq-syntax"},
		"a password may be what a key may not":         {"key-not-ascii"},
		"an included file has the same schema":         {"include-defaults"},
		"YAML is gone when it looks: tags, types, ---": {"key-not-text", "second-document", "tag"},
	}
}
