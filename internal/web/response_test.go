package web_test

import (
	"compress/gzip"
	"io"
	"net/http/httptest"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/web"
)

func TestPagesAreCompressedWhereWelcome(t *testing.T) {
	plain := ask(t, options(), "GET", "/").body
	for _, c := range []struct {
		accept string
		gzip   bool
	}{
		{"gzip", true}, {"br, GZIP;q=0.5", true}, {"gzip;q=0", false}, {"gzip; q=0.0, br", false}, {"br", false}, {"", false}, {"xgzip", false}, {"gzip;q=x", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Encoding", c.accept)
		w := httptest.NewRecorder()
		web.Handler(options()).ServeHTTP(w, r)
		if w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("%q: Vary %q", c.accept, w.Header().Get("Vary"))
		}
		var body io.Reader = w.Body
		if c.gzip {
			var err error
			body, err = gzip.NewReader(w.Body)
			if err != nil {
				t.Errorf("%q: not compressed: %v", c.accept, err)
				continue
			}
		}
		text, _ := io.ReadAll(body)
		if (w.Header().Get("Content-Encoding") == "gzip") != c.gzip || len(text) != len(plain) {
			t.Errorf("%q: encoding %q, %d bytes; want gzip %t, %d", c.accept, w.Header().Get("Content-Encoding"), len(text), c.gzip, len(plain))
		}
	}
}

func TestTargetsHaveATag(t *testing.T) {
	well, failed := rowOf("uio", "api", "a", nil, 1), rowOf("uio", "api", "a", errForeign{}, 2)
	ask := func(o web.Options, held string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/api/v1/targets", nil)
		if held != "" {
			r.Header.Set("If-None-Match", held)
		}
		w := httptest.NewRecorder()
		web.Handler(o).ServeHTTP(w, r)
		return w
	}
	tag := ask(world(well), "").Header().Get("ETag")
	for _, c := range []struct {
		o      web.Options
		held   string
		status int
	}{
		{world(well), tag, 304},
		{world(well), `"other", ` + tag, 304},
		{world(well), tag[len("W/"):], 304}, // compared weakly
		{world(well), "*", 304},
		{world(well), `"other"`, 200},
		{world(failed), tag, 200},
		{world(well), "", 200},
	} {
		got := ask(c.o, c.held)
		if got.Code != c.status || got.Header().Get("ETag") == "" || (got.Code == 304) != (got.Body.Len() == 0) {
			t.Errorf("If-None-Match: %s: %d, ETag %s, %d bytes; want %d", c.held, got.Code, got.Header().Get("ETag"), got.Body.Len(), c.status)
		}
	}
}
