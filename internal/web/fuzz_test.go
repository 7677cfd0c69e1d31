package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

// asked is a world in which /probe answers too. It passes each target and limit that /probe runs to ran.
func asked(ran func(probe.Target, time.Duration)) web.Options {
	o := world(rowOf("uio", "api", "org", nil, 3), rowOf("uio", "auth", "org", probe.Fail(probe.ReasonConnect, "refused"), 2),
		rowOf("uib", "rabbitmq", "app", errForeign{}, 1), rowOf("uib", "key", "k", nil, 0))
	o.Probing = web.Probing{
		Run: func(_ context.Context, target probe.Target, limit time.Duration) error {
			ran(target, limit)
			return nil
		},
		Unknown: errors.New("unknown"),
		Metrics: func(state.Target) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "probe_success 1\n") })
		},
	}
	return o
}

// asking are the endpoints that take parameters, with their content types and statuses.
var asking = []struct {
	path, contentType string
	statuses          []int
}{
	{"/", "text/html; charset=utf-8", []int{200, 400}},
	{"/target", "text/html; charset=utf-8", []int{200, 400, 404}},
	{"/api/v1/targets", "application/json", []int{200, 304, 400}},
	{"/sd", "application/json", []int{200, 400}},
	{"/probe", "text/plain; charset=utf-8", []int{200, 400, 404}},
}

// FuzzParameters holds that no query and no header makes a page panic, break
// its markup or answer at length, and that /probe runs only configured targets.
func FuzzParameters(f *testing.F) {
	queries := []string{
		"", "institution=uio&kind=api&target=org", "institution=uio&kind=auth&target=org&debug=true", "institution=uib&kind=rabbitmq&target=app&debug=false",
		"institution=uib&kind=key&target=k", "institution=uio&institution=uib&state=failed", "state=ok&kind=", "target=../../etc/passwd", "a=%zz", "a;b", "=&=&=",
		"institution=uio&kind=api&target=http%3A%2F%2Fevil.example.no%2F", "debug=1&debug=2", "target=a&target=b&target=c&target=d&target=e&state=ok&state=failed", "target=" + strings.Repeat("a", 5000), strings.Repeat("target=a&", 101),
	}
	for _, text := range hostile() {
		queries = append(queries, "state="+text, "institution="+text+"&kind=api&target="+text)
	}
	for i, query := range queries {
		f.Add(uint8(i), query, "10", "")
		f.Add(uint8(i+2), query, "10", "")
	}
	for _, timeout := range []string{"", "0.5", "NaN", "-1", "1e400", "+Inf", "0x1p4", "1_0"} {
		f.Add(uint8(len(asking)-1), queries[1], timeout, `W/"x", *`)
	}
	usual := plain()
	f.Fuzz(func(t *testing.T, at uint8, query, timeout, tag string) {
		endpoint := asking[int(at)%len(asking)]
		var o web.Options
		o = asked(func(target probe.Target, limit time.Duration) {
			_, known := o.Target(target)
			if !known || target.Kind == probe.KindKey || limit < 0 || limit > 24*time.Hour {
				t.Errorf("%q: ran %v within %v", query, target, limit)
			}
		})
		r := httptest.NewRequest("GET", endpoint.path, nil)
		r.URL.RawQuery, r.Host = query, tag
		r.Header["X-Prometheus-Scrape-Timeout-Seconds"], r.Header["If-None-Match"] = []string{timeout}, []string{tag}
		w := httptest.NewRecorder()
		web.Handler(o).ServeHTTP(w, r)
		if !slices.Contains(endpoint.statuses, w.Code) {
			t.Errorf("%s?%q: status %d\n%s", endpoint.path, query, w.Code, w.Body)
		}
		intact(t, w, endpoint.contentType, usual)
		text, _ := url.QueryUnescape(query)
		if utf8.ValidString(text) && !utf8.Valid(w.Body.Bytes()) {
			t.Errorf("%q gets an answer that is not UTF-8", query)
		}
	})
}

// intact checks that an answer has the form of its content type, and a length that the query allows.
func intact(t *testing.T, w *httptest.ResponseRecorder, contentType string, usual map[string]bool) {
	t.Helper()
	body, got := w.Body.String(), w.Header().Get("Content-Type")
	wanted := got == contentType || w.Code == 400 && got == "text/plain; charset=utf-8" || w.Code == 304 && got == ""
	if !wanted || strings.Contains(body, "canary") {
		t.Errorf("%d %s, %.500q", w.Code, got, body)
	}
	if got == "application/json" && !json.Valid(w.Body.Bytes()) {
		t.Errorf("not JSON: %s", body)
	}
	if w.Code == 400 && got == "text/plain; charset=utf-8" && len(body) > 2000 {
		t.Errorf("%d bytes of complaint", len(body))
	}
	for part := range markup(body) {
		if strings.HasPrefix(got, "text/html") && !usual[part] {
			t.Errorf("%s, which no page has:\n%s", part, body)
		}
	}
}

var (
	opening   = regexp.MustCompile(`<([A-Za-z!][^\s>]*)([^>]*)>`)
	attribute = regexp.MustCompile(`([^\s="]+)(?:="([^"]*)")?`)
	verbatim  = regexp.MustCompile(`(?s)<(script|style)>.*?</(script|style)>`)
)

// markup returns the elements, attributes and beginnings of links that a page is made of.
func markup(page string) map[string]bool {
	found := map[string]bool{"scripts and styles: " + strconv.Itoa(len(verbatim.FindAllString(page, -1))): true}
	for _, tag := range opening.FindAllStringSubmatch(verbatim.ReplaceAllString(page, ""), -1) {
		found["element "+tag[1]] = true
		for _, a := range attribute.FindAllStringSubmatch(tag[2], -1) {
			found["attribute "+a[1]] = true
			if a[1] == "href" || a[1] == "action" || a[1] == "src" {
				found["link "+a[2][:min(len(a[2]), 2)]] = true
			}
		}
	}
	return found
}

// plain is the markup of pages whose parameters are harmless.
func plain() map[string]bool {
	all := map[string]bool{}
	for _, address := range []string{
		"/", "/?institution=uio", "/?institution=uio&institution=uib", "/?target=none", "/?state=ok&kind=key", "/?state=bad", "/target", "/target?institution=x&kind=y&target=z",
		"/target?institution=uio&kind=api&target=org", "/target?institution=uio&kind=auth&target=org",
		"/target?institution=uib&kind=rabbitmq&target=app", "/target?institution=uib&kind=key&target=k",
	} {
		w := httptest.NewRecorder()
		web.Handler(asked(func(probe.Target, time.Duration) {})).ServeHTTP(w, httptest.NewRequest("GET", address, nil))
		maps.Copy(all, markup(w.Body.String()))
	}
	return all
}
