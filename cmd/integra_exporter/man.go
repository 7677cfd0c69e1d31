package main

import (
	"io"
	"strings"
	"text/template"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
)

// manual writes the page that `man` shows. Kingpin's own has a version of several lines for
// a title, no description of the program and no examples.
func manual(app *kingpin.Application, out io.Writer) error {
	app.UsageWriter(out).UsageFuncs(template.FuncMap{
		"Roff":     roff,
		"Version":  func() string { return version.Version },
		"Examples": func() string { return beginnings },
	})
	parsed, err := app.ParseContext(nil)
	if err != nil {
		return err
	}
	return app.UsageForContextWithTemplate(parsed, 0, manTemplate)
}

// roff escapes what the language of man pages would take for a command, and keeps the lines that are indented as they are.
func roff(text string) string {
	var page strings.Builder
	kept := false
	for _, line := range strings.Split(strings.TrimSpace(strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(text)), "\n") {
		indented := strings.HasPrefix(line, "  ")
		switch {
		case indented && !kept:
			page.WriteString(".PP\n.nf\n")
		case !indented && kept:
			page.WriteString(".fi\n.PP\n")
		}
		kept = indented
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			line = `\&` + line
		}
		page.WriteString(line + "\n")
	}
	if kept {
		page.WriteString(".fi\n")
	}
	return strings.TrimSuffix(strings.ReplaceAll(page.String(), "\n\n", "\n.PP\n"), "\n")
}

const manTemplate = `{{define "Flags"}}{{range .Flags}}{{if not .Hidden -}}
.TP
\fB{{if .Short}}\-{{.Short|Char}}, {{end}}\-\-{{.Name|Roff}}{{if not .IsBoolFlag}}={{.FormatPlaceHolder|Roff}}{{end}}\fR
{{.Help|Roff}}
{{end}}{{end}}{{end -}}
.TH {{.App.Name}} 1 "" "{{.App.Name}} {{Version|Roff}}" "User Commands"
.SH NAME
{{.App.Name}} \- {{.App.Help|Roff}}
.SH SYNOPSIS
.B {{.App.Name}}
[\fIflags\fR] [\fIcommand\fR] [\fIflags\fR]
.SH DESCRIPTION
{{Examples|Roff}}
.SH OPTIONS
These are known to every command.
{{template "Flags" .App -}}
.SH COMMANDS
{{range .App.FlattenedCommands}}{{if not .Hidden -}}
.SS {{.FullCommand|Roff}}
{{.Help|Roff}}
{{template "Flags" . -}}
.PP
{{.HelpLong|Roff}}
{{end}}{{end -}}
.SH EXIT STATUS
0 on success; 1 if a check failed; 2 if the command cannot start: wrong flags, configuration or address.
`
