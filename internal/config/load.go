package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// Load reads the file at path and those it includes, and every secret and TLS
// file they name. The error is Faults: all that is wrong, by file and line.
func Load(path string, shared *probe.Shared) (*Config, error) {
	l := &loader{}
	l.main(path)
	r := newResolver(&l.report, shared)
	c := r.config(&l.root)
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
	content, problem := readFile(path)
	if problem != "" {
		l.fault(position{file: path}, "%s%s", problem, remedy(problem))
		return
	}
	l.seen(path)
	n := l.parse(path, content)
	if n == nil {
		return
	}
	l.decode(path, n, &l.root)
	for _, pattern := range l.root.Include.value {
		if pattern.good() {
			l.include(pattern)
		}
	}
	if len(l.root.Institutions) == 0 && len(l.faults) == 0 {
		l.warn(position{path, 1}, "no institution is configured: nothing will be verified")
	}
}

// remedy says what to do where the main file cannot be read.
func remedy(problem string) string {
	return map[string]string{
		noSuchFile:   "; name one with --config.file, copy config.example.yml, or try: integra_exporter demo",
		isDirectory:  "; name the file in it with --config.file",
		noPermission: "; make it readable for the user who runs this program",
	}[problem]
}

// seen notes the file at path and reports whether it was noted before.
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

func (l *loader) include(pattern field[filename]) {
	full := pattern.at.relative(string(pattern.value))
	matches, err := filepath.Glob(full)
	if err != nil {
		l.fault(pattern.at, "include: %s is not a pattern of file names", quote(string(pattern.value)))
		return
	}
	if len(matches) == 0 && !strings.ContainsAny(string(pattern.value), "*?[") {
		l.fault(pattern.at, "include: %s: %s", full, noSuchFile)
	}
	for _, file := range matches {
		if l.seen(file) {
			continue
		}
		content, problem := readFile(file)
		if problem != "" {
			l.fault(pattern.at, "include: %s: %s", file, problem)
			continue
		}
		n := l.parse(file, content)
		if n == nil {
			continue
		}
		var part included
		l.decode(file, n, &part)
		add(l, &l.root.APIs, part.APIs, "api", func(a *api) position { return a.At })
		add(l, &l.root.Institutions, part.Institutions, "institution", func(i *institution) position { return i.At })
	}
}

// add puts the entries of part into all; a name that is there already is a fault.
func add[T any](l *loader, all *map[name]*T, part map[name]*T, what string, at func(*T) position) {
	if *all == nil {
		*all = map[name]*T{}
	}
	for key, value := range part {
		first, ok := (*all)[key]
		if ok {
			l.fault(at(value), "%s %q is defined already at %s", what, string(key), at(first))
			continue
		}
		(*all)[key] = value
	}
}
