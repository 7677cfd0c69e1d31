package main

import (
	"html/template"
	"io"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
)

// helpTemplate is kingpin's, with examples and the flags of the default command, which need no command.
func helpTemplate() string {
	return kingpin.DefaultUsageTemplate + `{{if not .Context.SelectedCommand}}{{range .App.FlattenedCommands}}{{if .Default -}}
Flags of {{.FullCommand}}, the default command:
{{.Flags|FlagsToTwoColumns|FormatTwoColumns}}
{{end}}{{end}}` + beginnings + `{{else if .Context.SelectedCommand.HelpLong -}}
{{.Context.SelectedCommand.HelpLong}}{{end}}`
}

const beginnings = `To begin:
  integra_exporter demo                      runs it against a simulated platform; needs no configuration
  integra_exporter check-config              says what is wrong with config.yml
  integra_exporter check --institution=uio   runs every check of uio once, now
  integra_exporter check --help              explains a command and its flags
`

// examples are what is shown at the end of the help of a command.
func examples() map[string]string {
	return map[string]string{
		"serve": `http://localhost:10056/ shows what fails and why; Prometheus scrapes /metrics.
SIGHUP reloads the configuration.

Examples:
  integra_exporter --config.file=/etc/integra_exporter/config.yml
  integra_exporter --web.listen-address=127.0.0.1:10056 --web.enable-lifecycle
`,
		"check": `A target is named by institution, kind and name, as in the table that is printed:
kind api calls the API, auth calls it without its key, rabbitmq logs in to the broker,
key reads when a credential expires.

Examples:
  integra_exporter check --institution=uio --kind=api
  integra_exporter check --watch --target=fs                does the repair help?
  integra_exporter check --show-request=curl --target=fs    what would be sent?
  integra_exporter check --output=json                      for scripts
`,
		"check-config": `Every fault is a line: file:line: what is wrong. Keys and passwords are read, nothing is sent.

Examples:
  integra_exporter check-config
  integra_exporter check-config --config.file=new.yml
`,
		"config-schema": `Write it beside the configuration, whose first line should be
# yaml-language-server: $schema=config.schema.json

Examples:
  integra_exporter config-schema > config.schema.json
`,
		"demo": `Everything is simulated in this process, on loopback addresses: gateways, a broker,
an API manager, and faults of every kind that come and go.

Examples:
  integra_exporter demo
  integra_exporter demo --write-config=/tmp/demo
  integra_exporter check --config.file=/tmp/demo/config.yml   beside it
`,
		"discover": `Create the token in the API manager under "My account". Look at every line with a
GUESS before you use the output.

Examples:
  integra_exporter discover --institution=uio --gravitee.application=ID \
    --gravitee.url=https://api-mgmt-uio.example.no/management \
    --gravitee.token-file=token --write-keys=keys > config.yml
`,
	}
}

// manual writes the manual page. Kingpin's own has a version of several lines for
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

// roff escapes what roff would read as a request, and keeps indented lines as they are.
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
Every command takes these.
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
