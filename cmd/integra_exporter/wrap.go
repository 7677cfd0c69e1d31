package main

import (
	"os"
	"strconv"
	"strings"
	"unicode"
)

const defaultColumns = 80

// window is how much fits on a screen; zero lines: nobody knows, or it is none.
type window struct{ columns, lines int }

// windowOf returns the size that the environment gives, as POSIX wants it, else the terminal's.
func windowOf(std output) window {
	var w window
	file, ok := std.out.(*os.File)
	if std.terminal && ok {
		w = windowSize(file)
	}
	for name, size := range map[string]*int{"COLUMNS": &w.columns, "LINES": &w.lines} {
		given, err := strconv.Atoi(os.Getenv(name))
		if err == nil && given > 0 {
			*size = given
		}
	}
	if w.columns == 0 {
		w.columns = defaultColumns
	}
	if !std.terminal {
		w.lines = 0
	}
	return w
}

// wrap breaks text between words, into lines of at most so many columns. The
// first begins with first, the others with as many spaces. A word that is
// longer than a line stays whole.
func wrap(first, text string, columns int) []string {
	lines := []string{first}
	indent := strings.Repeat(" ", width(first))
	begun := false // the last line holds a word
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		switch {
		case !begun:
			lines[last] += word
		case width(lines[last])+1+width(word) <= columns:
			lines[last] += " " + word
		default:
			lines = append(lines, indent+word)
		}
		begun = true
	}
	return lines
}

// width returns how many columns s takes: an å may be one character or two, a letter and a ring above it.
func width(s string) int {
	columns := 0
	for _, r := range s {
		if !unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
			columns++
		}
	}
	return columns
}
