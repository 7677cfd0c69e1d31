package main

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

// unquoting keeps the toolkit from logging such an error while it serves, when the file has become bad.
type unquoting struct{ slog.Handler }

func (u unquoting) Handle(ctx context.Context, r slog.Record) error {
	said := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "err" {
			a = slog.String("fault", webFault(errors.New(a.Value.String())))
		}
		said.AddAttrs(a)
		return true
	})
	return u.Handler.Handle(ctx, said)
}

// complaints is where http.Server writes what went wrong with a connection.
type complaints struct{ log *slog.Logger }

var (
	handshake = regexp.MustCompile(`(?s)^(http: TLS handshake error from \S+): (.*)`)
	panicking = regexp.MustCompile(`(?s)^http: panic serving \S+: .*\n(goroutine \d+ \[running\]:.*)`)
	function  = regexp.MustCompile(`(?m)^([\w./*()-]+)\(`) // of a stack, without its arguments
)

func (c complaints) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	failed, panicked := handshake.FindStringSubmatch(text), panicking.FindStringSubmatch(text)
	switch {
	case panicked != nil:
		var at []string
		for _, match := range function.FindAllStringSubmatch(panicked[1], -1) {
			at = append(at, match[1])
		}
		c.log.Error("a page panicked; its message is withheld, since it may quote an answer", "at", at)
	case failed != nil && isConfiguration(failed[2]):
		c.log.Debug(failed[1] + ": --web.config.file: " + webFault(errors.New(failed[2])))
	case strings.HasPrefix(text, "http: Accept error"):
		c.log.Warn("no more connections can be taken for now: no descriptors, or the network is down")
	default:
		c.log.Debug(text)
	}
	return len(line), nil
}

// isConfiguration says whether a handshake failed with the toolkit's error: the file has become bad.
func isConfiguration(why string) bool {
	return !strings.Contains(why, "tls: ") && !strings.Contains(why, " tcp ") && why != "EOF"
}
