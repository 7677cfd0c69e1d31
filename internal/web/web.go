// Package web is what the exporter shows over HTTP.
package web

import (
	_ "embed"
	"html/template"
	"io"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/state"
)

// Options is what the pages show and what they may do. Reload is nil unless reloading over HTTP is switched on.
// Rejected returns when a configuration was rejected, and when the one in force was loaded; zero times if none was.
type Options struct {
	TelemetryPath string
	Metrics       http.Handler
	Targets       func() []state.Target
	Ready         func() bool
	Rejected      func() (at, inForce time.Time)
	Reload        func() error
	Pprof         bool
}

// Handler returns the handler of all endpoints.
func Handler(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", index(o))
	mux.Handle("GET "+o.TelemetryPath, o.Metrics)
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "healthy") })
	mux.HandleFunc("GET /-/ready", ready(o.Ready))
	mux.HandleFunc("POST /-/reload", reload(o.Reload))
	if o.Pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	}
	return guarded(mux)
}

// guarded sets the headers that keep a page from being used for anything else.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
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

//go:embed index.html
var indexHTML string

func index(o Options) http.Handler {
	page := template.Must(template.New("index").Parse(indexHTML))
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		p := overview(o.Targets(), o.TelemetryPath)
		p.reject(o.Rejected())
		_ = page.Execute(w, p) // the reader has gone
	})
}
