package main

import (
	"bytes"
	_ "embed"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
)

//go:embed discover.yml.tmpl
var discoverTemplate string

// print writes the configuration, in one piece.
func (f discoverFlags) print(out io.Writer, found []finding) error {
	t := template.New("discover").Funcs(template.FuncMap{"plain": plain, "scalar": scalar, "indent": indent, "date": date})
	var b bytes.Buffer
	err := template.Must(t.Parse(discoverTemplate)).Execute(&b, map[string]any{
		"Institution": *f.institution, "URL": *f.url, "Application": *f.application, "TokenFile": *f.tokenFile,
		"Organization": *f.organization, "Environment": *f.environment,
		"Gateway": *f.gateway, "CAFile": *f.caFile, "ServerName": *f.serverName,
		"Keys": keysDir(*f.keys), "Written": *f.keys != "",
		"Usable": withKey(found), "Without": only(found, false),
	})
	if err != nil {
		return err
	}
	_, err = out.Write(b.Bytes())
	return err
}

// keysDir is where the configuration looks for keys.
func keysDir(dir string) string {
	if dir == "" {
		return "keys"
	}
	return filepath.ToSlash(filepath.Clean(dir))
}

func keyFile(institution string, f finding) string { return institution + "-" + f.Name }

// API is the entry under apis.
func (f finding) API() string {
	if f.Documented {
		return f.entry.API(f.Path())
	}
	title := plain(f.APIName)
	if title == "" {
		title = f.Name
	}
	return "title: " + scalar(title) + "\nrequest:\n  path: " + scalar(f.Path()+"/") + "\n"
}

// Own is what else stands with the institution's key.
func (f finding) Own() string {
	if f.Documented {
		return f.entry.Own
	}
	return ""
}

// EndsApart says that the subscription ends, and its key at another time: a shared one may outlive it.
func (f finding) EndsApart() bool { return !f.Ends.IsZero() && !f.Ends.Equal(f.Key.Expires) }

// KeyFile is the name of the key's file below the directory of the keys.
func (f finding) KeyFile(institution string) string { return keyFile(institution, f) }

// scalar is s as a YAML scalar, quoted if it could be read as anything else.
func scalar(s string) string {
	words := []string{"y", "yes", "n", "no", "on", "off", "true", "false", "null"}
	ordinary := regexp.MustCompile(`^([A-Za-z/]([A-Za-z0-9_./:~-]*[A-Za-z0-9_./~-])?|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)
	if ordinary.MatchString(s) && !slices.Contains(words, strings.ToLower(s)) {
		return s
	}
	return strconv.Quote(s) // every escape of Go's is one of YAML's too
}

// indent moves lines to the right.
func indent(by int, lines string) string {
	margin := strings.Repeat(" ", by)
	return margin + strings.ReplaceAll(strings.TrimSuffix(lines, "\n"), "\n", "\n"+margin)
}

// date is a moment as key_expires takes it; the zero time is never.
func date(at time.Time) string {
	at = at.UTC()
	switch {
	case at.IsZero():
		return "never"
	case at.Truncate(24 * time.Hour).Equal(at):
		return at.Format(time.DateOnly)
	}
	return at.Format(time.RFC3339)
}
