package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// rivals measures a probe against the floor and against blackbox_exporter.
type rivals struct{ blackbox string }

const probeText = `CPU time of this process for one probe of kind api over HTTPS: an answer of 2 KiB of JSON, read and checked. The
floor is bare net/http with one shared Transport, no session resumption, io.ReadAll and json.Valid. Cold: a new
connection each time, as configured by default. Warm: ` + "`connection: reuse`" + `.`

const rivalText = `The same cold request by blackbox_exporter (%s; no redirects, HTTP/1.1, the body held against a regular expression),
asked for through /probe. What it needs is CPU time of its process, its own HTTP server included; so is what
the exporter needs when asked in the same way (` + "`--no-schedule`" + `). The first row is a probe as the exporter's own
schedule runs it, with no request that asks for it; the second says what share of blackbox_exporter's time bare net/http
needs. Go offers a post-quantum key exchange since 1.24, which is dear; the rows with ` + "`tlsmlkem=0`" + ` do without it, as a
blackbox_exporter built by an older Go does.`

func (r rivals) measure(ctx context.Context, quick bool) ([]chapter, error) {
	rounds, calls := 60, 150
	if quick {
		rounds, calls = 5, 20
	}
	release, err := pinSelf(ourProcessor)
	if err != nil {
		return nil, err
	}
	defer release()
	g, err := startGateway(ctx)
	if err != nil {
		return nil, err
	}
	defer g.stop()
	cold, err := againstFloor(ctx, g, false, rounds, calls)
	if err != nil {
		return nil, err
	}
	warm, err := againstFloor(ctx, g, true, rounds, 10*calls)
	if err != nil {
		return nil, err
	}
	rival, err := r.againstBlackbox(ctx, g, rounds/3+1, calls)
	if err != nil {
		return nil, err
	}
	return []chapter{{"A probe", probeText, []row{
		atMost("CPU per cold probe / bare net/http", cold.ratio(1), 1.05),
		atMost("CPU per warm probe / bare net/http, warm", warm.ratio(1), 1.15),
		{"CPU of a cold request: bare, probe", cold.micros(0) + ", " + cold.micros(1), "", ""},
		{"CPU of a warm request: bare, probe", warm.micros(0) + ", " + warm.micros(1), "", ""},
	}}, rival}, nil
}

// againstFloor measures the floor, then ours.
func againstFloor(ctx context.Context, g *gateway, reuse bool, rounds, calls int) (measured, error) {
	bare, err := floor(g, reuse)
	if err != nil {
		return nil, err
	}
	probe, err := ours(g, reuse)
	if err != nil {
		return nil, err
	}
	return compare(ctx, []side{{"floor", 0, bare}, {"probe", 0, probe}}, rounds, calls)
}

func (r rivals) againstBlackbox(ctx context.Context, g *gateway, rounds, calls int) (chapter, error) {
	c := chapter{Title: "Beside blackbox_exporter", Text: "Left out: blackbox_exporter was not found."}
	program := r.program()
	if program == "" {
		return c, nil
	}
	theirs, err := startBlackbox(ctx, program, g)
	if err != nil {
		return c, err
	}
	defer theirs.stop()
	c.Text = fmt.Sprintf(rivalText, version(ctx, program))
	for _, debug := range []string{"", withoutMLKEM} {
		rows, err := beside(ctx, g, theirs, debug, rounds, calls)
		if err != nil {
			return c, err
		}
		c.Rows = append(c.Rows, rows...)
	}
	return c, nil
}

// withoutMLKEM takes the post-quantum half out of the key exchange, which Go has offered since 1.24.
const withoutMLKEM = "tlsmlkem=0"

// beside holds what we have against blackbox_exporter; debug is our GODEBUG.
func beside(ctx context.Context, g *gateway, theirs *exporter, debug string, rounds, calls int) ([]row, error) {
	before := os.Getenv("GODEBUG")
	defer func() { _ = os.Setenv("GODEBUG", before) }()
	err := os.Setenv("GODEBUG", debug) // the exporter inherits it
	if err != nil {
		return nil, err
	}
	own, err := startExporter(ctx, g)
	if err != nil {
		return nil, err
	}
	defer own.stop()
	bare, err := floor(g, false)
	if err != nil {
		return nil, err
	}
	probe, err := ours(g, false)
	if err != nil {
		return nil, err
	}
	m, err := compare(ctx, []side{
		{"blackbox_exporter", theirs.pid(), theirs.ask},
		{"probe", 0, probe},
		{"floor", 0, bare},
		{"exporter", own.pid(), own.ask},
	}, rounds, calls)
	if err != nil {
		return nil, err
	}
	micros := strings.Join([]string{m.micros(0), m.micros(1), m.micros(2), m.micros(3)}, ", ")
	if debug != "" {
		debug = ", " + debug
	}
	return []row{
		atMost("CPU per cold probe / blackbox_exporter"+debug, m.ratio(1), 0.5),
		{"CPU per cold request of bare net/http / blackbox_exporter" + debug, m.ratio(2).String(), "", ""},
		{"CPU per cold /probe of the exporter / blackbox_exporter" + debug, m.ratio(3).String(), "", ""},
		{"CPU: blackbox_exporter, probe, bare net/http, exporter" + debug, micros, "", ""},
	}, nil
}

// program is where blackbox_exporter is; empty: nowhere.
func (r rivals) program() string {
	for _, name := range []string{r.blackbox, "prometheus-blackbox-exporter", "blackbox_exporter"} {
		path, err := exec.LookPath(name)
		if err == nil {
			return path
		}
	}
	return ""
}
