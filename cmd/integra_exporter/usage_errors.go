package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/integra-exporter/integra_exporter/internal/config"
)

// parse is app.Parse with errors that name the flag and say what to do.
func parse(app *kingpin.Application, args []string) (name string, err error) {
	for i, arg := range args {
		if completing(args) == nil && lacksValue(app, arg, args[i+1:]) {
			return "", fmt.Errorf("expected argument for flag '%s'", arg)
		}
	}
	name, err = app.Parse(args)
	if err != nil {
		return "", withAdvice(app, args, err)
	}
	return name, nil
}

// lacksValue finds what kingpin overlooks: where it could still be a flag of the
// default command, one of every command without its value is dropped in silence.
func lacksValue(app *kingpin.Application, arg string, rest []string) bool {
	flag := app.GetFlag(strings.TrimPrefix(arg, "--"))
	return strings.HasPrefix(arg, "--") && flag != nil && !flag.Model().IsBoolFlag() &&
		(len(rest) == 0 || strings.HasPrefix(rest[0], "--"))
}

var (
	unknownFlag    = regexp.MustCompile(`^unknown long flag '--(.*)'$`)
	unexpectedWord = regexp.MustCompile(`^unexpected (?:argument )?'?(.*?)'?$`)
)

func withAdvice(app *kingpin.Application, args []string, err error) error {
	flag, word := unknownFlag.FindStringSubmatch(err.Error()), unexpectedWord.FindStringSubmatch(err.Error())
	switch {
	case flag != nil:
		return fmt.Errorf("%w%s", err, suggestFlag(app, commandIn(app, args), flag[1]))
	case word != nil:
		return fmt.Errorf("%w%s", err, suggestCommand(app, commandIn(app, args), word[1]))
	}
	return fmt.Errorf("%s%w%s", refusedBy(app, args, err), err, expectation(err))
}

// commandIn returns the command that args name, serve if none.
func commandIn(app *kingpin.Application, args []string) *kingpin.CmdModel {
	for _, arg := range args {
		cmd := app.GetCommand(arg)
		if cmd != nil {
			return cmd.Model()
		}
	}
	return app.GetCommand("serve").Model()
}

// suggestFlag names the flag that may have been meant, or the commands that have it.
func suggestFlag(app *kingpin.Application, cmd *kingpin.CmdModel, wrong string) string {
	known := append(flagNames(app.Model().FlagGroupModel), flagNames(cmd.FlagGroupModel)...)
	var owners []string
	for _, other := range app.Model().Commands {
		if slices.Contains(flagNames(other.FlagGroupModel), wrong) {
			owners = append(owners, other.Name)
		}
	}
	if owners != nil {
		return "; it is a flag of " + strings.Join(owners, " and ") + ", not of " + cmd.Name
	}
	guess := config.Nearest(wrong, known)
	if guess == "" {
		return ""
	}
	return "; did you mean --" + guess + "?"
}

// flagNames returns the flags that help shows.
func flagNames(group *kingpin.FlagGroupModel) []string {
	var names []string
	for _, f := range group.Flags {
		if !f.Hidden {
			names = append(names, f.Name)
		}
	}
	return names
}

// suggestCommand names the command that may have been meant.
func suggestCommand(app *kingpin.Application, cmd *kingpin.CmdModel, wrong string) string {
	names := commandNames(app)
	guess := config.Nearest(wrong, names)
	switch {
	case guess != "" && cmd.Default:
		return "; did you mean " + guess + "?"
	case cmd.Default:
		return "; the commands are " + strings.Join(names, ", ")
	}
	return "; " + cmd.Name + " takes only flags, written --flag=value"
}

// refusedBy names the flag that refused its value with err, which does not say so itself.
func refusedBy(app *kingpin.Application, args []string, err error) string {
	parsed, _ := app.ParseContext(args)
	if parsed == nil {
		return ""
	}
	for _, element := range parsed.Elements {
		flag, ok := element.Clause.(*kingpin.FlagClause)
		if !ok || element.Value == nil {
			continue
		}
		refusal := flag.Model().Value.Set(*element.Value)
		if refusal != nil && refusal.Error() == err.Error() {
			return "--" + flag.Model().Name + ": "
		}
	}
	return ""
}

// expectation says what a flag takes whose value was refused with err, where kingpin does not.
func expectation(err error) string {
	for _, row := range []struct{ sign, advice string }{
		{"time: ", "; give a duration such as 10s or 1m"},
		{"unrecognized log level", "; give one of debug, info, warn and error"},
		{"unrecognized log format", "; give logfmt or json"},
	} {
		if strings.HasPrefix(err.Error(), row.sign) {
			return row.advice
		}
	}
	return ""
}
