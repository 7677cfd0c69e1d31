package web_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/web"
)

func TestEveryAnswerIsGuarded(t *testing.T) {
	profiled := options()
	profiled.Pprof = true
	for _, path := range []string{
		"/", "/?x=y", "/target", "/target?institution=a&kind=api&target=b", "/api/v1/targets", "/metrics",
		"/-/healthy", "/-/ready", "/-/reload", "/nowhere", "/debug/pprof/",
	} {
		got := ask(t, profiled, "GET", path)
		want := map[string]string{
			"X-Content-Type-Options":       "nosniff",
			"Referrer-Policy":              "no-referrer",
			"Cross-Origin-Opener-Policy":   "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin",
			"Cache-Control":                "no-store",
		}
		if path == "/api/v1/targets" {
			want["Cache-Control"] = "no-cache" // or its ETag would be of no use
		}
		for name, value := range want {
			if diff := cmp.Diff(value, got.header.Get(name)); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", path, name, diff)
			}
		}
		policy := got.header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none';", "base-uri 'none';", "frame-ancestors 'none'", "form-action 'self';"} {
			if !strings.Contains(policy+";", part) {
				t.Errorf("%s: the policy %q lacks %s", path, policy, part)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
			t.Errorf("%s: the policy %q allows more than the page's own", path, policy)
		}
	}
}

// The browser runs only what the policy names by its digest.
func TestPolicyNamesStyleAndScript(t *testing.T) {
	got := ask(t, options(), "GET", "/")
	for _, element := range []string{"style", "script"} {
		parts := regexp.MustCompile("(?s)<"+element+">(.*?)</"+element+">").FindAllStringSubmatch(got.body, -1)
		if len(parts) != 1 {
			t.Fatalf("%d elements %s, want 1", len(parts), element)
		}
		sum := sha256.Sum256([]byte(parts[0][1]))
		want := element + "-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		if !strings.Contains(got.header.Get("Content-Security-Policy"), want) {
			t.Errorf("the policy lacks %s", want)
		}
	}
	for _, sign := range []string{"onclick=", " style=", "http://", "https://", "src="} {
		for _, line := range strings.Split(got.body, "\n") {
			if strings.Contains(line, sign) && !strings.Contains(line, "data:image/svg") {
				t.Errorf("the page holds %s: %s", sign, line)
			}
		}
	}
}

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

// Who announces a body and holds it back does not hold the connection.
func TestBodiesAreNotWaitedFor(t *testing.T) {
	server := httptest.NewServer(web.Handler(options()))
	t.Cleanup(server.Close)
	for _, head := range []string{"Content-Length: 1000", "Transfer-Encoding: chunked"} {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, err = io.WriteString(conn, "GET /-/healthy HTTP/1.1\r\nHost: a\r\n"+head+"\r\n\r\n1")
		if err == nil {
			err = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		}
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(conn)
		if !strings.HasPrefix(string(answer), "HTTP/1.1 200 ") || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %q, %v", head, answer, err)
		}
	}
}
