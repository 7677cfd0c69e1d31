package web_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

// options are those of an exporter that is ready and has no targets.
func options() web.Options {
	return web.Options{
		TelemetryPath: "/metrics",
		Metrics:       http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the metrics\n") }),
		Targets:       func() []state.Target { return nil },
		Target:        func(probe.Target) (state.Target, bool) { return state.Target{}, false },
		History:       func(probe.Target) (runs, failures []state.Run) { return nil, nil },
		Institutions:  func() []state.Institution { return nil },
		Configured:    func(probe.Target) view.Configuration { return view.Configuration{} },
		Health:        func() web.Health { return web.Health{Version: "1.2.3", Started: time.Now(), Loaded: time.Now()} },
		Ready:         func() bool { return true },
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends one request over a real connection.
func ask(t *testing.T, o web.Options, method, path string) answer {
	t.Helper()
	server := httptest.NewServer(web.Handler(o))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}

// endpoint is a request with what is answered.
type endpoint struct {
	options      web.Options
	method, path string
	status       int
	contentType  string
	body         string // exactly; "*…" says that it holds what follows
}

func pages() []endpoint {
	return []endpoint{
		{options(), "GET", "/", 200, "text/html; charset=utf-8", "*<h1 id=\"headline\">No target</h1>"},
		{options(), "HEAD", "/", 200, "text/html; charset=utf-8", ""},
		{options(), "GET", "/?institution=uio&institution=uib&kind=api&target=&state=failed", 200, "text/html; charset=utf-8", "*No target fits the filter."},
		{options(), "GET", "/?color=red", 400, "text/html; charset=utf-8", "*unknown parameter &#34;color&#34;"},
		{options(), "GET", "/?state=bad", 400, "text/html; charset=utf-8", "*there is no state &#34;bad&#34;: it is one of failed, waiting, ok"},
		{options(), "GET", "/?kind=ftp", 400, "text/html; charset=utf-8", "*one of api, auth, rabbitmq, key"},
		{options(), "GET", "/?target=a" + strings.Repeat("&target=a", 99), 200, "text/html; charset=utf-8", "*No target"},
		{options(), "GET", "/?target=a" + strings.Repeat("&target=a", 100), 400, "text/html; charset=utf-8", "*a parameter may be given at most 100 times"},
		{options(), "GET", "/api/v1/targets?target=a" + strings.Repeat("&target=a", 100), 400, "text/plain; charset=utf-8", "a parameter may be given at most 100 times\n"},
		{options(), "GET", "/?a=%zz", 400, "text/html; charset=utf-8", "*the query cannot be read"},
		{options(), "GET", "/target", 400, "text/html; charset=utf-8", "*give institution, kind and target, each once"},
		{options(), "GET", "/target?institution=a&kind=api&target=b&target=c", 400, "text/html; charset=utf-8", "*each once"},
		{options(), "GET", "/target?institution=a&kind=api&target=b&debug=true", 400, "text/html; charset=utf-8", "*unknown parameter"},
		{options(), "GET", "/target?institution=a&kind=api&target=b", 404, "text/html; charset=utf-8", "*There is no such target"},
		{options(), "GET", "/target?institution=a&kind=api&target=b", 404, "text/html; charset=utf-8", `*href="./"`},
		{options(), "GET", "/api/v1/targets", 200, "application/json", "[]\n"},
		{options(), "HEAD", "/api/v1/targets", 200, "application/json", ""},
		{options(), "GET", "/api/v1/targets?state=bad", 400, "text/plain; charset=utf-8", "there is no state \"bad\": it is one of failed, waiting, ok\n"},
		{options(), "GET", "/api/v1/targets?page=2", 400, "text/plain; charset=utf-8", "unknown parameter \"page\": there are institution, kind, target and state\n"},
		{options(), "GET", "/api/v1", 404, "text/plain; charset=utf-8", "*not found"},
	}
}

func operations() []endpoint {
	reloading, broken, unready, moved, profiled := options(), options(), options(), options(), options()
	reloading.Reload = func() error { return nil }
	broken.Reload = func() error { return errors.New("config.yml:3: one fault\nconfig.yml:7: another") }
	unready.Ready = func() bool { return false }
	moved.TelemetryPath = "/elsewhere"
	profiled.Pprof = true
	return []endpoint{
		{options(), "GET", "/metrics", 200, "text/plain; charset=utf-8", "the metrics\n"},
		{options(), "GET", "/-/healthy", 200, "text/plain; charset=utf-8", "healthy\n"},
		{unready, "GET", "/-/healthy", 200, "text/plain; charset=utf-8", "healthy\n"},
		{options(), "GET", "/-/ready", 200, "text/plain; charset=utf-8", "ready\n"},
		{unready, "GET", "/-/ready", 503, "text/plain; charset=utf-8", "not ready: no configuration is loaded\n"},
		{moved, "GET", "/elsewhere", 200, "text/plain; charset=utf-8", "the metrics\n"},
		{moved, "GET", "/metrics", 404, "text/plain; charset=utf-8", "*not found"},
		{moved, "GET", "/", 200, "text/html; charset=utf-8", `*href="./elsewhere"`},
		{options(), "POST", "/-/reload", 403, "text/plain; charset=utf-8", "*--web.enable-lifecycle"},
		{reloading, "POST", "/-/reload", 200, "text/plain; charset=utf-8", "reloaded\n"},
		{
			broken, "POST", "/-/reload", 500, "text/plain; charset=utf-8",
			"the configuration is not usable and nothing has changed:\nconfig.yml:3: one fault\nconfig.yml:7: another\n",
		},
		{options(), "GET", "/nowhere", 404, "text/plain; charset=utf-8", "*not found"},
		{options(), "GET", "/index.html", 404, "text/plain; charset=utf-8", "*not found"},
		{options(), "GET", "/debug/pprof/", 404, "text/plain; charset=utf-8", "*not found"},
		{options(), "GET", "/debug/pprof/goroutine", 404, "text/plain; charset=utf-8", "*not found"},
		{profiled, "GET", "/debug/pprof/", 200, "text/html; charset=utf-8", "*goroutine"},
		{profiled, "GET", "/debug/pprof/goroutine?debug=1", 200, "text/plain; charset=utf-8", "*goroutine profile"},
		{profiled, "POST", "/debug/pprof/symbol", 200, "text/plain; charset=utf-8", "*num_symbols"},
		{profiled, "GET", "/debug/pprof/cmdline", 404, "text/plain; charset=utf-8", "*Unknown profile"},
	}
}

func TestEndpoints(t *testing.T) {
	for _, c := range append(pages(), operations()...) {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			got := ask(t, c.options, c.method, c.path)
			if got.status != c.status || got.header.Get("Content-Type") != c.contentType {
				t.Errorf("%d %s, want %d %s", got.status, got.header.Get("Content-Type"), c.status, c.contentType)
			}
			part, partly := strings.CutPrefix(c.body, "*")
			if partly && !strings.Contains(got.body, part) || !partly && got.body != c.body {
				t.Errorf("body %q, want %q", got.body, c.body)
			}
		})
	}
}

func TestOtherMethodsAreRefused(t *testing.T) {
	called := false
	o := options()
	o.Reload = func() error { called = true; return nil }
	for _, c := range []struct{ method, path, allow string }{
		{"POST", "/", "GET, HEAD"},
		{"DELETE", "/", "GET, HEAD"},
		{"POST", "/target", "GET, HEAD"},
		{"PUT", "/api/v1/targets", "GET, HEAD"},
		{"POST", "/metrics", "GET, HEAD"},
		{"POST", "/-/healthy", "GET, HEAD"},
		{"PUT", "/-/ready", "GET, HEAD"},
		{"GET", "/-/reload", "POST"},
		{"HEAD", "/-/reload", "POST"},
		{"PUT", "/-/reload", "POST"},
	} {
		got := ask(t, o, c.method, c.path)
		if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q; want 405, %q", c.method, c.path, got.status, got.header.Get("Allow"), c.allow)
		}
	}
	if called {
		t.Error("something other than POST has reloaded")
	}
}
