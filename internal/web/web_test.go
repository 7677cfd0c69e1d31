package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
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

// endpoint is a request with its expected answer.
type endpoint struct {
	options      web.Options
	method, path string
	status       int
	contentType  string
	body         string // exactly; "*…" says that it holds what follows
}

func pages() []endpoint {
	return []endpoint{
		{options(), "GET", "/", 200, "text/html; charset=utf-8", "*<h1 id=\"headline\">No targets</h1>"},
		{options(), "HEAD", "/", 200, "text/html; charset=utf-8", ""},
		{options(), "GET", "/?institution=uio&institution=uib&kind=api&target=&state=failed", 200, "text/html; charset=utf-8", "*No target matches the filter."},
		{options(), "GET", "/?color=red", 400, "text/html; charset=utf-8", "*unknown parameter &#34;color&#34;"},
		{options(), "GET", "/?state=bad", 400, "text/html; charset=utf-8", "*unknown state &#34;bad&#34;: it must be one of failed, waiting, ok"},
		{options(), "GET", "/?kind=ftp", 400, "text/html; charset=utf-8", "*one of api, auth, rabbitmq, key"},
		{options(), "GET", "/?target=a" + strings.Repeat("&target=a", 99), 200, "text/html; charset=utf-8", "*No target"},
		{options(), "GET", "/?target=a" + strings.Repeat("&target=a", 100), 400, "text/html; charset=utf-8", "*a parameter may be given at most 100 times"},
		{options(), "GET", "/api/v1/targets?target=a" + strings.Repeat("&target=a", 100), 400, "text/plain; charset=utf-8", "a parameter may be given at most 100 times\n"},
		{options(), "GET", "/?a=%zz", 400, "text/html; charset=utf-8", "*the query cannot be parsed"},
		{options(), "GET", "/target", 400, "text/html; charset=utf-8", "*give institution, kind and target, each once"},
		{options(), "GET", "/target?institution=a&kind=api&target=b&target=c", 400, "text/html; charset=utf-8", "*each once"},
		{options(), "GET", "/target?institution=a&kind=api&target=b&debug=true", 400, "text/html; charset=utf-8", "*unknown parameter"},
		{options(), "GET", "/target?institution=a&kind=api&target=b", 404, "text/html; charset=utf-8", "*There is no such target"},
		{options(), "GET", "/target?institution=a&kind=api&target=b", 404, "text/html; charset=utf-8", `*href="./"`},
		{options(), "GET", "/api/v1/targets", 200, "application/json", "[]\n"},
		{options(), "HEAD", "/api/v1/targets", 200, "application/json", ""},
		{options(), "GET", "/api/v1/targets?state=bad", 400, "text/plain; charset=utf-8", "unknown state \"bad\": it must be one of failed, waiting, ok\n"},
		{options(), "GET", "/api/v1/targets?page=2", 400, "text/plain; charset=utf-8", "unknown parameter \"page\": known are institution, kind, target and state\n"},
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
			"the configuration is invalid and nothing has changed:\nconfig.yml:3: one fault\nconfig.yml:7: another\n",
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

// No more than sixteen scrapes are answered at once; a request that waits five seconds gets 503.
func TestScrapesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, read := options(), make(chan struct{})
		o.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-read })
		handler := web.Handler(o)
		var all sync.WaitGroup
		scrape := func(ctx context.Context, want int, after time.Duration) {
			all.Go(func() {
				began, w := time.Now(), httptest.NewRecorder()
				handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/metrics", nil))
				if took := time.Since(began); w.Code != want || took != after {
					t.Errorf("%d after %s, want %d after %s", w.Code, took, want, after)
				}
			})
		}
		for range 16 {
			scrape(t.Context(), 200, 7*time.Second)
		}
		synctest.Wait()
		scrape(t.Context(), 503, 5*time.Second)
		gone, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		scrape(gone, 200, time.Second) // the client has gone
		page := httptest.NewRecorder()
		handler.ServeHTTP(page, httptest.NewRequest("GET", "/", nil))
		if page.Code != 200 {
			t.Errorf("a page beside the scrapes: %d", page.Code)
		}
		time.Sleep(3 * time.Second)
		scrape(t.Context(), 200, 4*time.Second) // when the first have been read
		time.Sleep(4 * time.Second)
		close(read)
		all.Wait()
	})
}

// patient notes the deadlines that are set for writing an answer.
type patient struct {
	*httptest.ResponseRecorder
	deadlines []time.Time
}

func (p *patient) SetWriteDeadline(at time.Time) error {
	p.deadlines = append(p.deadlines, at)
	return nil
}

// A check may take longer than a client has for reading the answer: its time begins when there is one.
func TestProbeOutlastsTheAnswersTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		row := rowOf("uio", "api", "org", nil, 1)
		o, w := world(row), &patient{ResponseRecorder: httptest.NewRecorder()}
		o.Target = func(probe.Target) (state.Target, bool) { return row, true }
		o.Probing = web.Probing{
			Run: func(context.Context, probe.Target, time.Duration) error {
				if len(w.deadlines) != 1 || !w.deadlines[0].IsZero() {
					t.Errorf("while it runs the deadlines are %v, want none", w.deadlines)
				}
				time.Sleep(time.Hour)
				return nil
			},
			Metrics: func(state.Target) http.Handler { return o.Metrics },
		}
		web.Handler(o).ServeHTTP(w, httptest.NewRequest("GET", "/probe?institution=uio&kind=api&target=org", nil))
		if w.Code != 200 || len(w.deadlines) != 2 || !w.deadlines[1].Equal(time.Now().Add(web.AnswerTimeout)) {
			t.Errorf("%d, deadlines %v, want %s to read the answer", w.Code, w.deadlines, web.AnswerTimeout)
		}
	})
}

// A page of another site cannot make a browser reload the configuration.
func TestReloadIsNoFormOfAnotherSite(t *testing.T) {
	reloads := 0
	o := options()
	o.Reload = func() error { reloads++; return nil }
	for _, c := range []struct {
		name, value string
		want        int
	}{
		{"Sec-Fetch-Site", "cross-site", 403},
		{"Sec-Fetch-Site", "same-site", 403},
		{"Origin", "https://evil.example", 403},
		{"Sec-Fetch-Site", "same-origin", 200},
		{"Origin", "http://example.com", 200},
		{"User-Agent", "curl/8", 200},
	} {
		before, w := reloads, httptest.NewRecorder()
		r := httptest.NewRequest("POST", "/-/reload", nil) // to example.com
		r.Header.Set(c.name, c.value)
		web.Handler(o).ServeHTTP(w, r)
		if w.Code != c.want || (reloads > before) != (c.want == 200) {
			t.Errorf("%s: %s: %d, %d reloads; want %d", c.name, c.value, w.Code, reloads-before, c.want)
		}
	}
}
