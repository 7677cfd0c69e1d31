package view

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// printableLength is how many characters of a name or title a page shows at most.
const printableLength = 160

// Printable returns what a page shows of text from the configuration: cut at 160
// characters, and sanitized.
func Printable(text string) string {
	if utf8.RuneCountInString(text) > printableLength {
		text = string([]rune(text)[:printableLength-1]) + "…"
	}
	return Sanitize(text)
}

// Sanitize replaces characters that change the direction of the text after them, and those that begin a new line.
func Sanitize(text string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII && unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp, unicode.Cc) {
			return utf8.RuneError
		}
		return r
	}, text)
}

const day = 24 * time.Hour

// FormatAge returns d in its two largest units that matter, such as 3 h 5 min.
func FormatAge(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(d, 0)/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d < 10*day:
		return fmt.Sprintf("%d d %d h", d/day, d%day/time.Hour)
	}
	return fmt.Sprintf("%d d", d/day)
}

// FormatLatency returns the duration of a run or a phase, in ms or s.
func FormatLatency(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// FormatSize returns n bytes in B, KiB or MiB.
func FormatSize(n int64) string {
	const kibi = 1 << 10
	switch {
	case n < kibi:
		return fmt.Sprintf("%d B", n)
	case n < kibi*kibi:
		return fmt.Sprintf("%.1f KiB", float64(n)/kibi)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(kibi*kibi))
}

// Plural returns n with the word that fits it.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
