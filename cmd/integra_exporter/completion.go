package main

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/exporter"
	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// targetHints completes a flag with the names of targets in the configuration; with nothing if it has faults.
func targetHints(common commonFlags, of func(probe.Target) string) kingpin.HintAction {
	return func() []string {
		loaded, err := config.Load(*common.configFile, exporter.NewShared())
		if err != nil {
			return nil
		}
		// The script has the shell expand what is offered, and names may come from elsewhere: a $( ) must not run.
		plain := regexp.MustCompile(`^[\p{L}\p{N}._-]+$`)
		names := map[string]bool{}
		for _, check := range loaded.Checks() {
			name := of(check.Target)
			if plain.MatchString(name) {
				names[name] = true
			}
		}
		return slices.Sorted(maps.Keys(names))
	}
}

// completing returns the words that are to be completed, the last of them begun; nil if nothing is.
// Bash hands --kind=a over as three words.
func completing(args []string) []string {
	if len(args) < 2 || args[0] != "--completion-bash" {
		return nil
	}
	words := slices.DeleteFunc(slices.Clone(args[1:]), func(word string) bool { return word == "=" })
	if args[len(args)-1] == "=" {
		words = append(words, "")
	}
	return words
}

// completesCommand says whether the last word is a command's. Kingpin would take it for one of the default command.
func completesCommand(app *kingpin.Application, words []string) bool {
	if len(words) == 0 || strings.HasPrefix(words[len(words)-1], "-") {
		return false
	}
	before := words[:len(words)-1]
	if len(before) == 0 {
		return true
	}
	last := before[len(before)-1]
	named := slices.ContainsFunc(before, func(word string) bool { return app.GetCommand(word) != nil })
	return last == "help" || !named && !strings.HasPrefix(last, "-")
}

// commandNames returns the commands of ours, in the order of the help.
func commandNames(app *kingpin.Application) []string {
	var names []string
	for _, c := range app.Model().Commands {
		if c.Name != "help" { // which only a parser that has run knows
			names = append(names, c.Name)
		}
	}
	return names
}

func institutionOf(t probe.Target) string { return t.Institution }

func nameOf(t probe.Target) string { return t.Name }
