package main

import (
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alecthomas/kingpin/v2"
)

// Each command has examples, all of which parse, and its help fits a terminal.
func TestHelpTeaches(t *testing.T) {
	app, _, commands := commandLine(output{out: io.Discard, err: io.Discard})
	texts := examples()
	texts[""] = beginnings
	for name, text := range texts {
		shown := exampleArgs(text)
		if len(shown) == 0 {
			t.Errorf("%s has no example", name)
		}
		for _, args := range shown {
			parsed, err := app.ParseContext(args)
			if err != nil || name != "" && name != "demo" && parsed.SelectedCommand.FullCommand() != name {
				t.Errorf("%s: %v is no example: %v", name, args, err)
			}
		}
	}
	for name := range commands {
		help := call(t, "help", name).out
		if !strings.HasSuffix(help, texts[name]) || texts[name] == "" {
			t.Errorf("help %s does not end with its examples:\n%s", name, help)
		}
		for _, line := range strings.Split(texts[name], "\n") {
			if utf8.RuneCountInString(line) > 100 {
				t.Errorf("%s: wider than a terminal: %s", name, line)
			}
		}
	}
}

// exampleArgs returns the arguments of each line that calls the program.
func exampleArgs(text string) [][]string {
	var all [][]string
	joined := strings.ReplaceAll(text, "\\\n   ", "")
	for _, row := range regexp.MustCompile(`(?m)^  integra_exporter(.*)$`).FindAllStringSubmatch(joined, -1) {
		line, _, _ := strings.Cut(row[1], "  ") // what it is for
		line, _, _ = strings.Cut(line, " > ")
		all = append(all, strings.Fields(line))
	}
	return all
}

// Every flag says what it is for, in a sentence.
func TestFlagsAreExplained(t *testing.T) {
	app, _, commands := commandLine(output{out: io.Discard, err: io.Discard})
	groups := []*kingpin.FlagGroupModel{app.Model().FlagGroupModel}
	for name := range commands {
		groups = append(groups, app.GetCommand(name).Model().FlagGroupModel)
	}
	for _, group := range groups {
		for _, f := range group.Flags {
			if !f.Hidden && len(f.Help) < 20 {
				t.Errorf("--%s: %q", f.Name, f.Help)
			}
		}
	}
}

func pageHasEverything(t *testing.T, page string) {
	t.Helper()
	app, _, commands := commandLine(output{out: io.Discard, err: io.Discard})
	wanted := flagNames(app.Model().FlagGroupModel)
	for name := range commands {
		if !strings.Contains(page, "\n   "+name+"\n") {
			t.Errorf("no command %s:\n%s", name, page)
		}
		wanted = append(wanted, flagNames(app.GetCommand(name).Model().FlagGroupModel)...)
		for _, args := range exampleArgs(examples()[name]) {
			if !strings.Contains(page, "integra_exporter "+strings.Join(args, " ")) && len(args) < 4 {
				t.Errorf("no example %v", args)
			}
		}
	}
	for _, flag := range wanted {
		if !regexp.MustCompile(`(?m)^ +(-h, )?--` + regexp.QuoteMeta(flag) + `(=|$)`).MatchString(page) {
			t.Errorf("no flag --%s", flag)
		}
	}
}

func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		"plain":            "plain",
		".TH and\n'quoted": "\\&.TH and\n\\&'quoted",
		`a\b --c`:          `a\eb \-\-c`,
		"a\n\nb":           "a\n.PP\nb",
		"a:\n  b   c\n  d": "a:\n.PP\n.nf\n  b   c\n  d\n.fi",
		"a:\n  b\nc":       "a:\n.PP\n.nf\n  b\n.fi\n.PP\nc",
	} {
		if got := roff(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
