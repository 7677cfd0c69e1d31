package web

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// shownLength is the most of a name or title that a page shows, in characters.
const shownLength = 160

// shown returns what a page shows of text from the configuration: not all of a
// very long one, and nothing that turns the direction of what follows it.
func shown(text string) string {
	if utf8.RuneCountInString(text) > shownLength {
		text = string([]rune(text)[:shownLength-1]) + "…"
	}
	return OneWay(text)
}

// OneWay replaces the signs that turn the direction of what follows them, or begin a line where no line ends.
func OneWay(text string) string {
	return strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII && unicode.In(r, unicode.Bidi_Control, unicode.Zl, unicode.Zp, unicode.Cc) {
			return utf8.RuneError
		}
		return r
	}, text)
}

// named adds to a title the name that stands in the label and in the configuration.
func named(title, name string) string {
	if title == name {
		return shown(name)
	}
	return shown(title) + " (" + shown(name) + ")"
}

// span says how long d is, in the two largest units that matter.
func span(d time.Duration) string {
	const day = 24 * time.Hour
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

// took says how long a run or a phase lasted.
func took(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

// size says how many bytes n are.
func size(n int64) string {
	const kibi = 1 << 10
	switch {
	case n < kibi:
		return fmt.Sprintf("%d B", n)
	case n < kibi*kibi:
		return fmt.Sprintf("%.1f KiB", float64(n)/kibi)
	}
	return fmt.Sprintf("%.1f MiB", float64(n)/(kibi*kibi))
}

// moment is a point in time, and how far from the page's own it is.
type moment struct {
	At   time.Time
	Away string // such as 3 h 5 min
}

// momentOf returns nil for no time at all.
func momentOf(at, now time.Time) *moment {
	if at.IsZero() {
		return nil
	}
	return &moment{at.UTC(), span(now.Sub(at).Abs())}
}

// ISO is for machines.
func (m *moment) ISO() string { return m.At.Format(time.RFC3339) }

// Clock is for people.
func (m *moment) Clock() string { return m.At.Format("2006-01-02 15:04:05 UTC") }
