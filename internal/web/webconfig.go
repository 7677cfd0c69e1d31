package web

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"regexp"
	"strings"

	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// CheckConfigFile returns what is wrong with the file of --web.config.file, in our own words: the toolkit's error may quote
// a password or a key in it.
func CheckConfigFile(file string) error {
	err := toolkit.Validate(file)
	if err != nil {
		return fmt.Errorf("--web.config.file %s: %s", file, webConfigFault(err))
	}
	if file == "" {
		return nil
	}
	err = checkDemand(file)
	if err != nil {
		return fmt.Errorf("--web.config.file %s: %w", file, err)
	}
	return nil
}

// webConfigLog is where the toolkit logs while it serves. It replaces the toolkit's errors about a file that has become bad.
type webConfigLog struct{ slog.Handler }

func (l webConfigLog) Handle(ctx context.Context, r slog.Record) error {
	redacted := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "err" {
			a = slog.String("fault", webConfigFault(errors.New(a.Value.String())))
		}
		redacted.AddAttrs(a)
		return true
	})
	return l.Handler.Handle(ctx, redacted)
}

var (
	unknownWebKey = regexp.MustCompile(`line (\d+): field (\w+) not found`)
	webLine       = regexp.MustCompile(`line (\d+): `)
)

// webConfigFault returns a sentence of ours for an error of the toolkit.
func webConfigFault(err error) string {
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
		{"X509KeyPair", "cert_file and key_file are not a certificate and its key"},
		{"lient", "client_auth_type does not fit the client CAs"},
		{"HTTP header", "http_server_config has a header that may not be set, or to this value"},
	} {
		if strings.Contains(text, fault.sign) {
			return fault.sentence
		}
	}
	return "not usable"
}
