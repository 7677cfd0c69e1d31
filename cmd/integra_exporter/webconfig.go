package main

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// checkWebConfig says what is wrong with the file of --web.config.file, in our
// own words: the toolkit's error may quote a password or a key that stands in it.
func checkWebConfig(file string) error {
	err := toolkit.Validate(file)
	if err == nil {
		return nil
	}
	return fmt.Errorf("--web.config.file %s: %s", file, webFault(err))
}

var (
	unknownWebKey = regexp.MustCompile(`line (\d+): field (\w+) not found`)
	webLine       = regexp.MustCompile(`line (\d+): `)
)

func webFault(err error) string {
	text := err.Error()
	unknown, line := unknownWebKey.FindStringSubmatch(text), webLine.FindStringSubmatch(text)
	var at *fs.PathError
	switch {
	case unknown != nil:
		return fmt.Sprintf("line %s: unknown key %q", unknown[1], unknown[2])
	case line != nil:
		return "line " + line[1] + ": not YAML, or not a value that this key may have"
	case errors.As(err, &at):
		return at.Path + " cannot be read"
	}
	for _, fault := range []struct{ sign, sentence string }{
		{"yaml:", "not YAML"},
		{"bcrypt", "a password under basic_auth_users is not a bcrypt hash"},
		{"missing one of cert", "tls_server_config has no cert_file"},
		{"missing one of key", "tls_server_config has no key_file"},
		{"failed to read cert_file", "cert_file cannot be read"},
		{"failed to read key_file", "key_file cannot be read"},
		{"X509KeyPair", "cert_file and key_file are no certificate with its key"},
		{"lient", "client_auth_type does not fit the client CAs"},
		{"HTTP header", "http_server_config has a header that may not be set, or to this value"},
	} {
		if strings.Contains(text, fault.sign) {
			return fault.sentence
		}
	}
	return "not usable"
}
