package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

// No more than sixteen scrapes are answered at once; who waits five seconds in vain is told so.
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
		scrape(gone, 200, time.Second) // which nobody hears
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
