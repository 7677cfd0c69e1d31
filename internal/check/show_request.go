package check

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/exporter"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// showRequests writes what the checks would send, as commands for shell, each
// under a comment that says what it is. It sends nothing.
func showRequests(w io.Writer, loaded *config.Config, checks []probe.Check, shell string) error {
	format := (*view.Request).Curl
	if shell == "powershell" {
		format = (*view.Request).PowerShell
	}
	commands := commandsOf(loaded)
	var text bytes.Buffer
	for i, check := range checks {
		for j, c := range commands[check.Target] {
			if i+j > 0 {
				text.WriteByte('\n')
			}
			_, _ = fmt.Fprintf(&text, "# %s: %s\n", fullName(check.Target), view.Sanitize(c.comment))
			if c.request != nil {
				writeCommand(&text, format(c.request))
			}
		}
	}
	_, err := text.WriteTo(w)
	if err != nil {
		return fmt.Errorf("cannot write the requests: %w", err)
	}
	return nil
}

func writeCommand(w io.Writer, command string) {
	for _, mark := range exporter.Placeholders() {
		if strings.Contains(command, mark) {
			_, _ = fmt.Fprintf(w, "# %s marks what is not shown\n", mark)
		}
	}
	_, _ = fmt.Fprintln(w, command)
}

// commented is a request with a comment; the request is nil where nothing goes over HTTP.
type commented struct {
	comment string
	request *view.Request
}

// commandsOf returns what each target sends.
func commandsOf(loaded *config.Config) map[probe.Target][]commented {
	commands := map[probe.Target][]commented{}
	for _, a := range loaded.APIs() {
		commands[a.Target] = []commented{{"$KEY is the key, from " + a.Key.String(), exporter.RequestOf(&a, true)}}
		refused := "must be refused with HTTP status " + strings.Trim(fmt.Sprint(a.Unauthenticated.Status), "[]")
		commands[a.Auth.Target] = []commented{
			{"without a key, " + refused, exporter.RequestOf(&a, false)},
			{"with a wrong key, " + refused, withWrongKey(&a)},
		}
	}
	for _, m := range loaded.RabbitMQ {
		commands[m.Target] = []commented{{comment: "no HTTP request: this check logs in to a broker"}}
	}
	for _, k := range loaded.Keys {
		commands[k.Target] = []commented{{comment: "no HTTP request: this check reads when a credential expires"}}
	}
	return commands
}

// wrongKey has the shape of Gravitee's keys. The probe makes up another each time.
const wrongKey = "00000000-0000-4000-8000-000000000000"

func withWrongKey(a *config.API) *view.Request {
	request := exporter.RequestOf(a, false)
	request.Headers = append(request.Headers, view.Header{Name: a.KeyHeader, Value: wrongKey})
	return request
}
