package discover

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"

	"github.com/integra-exporter/integra_exporter/internal/gravitee"
	"github.com/integra-exporter/integra_exporter/internal/secret"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// discloseKeys asks for the keys of found and writes them. It returns how many, for the summary.
func (o Options) discloseKeys(ctx context.Context, client *gravitee.Client, found []finding) (written string, err error) {
	var keys []keyFile
	for _, f := range filterUsable(found, true) {
		value, err := client.Disclose(ctx, f.Subscription, f.Key.Hash)
		if err != nil {
			return "", fmt.Errorf("cannot read the key for %s: %w", f.Name, err)
		}
		keys = append(keys, keyFile{f.KeyFile(o.Institution), value})
	}
	n, err := writeKeys(o.KeysDir, keys)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("; %s written to %s, %d there already", view.Plural(n, "key", "keys"), o.KeysDir, len(keys)-n), nil
}

// writeKeys writes each key to a file below dir that its owner alone can read.
// It creates dir if need be, for its owner alone, and writes nothing at all if a
// file with other content exists: it may be the only copy.
func writeKeys(dir string, keys []keyFile) (written int, err error) {
	err = os.MkdirAll(dir, 0o700)
	if err != nil {
		return 0, fmt.Errorf("cannot create the directory of the keys: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, fmt.Errorf("cannot open the directory of the keys: %w", err)
	}
	defer root.Close()
	var missing []keyFile
	var others []string
	for _, k := range keys {
		switch same, err := holds(root, k); {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, k)
		case err != nil || !same:
			others = append(others, filepath.Join(dir, k.name))
		}
	}
	if len(others) > 0 {
		return 0, fmt.Errorf("no key has been written, refusing to overwrite existing files: %s. Move them away, or write to another directory", strings.Join(others, ", "))
	}
	for _, k := range missing {
		err = create(root, k)
		if err != nil {
			return 0, fmt.Errorf("cannot write a key: %w", err)
		}
	}
	return len(missing), nil
}

// holds says whether k's file exists and holds k.
func holds(root *os.Root, k keyFile) (bool, error) {
	info, err := root.Lstat(k.name)
	if err != nil || !info.Mode().IsRegular() {
		return false, err
	}
	content, err := root.ReadFile(k.name)
	return bytes.Equal(bytes.TrimRight(content, "\r\n"), bytes.TrimRight(k.content(), "\n")), err
}

// create leaves no part of a key behind.
func create(root *os.Root, k keyFile) error {
	file, err := root.OpenFile(k.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(k.content())
	err = errors.Join(err, file.Close())
	if err != nil {
		_ = root.Remove(k.name)
	}
	return err
}

// keyFile is one key and the name of its file.
type keyFile struct {
	name  string
	value secret.Value
}

func (k keyFile) content() []byte { return []byte(k.value.Reveal() + "\n") }

//go:embed config.yml.tmpl
var configTemplate string

// print writes the configuration, in one piece.
func (o Options) print(found []finding) error {
	t := template.New("config").Funcs(template.FuncMap{"plain": singleLine, "scalar": scalar, "indent": indent, "date": date})
	var b bytes.Buffer
	err := template.Must(t.Parse(configTemplate)).Execute(&b, map[string]any{
		"Institution": o.Institution, "URL": o.URL, "Application": o.Application, "TokenFile": o.TokenFile,
		"Organization": o.Organization, "Environment": o.Environment,
		"Gateway": o.Gateway, "CAFile": o.CAFile, "ServerName": o.ServerName,
		"Keys": keysDir(o.KeysDir), "Written": o.KeysDir != "",
		"Usable": filterUsable(found, true), "Without": filterUsable(found, false),
	})
	if err != nil {
		return err
	}
	_, err = o.Out.Write(b.Bytes())
	return err
}

// filterUsable returns those with a usable key, or those without.
func filterUsable(found []finding, usable bool) []finding {
	return slices.DeleteFunc(slices.Clone(found), func(f finding) bool { return f.usable != usable })
}

// API is the entry under apis.
func (f finding) API() string {
	if f.Documented {
		return f.entry.API(f.Path())
	}
	title := singleLine(f.APIName)
	if title == "" {
		title = f.Name
	}
	return "title: " + scalar(title) + "\nrequest:\n  path: " + scalar(f.Path()+"/") + "\n"
}

// Own is what else belongs with the institution's key.
func (f finding) Own() string {
	if f.Documented {
		return f.entry.Own
	}
	return ""
}

// Path is the context path, as good as it is known.
func (f finding) Path() string {
	switch {
	case f.context != "":
		return f.context
	case f.Documented:
		return f.entry.Context
	}
	return "/" + cmp.Or(slug(f.APIName), "api")
}

// GuessedPath says that the context path is not what the API manager said.
func (f finding) GuessedPath() bool { return f.context == "" }

// Expires is when the gateway will refuse the key: the earlier end of key and subscription; the zero time is never.
func (f finding) Expires() time.Time {
	if f.Ends.IsZero() || !f.Key.Expires.IsZero() && f.Key.Expires.Before(f.Ends) {
		return f.Key.Expires
	}
	return f.Ends
}

// KeyFile is the name of the key's file below the directory of the keys.
func (f finding) KeyFile(institution string) string { return institution + "-" + f.Name }

// keysDir is where the configuration looks for keys.
func keysDir(dir string) string {
	if dir == "" {
		return "keys"
	}
	return filepath.ToSlash(filepath.Clean(dir))
}

// slug makes a foreign name safe for a file and for YAML: at most 60 of a-z, 0-9 and hyphens; empty if nothing is left.
func slug(s string) string {
	s = strings.NewReplacer("æ", "ae", "ø", "o", "å", "a", "ö", "o", "ä", "a", "é", "e").Replace(strings.ToLower(s))
	s = strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(s, "-"), "-")
	return strings.TrimRight(s[:min(len(s), 60)], "-")
}

// singleLine makes foreign text fit for a comment or a title: one line of printable characters, at most 100.
func singleLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	runes := []rune(strings.Join(strings.Fields(s), " "))
	return string(runes[:min(len(runes), 100)])
}

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
