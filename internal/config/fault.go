package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Fault is something wrong, or worth a warning, at a line of a configuration file.
// Its message never holds a secret, a URL or the text of a foreign error.
type Fault struct {
	File    string
	Line    int // from 1; 0 where it is the file as a whole
	Message string
}

// String returns "file:line: message".
func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Message
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Message)
}

// Faults are all faults of a configuration, by file and line.
type Faults []Fault

// Error returns the faults, one a line.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.String()
	}
	return strings.Join(lines, "\n")
}

// position is where something is written; the zero position is nowhere.
type position struct {
	file string
	line int
}

func (p position) nowhere() bool { return p.line == 0 }

func (p position) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// relative resolves a path that is written at p.
func (p position) relative(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(p.file), path)
}

// report collects what is found.
type report struct{ faults, warnings []Fault }

func (r *report) fault(at position, format string, args ...any) {
	r.faults = append(r.faults, Fault{at.file, at.line, fmt.Sprintf(format, args...)})
}

func (r *report) warn(at position, format string, args ...any) {
	r.warnings = append(r.warnings, Fault{at.file, at.line, fmt.Sprintf(format, args...)})
}

// sorted orders faults and drops repetitions: what stands in defaults is found again by every target.
func sorted(faults []Fault) []Fault {
	slices.SortFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(faults)
}
