package check

import (
	"cmp"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
)

const defaultColumns = 80

// columnsOf returns how wide out is: what COLUMNS says, as POSIX has it, else what the terminal says.
func columnsOf(out io.Writer, terminal bool) int {
	given, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err == nil && given > 0 {
		return given
	}
	file, isFile := out.(*os.File)
	if !terminal || !isFile {
		return defaultColumns
	}
	return cmp.Or(terminalColumns(file), defaultColumns)
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

// colors are the escape sequences around a result; empty where there are no colors.
type colors struct{ ok, failed, end string }

func colorsFor(terminal bool) colors {
	if !terminal || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" { // which knows no escape sequences
		return colors{}
	}
	return colors{ok: "\x1b[32m", failed: "\x1b[31m", end: "\x1b[0m"}
}
