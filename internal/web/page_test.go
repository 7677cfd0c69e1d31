package web_test

import (
	"html"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

type errForeign struct{}

func (errForeign) Error() string { return "canary" }

// rowOf is a target that ran runs times, the last time ten seconds ago, and has been like this for two hours.
func rowOf(institution, kind, name string, err error, runs uint64) state.Target {
	now := time.Now()
	t := state.Target{
		Target:   probe.Target{Institution: institution, Kind: kind, Name: name},
		Info:     probe.Info{InstitutionTitle: "Title of " + institution, Title: "Title of " + name, Address: "https://gw-" + institution + ":443"},
		Interval: time.Minute, Timeout: 15 * time.Second, Runs: runs,
	}
	if runs > 0 {
		t.Last = probe.Result{Start: now.Add(-11 * time.Second), Duration: time.Second, Err: err}
		t.Since = now.Add(-2*time.Hour - 5*time.Minute)
	}
	return t
}

// world are options that show targets.
func world(targets ...state.Target) web.Options {
	o := options()
	o.Targets = func() []state.Target { return append([]state.Target{}, targets...) }
	o.Target = func(asked probe.Target) (state.Target, bool) {
		for _, row := range targets {
			if row.Target == asked {
				return row, true
			}
		}
		return state.Target{}, false
	}
	return o
}

// get answers without a network, and so inside a bubble of synctest too.
func get(t *testing.T, o web.Options, path string) string {
	t.Helper()
	w := httptest.NewRecorder()
	web.Handler(o).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	if w.Code != 200 {
		t.Fatalf("%s: status %d", path, w.Code)
	}
	return w.Body.String()
}

var (
	tag   = regexp.MustCompile(`<[^>]*>`)
	space = regexp.MustCompile(`[ \t]+`)
	empty = regexp.MustCompile(`\s*\n\s*`)
)

// textOf returns the text of a page's main element: a | after each cell, a line for each block.
func textOf(t *testing.T, source string) string {
	t.Helper()
	_, main, found := strings.Cut(source, "<main")
	main, _, closed := strings.Cut(main, "</main>")
	if !found || !closed {
		t.Fatalf("no main element:\n%s", source)
	}
	_, main, _ = strings.Cut(main, ">")
	for _, end := range []string{"</td>", "</th>", "</dt>"} {
		main = strings.ReplaceAll(main, end, " | ")
	}
	for _, end := range []string{"</h1>", "</h2>", "</h3>", "</p>", "</li>", "</tr>", "</dd>"} {
		main = strings.ReplaceAll(main, end, "\n")
	}
	main = html.UnescapeString(tag.ReplaceAllString(main, ""))
	return strings.Trim(empty.ReplaceAllString(space.ReplaceAllString(main, " "), "\n"), " \n")
}

// section returns the part of a page's text from one line to another, without the latter.
func sectionOf(t *testing.T, text, from, to string) string {
	t.Helper()
	_, part, found := strings.Cut("\n"+text, "\n"+from+"\n")
	part, _, ended := strings.Cut(part, "\n"+to)
	if !found || !ended {
		t.Fatalf("no section from %q to %q:\n%s", from, to, text)
	}
	return part
}
