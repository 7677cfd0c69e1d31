package config

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// Load reads the file at path, the files it includes, and every secret and TLS
// file they name. Its error is of type Faults: all faults by file and line.
func Load(path string, shared *probe.Shared) (*Config, error) {
	l := &loader{}
	l.main(path)
	c := l.root.resolve(&l.report, shared)
	if len(l.faults) > 0 {
		return nil, Faults(sorted(l.faults))
	}
	c.Warnings = sorted(l.warnings)
	return c, nil
}

// loader reads files into one grammar tree.
type loader struct {
	report
	root  root
	files []os.FileInfo // already read: a pattern may match a file again
}

func (l *loader) main(path string) {
	problem := l.file(path, &l.root)
	if problem != "" {
		l.fault(position{file: path}, "%s%s", problem, remedy(problem))
		return
	}
	l.seen(path)
	for _, pattern := range l.root.Include.value {
		if pattern.good() {
			l.include(pattern)
		}
	}
	if len(l.root.Institutions) == 0 && len(l.faults) == 0 {
		l.warn(position{path, 1}, "no institution is configured: nothing will be verified")
	}
}

// remedy tells the user what to do if the main file cannot be read.
func remedy(problem string) string {
	return map[string]string{
		noSuchFile:   "; name one with --config.file, copy config.example.yml, or try: integra_exporter demo",
		isDirectory:  "; name the file in it with --config.file",
		noPermission: "; make it readable for the user who runs this program",
	}[problem]
}

func (l *loader) include(pattern field[filename]) {
	matches, literal, err := glob(filepath.Dir(pattern.at.file), string(pattern.value))
	switch full := pattern.at.relative(string(pattern.value)); {
	case err != nil:
		l.fault(pattern.at, "include: %s is not a pattern of file names", quote(string(pattern.value)))
	case len(matches) == 0 && literal:
		l.fault(pattern.at, "include: %s: %s", full, noSuchFile)
	case len(matches) == 0:
		l.warn(pattern.at, "include: %s matches no file", full)
	}
	for _, file := range matches {
		if l.seen(file) {
			continue
		}
		var part included
		problem := l.file(file, &part)
		if problem != "" {
			l.fault(pattern.at, "include: %s: %s", file, problem)
			continue
		}
		add(l, &l.root.APIs, part.APIs, "api", func(a *api) position { return a.At })
		add(l, &l.root.Institutions, part.Institutions, "institution", func(i *institution) position { return i.At })
	}
}

// glob returns the files that pattern names below dir, sorted, and whether it was literal to its end. An element that
// exists as it is written is literal: directories may well have brackets, braces or stars in their names. As in a shell, a
// name that begins with a dot is matched only by an element that does.
func glob(dir, pattern string) (matches []string, literal bool, err error) {
	if filepath.IsAbs(pattern) {
		dir = filepath.VolumeName(pattern) + string(filepath.Separator)
		pattern = strings.TrimPrefix(pattern, filepath.VolumeName(pattern))
	}
	matches, literal = []string{dir}, true
	for element := range strings.SplitSeq(filepath.ToSlash(pattern), "/") {
		if element == "" {
			continue
		}
		var below []string
		asWritten := len(matches) > 0
		for _, at := range matches {
			whole := filepath.Join(at, element)
			_, missing := os.Lstat(whole)
			if missing == nil {
				below = append(below, whole)
				continue
			}
			asWritten = false
			below = append(below, matching(at, element)...)
		}
		if !asWritten && strings.ContainsAny(element, wildcards) {
			literal = false
			_, bad := filepath.Match(element, "")
			err = errors.Join(err, bad)
		}
		matches = below
	}
	return matches, literal, err
}

const wildcards = "*?[\\"

// matching returns what element, of a path, matches in dir.
func matching(dir, element string) (found []string) {
	if !strings.ContainsAny(element, wildcards) {
		return nil
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		hidden := strings.HasPrefix(e.Name(), ".") && !strings.HasPrefix(element, ".")
		matched, _ := filepath.Match(element, e.Name())
		if matched && !hidden {
			found = append(found, filepath.Join(dir, e.Name()))
		}
	}
	return found
}

