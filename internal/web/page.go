package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/view"
)

//go:embed layout.html index.html target.html error.html
var pages embed.FS

//go:embed style.css
var styleSheet template.CSS

//go:embed refresh.js
var refreshScript template.JS

// site answers the requests; it holds the parsed templates of the pages.
type site struct {
	Options
	pages *template.Template
}

func newSite(o Options) *site {
	return &site{o, template.Must(template.ParseFS(pages, "*.html"))}
}

// errorPage is what error.html shows.
type errorPage struct {
	head
	Sentence string
}

// showError answers with a page that says what is wrong and links to the status page.
func (s *site) showError(w http.ResponseWriter, r *http.Request, status int, sentence string) {
	p := errorPage{head: s.head(time.Now()), Sentence: sentence}
	p.Title = http.StatusText(status)
	s.show(w, r, status, "error.html", p)
}

// head is the part that all pages have in common.
type head struct {
	Title   string // the headline
	Tab     string // title of the browser's tab, which a screen reader reads first; empty: the headline
	Metrics string // address of the metrics, relative to the page
	Now     *timestamp
	Version string
	Style   template.CSS
	Script  template.JS
}

func (s *site) head(now time.Time) head {
	return head{
		Metrics: "./" + strings.TrimPrefix(s.TelemetryPath, "/"), Now: timestampOf(now, now), Version: s.Health().Version,
		Style: styleSheet, Script: refreshScript,
	}
}

// show answers with the page that the template of that name makes of content. It sends nothing before the page is complete.
func (s *site) show(w http.ResponseWriter, r *http.Request, status int, name string, content any) {
	var page bytes.Buffer
	err := s.pages.ExecuteTemplate(&page, name, content)
	if err != nil {
		writeText(w, http.StatusInternalServerError, "the page could not be rendered")
		return
	}
	writeBody(w, r, status, "text/html; charset=utf-8", page.Bytes())
}

// contentSecurityPolicy allows a page its own style and script and nothing else, from nowhere.
func contentSecurityPolicy() string {
	return "default-src 'none'; style-src " + digest(string(styleSheet)) + "; script-src " + digest(string(refreshScript)) +
		"; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// titled returns title followed by the name that metrics and configuration use.
func titled(title, name string) string {
	if title == name {
		return view.Printable(name)
	}
	return view.Printable(title) + " (" + view.Printable(name) + ")"
}

// timestamp is a time with its distance from the time of the page.
type timestamp struct {
	At       time.Time
	Distance string // such as 3 h 5 min
}

// timestampOf returns nil for the zero time.
func timestampOf(at, now time.Time) *timestamp {
	if at.IsZero() {
		return nil
	}
	return &timestamp{at.UTC(), view.FormatAge(now.Sub(at).Abs())}
}

// ISO is for machines.
func (t *timestamp) ISO() string { return t.At.Format(time.RFC3339) }

// Clock is for people.
func (t *timestamp) Clock() string { return t.At.Format("2006-01-02 15:04:05 UTC") }
