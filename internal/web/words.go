package web

import (
	"time"

	"github.com/integra-exporter/integra_exporter/internal/view"
)

// named adds to a title the name that stands in the label and in the configuration.
func named(title, name string) string {
	if title == name {
		return view.Printable(name)
	}
	return view.Printable(title) + " (" + view.Printable(name) + ")"
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
	return &moment{at.UTC(), view.FormatAge(now.Sub(at).Abs())}
}

// ISO is for machines.
func (m *moment) ISO() string { return m.At.Format(time.RFC3339) }

// Clock is for people.
func (m *moment) Clock() string { return m.At.Format("2006-01-02 15:04:05 UTC") }