// seen remembers the file at path and reports whether it was remembered before.
func (l *loader) seen(path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return false
	}
	if slices.ContainsFunc(l.files, func(old os.FileInfo) bool { return os.SameFile(old, info) }) {
		return true
	}
	l.files = append(l.files, info)
	return false
}

// add puts the entries of part into all. A name that all holds already is a fault.
func add[T any](l *loader, all *map[name]*T, part map[name]*T, what string, at func(*T) position) {
	if *all == nil {
		*all = map[name]*T{}
	}
	for key, value := range part {
		first, ok := (*all)[key]
		if ok {
			l.fault(at(value), "%s %q is already defined at %s", what, string(key), at(first))
			continue
		}
		(*all)[key] = value
	}
}

// file reads and decodes the file at path into target. It returns why the file
// cannot be read, and reports what is wrong in it.
func (l *loader) file(path string, target any) (problem string) {
	content, problem := readFile(path)
	if problem != "" {
		return problem
	}
	n := l.parseYAML(path, content)
	if n != nil {
		l.decode(path, n, target)
	}
	return ""
}

// parseYAML returns the only document in content, nil beside a fault.
func (r *report) parseYAML(file string, content []byte) *yaml.Node {
	line, problem := binary(content)
	if problem != "" {
		r.fault(position{file, line}, "%s", problem)
		return nil
	}
	documents, err := documents(content)
	switch {
	case err != nil:
		line, problem = syntaxProblem(err.Error(), content)
		r.fault(position{file, line}, "%s", problem)
	case len(documents) == 0 || documents[0].ShortTag() == "!!null":
		r.fault(position{file, 1}, "the file is empty")
	case len(documents) > 1:
		r.fault(position{file, documents[1].Line}, "a second document begins here: a file can hold only one")
	default:
		return documents[0]
	}
	return nil
}

func binary(content []byte) (line int, problem string) {
	for i, row := range bytes.Split(content, []byte("\n")) {
		switch {
		case bytes.IndexByte(row, 0) >= 0:
			return i + 1, "a NUL byte: this is not a text file in UTF-8"
		case !utf8.Valid(row):
			return i + 1, "this is not a text file in UTF-8"
		}
	}
	return 0, ""
}

// syntaxProblem translates an error of yaml.v3 into a sentence of our own, because
// its text may quote the file.
func syntaxProblem(text string, content []byte) (line int, problem string) {
	rows := strings.SplitAfter(string(content), "\n")
	line = faultyRow(text, rows)
	if strings.HasPrefix(strings.TrimLeft(rows[line-1], " "), "\t") {
		return line, "a tab in the indentation: YAML allows only spaces"
	}
	for _, known := range []struct{ sign, problem string }{
		{"incompatible YAML document", "a %YAML line of another version than 1.1: leave the line out"},
		{"unknown anchor", "an alias without an anchor: quote a value that begins with *"},
		{"mapping values are not allowed", "not YAML: a key is not allowed here; check the indentation, and quote a value that holds \": \""},
		{"did not find expected key", "not YAML near this line: check the indentation and the quotes"},
		{"could not find expected ':'", "not YAML near this line: a key without a colon and a space"},
		{"cannot start any token", "not YAML: quote a value that begins with one of @ ` %"},
		{"control characters are not allowed", "a control character: this is not a text file"},
		{"unexpected end of stream", "not YAML: a quoted value does not end"},
		{"expected ',' or", "not YAML: a bracket is not closed"},
	} {
		if strings.Contains(text, known.sign) {
			return line, known.problem
		}
	}
	return line, "not YAML near this line"
}

// faultyRow returns the number of the row that causes the error with this text.
// yaml.v3 itself names the beginning of the mapping around it, or no line at
// all. A binary search serves, because a longer prefix of the file fails with
// the same error.
func faultyRow(text string, rows []string) int {
	row := sort.Search(len(rows), func(i int) bool {
		_, err := documents([]byte(strings.Join(rows[:i+1], "")))
		return err != nil && err.Error() == text
	})
	return min(row+1, len(rows))
}

// documents returns the roots of at most two documents.
func documents(content []byte) ([]*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var roots []*yaml.Node
	for range 2 {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		roots = append(roots, document.Content[0])
	}
	return roots, nil
}
