package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// chapter is one table of the report.
type chapter struct {
	Title, Text string
	Rows        []row
}

// row is one line of a table. Reached is "yes" or "no", and empty where there is no goal.
type row struct{ What, Measured, Goal, Reached string }

// introduction stands above the sections, which begin with a mark each.
const introduction = `# Benchmarks

Written by ` + "`make bench`" + `; one part anew: ` + "`go run ./internal/bench -only probe`" + ` (probe, rabbitmq, truth, memory, scrape, fleet).
` + "`-quick`" + ` shows in a minute that everything works and writes nothing.

Machines are noisy. So whatever can be is a ratio: the two sides take turns in short blocks, each block gives one
ratio to its neighbour, and the table shows the median of all of them and, in brackets, between which values the middle half lies.
What the sides talk to runs in a process of its own, on the second processor where there is one.
`

func mark(name string) string { return "<!-- part: " + name + " -->\n" }

// section is what a part found, with where and when.
func section(chapters []chapter, where string) string {
	var b strings.Builder
	for _, c := range chapters {
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", c.Title, strings.TrimSpace(c.Text))
		writeTable(&b, c.Rows)
	}
	fmt.Fprintf(&b, "%s\n", where)
	return b.String()
}

func writeTable(b *strings.Builder, rows []row) {
	if len(rows) == 0 {
		return
	}
	b.WriteString("| what | measured | goal | reached |\n|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", r.What, r.Measured, r.Goal, r.Reached)
	}
	b.WriteString("\n")
}

// replaceSection puts text where the section of that name stood in file. Sections stand in the order of names.
func replaceSection(file string, names []string, name, text string) error {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	sections := map[string]string{}
	for _, n := range names {
		_, rest, _ := strings.Cut(string(old), mark(n))
		body, _, _ := strings.Cut(rest, "<!-- part: ")
		sections[n] = body
	}
	sections[name] = text
	document := introduction
	for _, n := range names {
		if sections[n] != "" {
			document += "\n" + mark(n) + strings.TrimSpace(sections[n]) + "\n"
		}
	}
	return os.WriteFile(file, []byte(document), 0o644) //nolint:gosec // for everybody to read
}
