package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
)

//go:embed layout.html index.html target.html error.html
var pages embed.FS

//go:embed style.css
var styleSheet template.CSS

//go:embed refresh.js
var refreshScript template.JS

// head is what every page begins with.
type head struct {
	Title   string // the headline
	Tab     string // what the browser's tab and a screen reader say; empty: the headline
	Metrics string // where the metrics are, relative to the page
	Now     *moment
	Version string
	Style   template.CSS
	Script  template.JS
}

// site is all pages, ready to be filled in.
type site struct {
	Options
	pages *template.Template
}

func newSite(o Options) *site {
	return &site{o, template.Must(template.ParseFS(pages, "*.html"))}
}

func (s *site) head(now time.Time) head {
	return head{
		Metrics: "./" + strings.TrimPrefix(s.TelemetryPath, "/"), Now: momentOf(now, now), Version: s.Health().Version,
		Style: styleSheet, Script: refreshScript,
	}
}

// show answers with the page of that name. It is made as a whole before any of it is sent.
func (s *site) show(w http.ResponseWriter, r *http.Request, status int, name string, content any) {
	var page bytes.Buffer
	err := s.pages.ExecuteTemplate(&page, name, content)
	if err != nil {
		say(w, http.StatusInternalServerError, "the page could not be made")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	send(w, r, status, page.Bytes())
}

// errorPage is what error.html shows.
type errorPage struct {
	head
	Sentence string
}

// complain answers with a page that says what is wrong, and leads back.
func (s *site) complain(w http.ResponseWriter, r *http.Request, status int, sentence string) {
	p := errorPage{head: s.head(time.Now()), Sentence: sentence}
	p.Title = http.StatusText(status)
	s.show(w, r, status, "error.html", p)
}

// policy allows a page its own style and script and nothing else, from nowhere.
func policy() string {
	return "default-src 'none'; style-src " + digest(string(styleSheet)) + "; script-src " + digest(string(refreshScript)) +
		"; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// send answers with body, compressed where the reader takes it.
func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.Header().Add("Vary", "Accept-Encoding")
	if takesGzip(r) {
		w.Header().Set("Content-Encoding", "gzip")
		body = compressed(body)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the reader may have gone
}

// takesGzip says whether the request names gzip as welcome.
func takesGzip(r *http.Request) bool {
	for _, part := range strings.Split(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		coding, weight, weighted := strings.Cut(part, ";")
		if strings.TrimSpace(strings.ToLower(coding)) == "gzip" {
			q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
			return !weighted || err == nil && q > 0
		}
	}
	return false
}

func compressed(body []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // the only error is a level that there is not
	_, _ = z.Write(body)                            // to memory
	_ = z.Close()
	return b.Bytes()
}
