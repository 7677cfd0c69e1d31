package config

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Fault is an error or a warning about a line of a configuration file.
// Its message never holds a secret, a URL or the text of a foreign error.
type Fault struct {
	File    string
	Line    int // from 1; 0 if the fault concerns the whole file
	Message string
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

// String returns "file:line: message".
func (f Fault) String() string {
	if f.Line == 0 {
		return f.File + ": " + f.Message
	}
	return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Message)
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

// report collects faults and warnings.
type report struct{ faults, warnings []Fault }

func (r *report) fault(at position, format string, args ...any) {
	r.faults = append(r.faults, Fault{at.file, at.line, fmt.Sprintf(format, args...)})
}

func (r *report) warn(at position, format string, args ...any) {
	r.warnings = append(r.warnings, Fault{at.file, at.line, fmt.Sprintf(format, args...)})
}

// sorted orders faults and drops repetitions, since every target finds the faults of the defaults again.
func sorted(faults []Fault) []Fault {
	slices.SortFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(faults)
}

// Nearest returns the candidate that word is most likely a typo of, or nothing.
func Nearest[S ~string](word string, candidates []S) (best S) {
	least := max(2, len(word)/2) + 1
	for _, candidate := range candidates {
		d := distance([]byte(strings.ToLower(word)), []byte(strings.ToLower(string(candidate))))
		if d < least && d < len(candidate) {
			best, least = candidate, d
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours between a and b.
func distance[E comparable](a, b []E) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
