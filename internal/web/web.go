// Package web is what the exporter shows over HTTP.
package web

import (
	"io"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
)

// Options is what the pages show and what they may do. Reload is nil unless reloading over HTTP is switched on.
// Targets and Institutions return copies.
type Options struct {
	TelemetryPath string
	Metrics       http.Handler
	Targets       func() []state.Target // sorted by institution, kind and name
	Target        func(probe.Target) (row state.Target, known bool)
	History       func(probe.Target) (runs, failures []state.Run) // newest first
	Institutions  func() []state.Institution
	Configured    func(probe.Target) view.Configuration
	Health        func() Health
	Probing       Probing
	Ready         func() bool
	Reload        func() error
	Pprof         bool
}

// Handler returns the handler of all endpoints.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	s := newSite(o)
	pages, metrics := bounded(), bounded() // who asks for pages without end takes no scrape's place
	mux.Handle("GET /{$}", pages(s.index))
	mux.Handle("GET /target", pages(s.target))
	mux.Handle("GET /api/v1/targets", pages(s.targets))
	mux.HandleFunc("GET /probe", s.probe)
	mux.Handle("GET /sd", pages(s.discover))
	mux.Handle("GET "+o.TelemetryPath, metrics(o.Metrics.ServeHTTP))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "healthy") })
	mux.HandleFunc("GET /-/ready", ready(o.Ready))
	mux.HandleFunc("POST /-/reload", reload(o.Reload))
	if o.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("GET "+pprofSymbol, pprof.Symbol)
		mux.HandleFunc("POST "+pprofSymbol, pprof.Symbol)
	}
	return guarded(http.NewCrossOriginProtection().Handler(mux)) // another site's page cannot make a browser reload
}

const pprofSymbol = "/debug/pprof/symbol" // the one that takes a body

// guarded sets the headers that keep a page from being used for anything else.
func guarded(next http.Handler) http.Handler {
	headers := map[string]string{
		"Content-Security-Policy":      policy(),
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		if r.ContentLength != 0 && r.URL.Path != pprofSymbol {
			unread(w)
		}
		next.ServeHTTP(w, r)
	})
}

// unread ends the connection with the answer: nothing here reads a request's body, and who
// holds one back would hold the connection.
func unread(w http.ResponseWriter) {
	w.Header().Set("Connection", "close")
	_ = http.NewResponseController(w).SetReadDeadline(time.Now()) // HTTP/2 has streams instead, and no such deadline
}

func ready(isReady func() bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if !isReady() {
			say(w, http.StatusServiceUnavailable, "not ready: no configuration is loaded")
			return
		}
		say(w, http.StatusOK, "ready")
	}
}

func reload(load func() error) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if load == nil {
			say(w, http.StatusForbidden, "reloading over HTTP is off: start with --web.enable-lifecycle")
			return
		}
		err := load()
		if err != nil {
			say(w, http.StatusInternalServerError, "the configuration is not usable and nothing has changed:\n"+err.Error())
			return
		}
		say(w, http.StatusOK, "reloaded")
	}
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}
