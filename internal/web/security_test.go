package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/view"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

// hostile are texts that break out of a page that takes them as they are.
func hostile() map[string]string {
	return map[string]string{
		"html":       `"><script>alert(1)</script><img src=x onerror='alert(2)'></main></style>`,
		"quotes":     `a"b'c` + "`d`" + ` onfocus="x" {{.Script}} <!-- ]]>`,
		"bidi":       "user\u202etxt.exe\u2066\u2069 \u200f",
		"long":       strings.Repeat("lang tittel ", 900),
		"no space":   strings.Repeat("x", 10_000),
		"template":   `{{define "top"}}{{end}}`,
		"javascript": "javascript:alert(1)",
		"path":       "../../?a=b&c=d#e;f%2F+",
		"not UTF-8":  "\xff\xfe",
	}
}

// everywhere is a world with text in every place that the configuration can fill.
func everywhere(text string) web.Options {
	row := rowOf(text, "api", text, probe.Fail(probe.ReasonConnect, "%s", text), 1)
	row.InstitutionTitle, row.Title, row.Contact, row.Address = text, text, text, text
	row = withKey(withCertificate(row, row.Since.Add(aDay)), probe.KeyEnd{Source: probe.SourceConfig, At: row.Since.Add(aDay)})
	row.Last.TransactionID, row.Last.Queues = text, []probe.QueueSeen{{Name: text}}
	o := world(row, rowOf("b", "api", text, nil, 1))
	o.History = func(probe.Target) (runs, failures []state.Run) {
		run := state.Run{Reason: probe.ReasonConnect, Detail: text, TransactionID: "id", Phases: probe.Phases{1, 2, 3}}
		return []state.Run{run}, []state.Run{run}
	}
	o.Configured = func(probe.Target) view.Configuration {
		return view.Configuration{
			Facts:   []view.Fact{{Name: text, Value: text}},
			Request: &view.Request{Method: "GET", URL: text, Headers: []view.Header{{Name: text, Value: text}}, KeyHeader: text, Body: text},
		}
	}
	return o
}

// shape returns the elements of a page and their numbers of attributes.
func shape(page string) string {
	var tags []string
	for _, tag := range tag.FindAllString(page, -1) {
		name, _, _ := strings.Cut(strings.Trim(tag, "<>"), " ")
		tags = append(tags, fmt.Sprint(name, strings.Count(tag, `="`)))
	}
	return strings.Join(tags, " ")
}

func TestPagesStayIntact(t *testing.T) {
	for name, text := range hostile() {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/", "/?institution=%s", "/target?institution=%s&kind=api&target=%[1]s"} {
				page := get(t, everywhere(text), strings.ReplaceAll(strings.ReplaceAll(path, "%s", url.QueryEscape(text)), "%[1]s", url.QueryEscape(text)))
				plain := get(t, everywhere("plain"), strings.ReplaceAll(strings.ReplaceAll(path, "%s", "plain"), "%[1]s", "plain"))
				_, body, _ := strings.Cut(page, "</style>")
				_, plainBody, _ := strings.Cut(plain, "</style>")
				body, _, _ = strings.Cut(body, "<script>")
				plainBody, _, _ = strings.Cut(plainBody, "<script>")
				if shape(body) != shape(plainBody) {
					t.Errorf("%s has other elements than with a plain text:\n%s", path, body)
				}
				if !utf8.ValidString(strings.ReplaceAll(page, text, "")) && name != "not UTF-8" {
					t.Errorf("%s is not UTF-8", path)
				}
			}
		})
	}
}

func TestALongTitleIsCut(t *testing.T) {
	text := textOf(t, get(t, everywhere(strings.Repeat("x", 10_000)), "/"))
	if strings.Contains(text, strings.Repeat("x", 161)) || !strings.Contains(text, strings.Repeat("x", 159)+"…") {
		t.Errorf("want 160 characters of it:\n%.2000s", text)
	}
}

// The request by hand is left as it is: it is to be copied.
func TestTextKeepsItsDirection(t *testing.T) {
	o := everywhere("a\u202e\u2028\u2029\u0085")
	row := o.Targets()[0]
	row.Last.TransactionID = "id"
	o.Target = func(probe.Target) (state.Target, bool) { return row, true }
	page := textOf(t, get(t, o, "/target?institution=a&kind=api&target=a"))
	before, after, _ := strings.Cut(page, "The same request by hand")
	_, after, _ = strings.Cut(after, "\nConfiguration\n")
	for _, text := range []string{textOf(t, get(t, o, "/")), before, after} {
		if strings.ContainsAny(text, "\u202e\u2028\u2029\u0085") || !strings.Contains(text, "a\ufffd") {
			t.Errorf("want the sign replaced:\n%s", text)
		}
	}
}

func TestNoForeignErrorIsShown(t *testing.T) {
	o := world(rowOf("uio", "api", "odd", errForeign{}, 1))
	for _, path := range []string{"/", "/target?institution=uio&kind=api&target=odd", "/api/v1/targets"} {
		got := get(t, o, path)
		if strings.Contains(got, "canary") || !strings.Contains(got, "internal") {
			t.Errorf("%s shows more than the class of an error that no prober has classified:\n%s", path, got)
		}
	}
}

// What somebody asks for comes back escaped and short.
func TestComplaintsAreEscaped(t *testing.T) {
	for _, text := range hostile() {
		for _, path := range []string{"/?state=", "/?kind=", "/api/v1/targets?state=", "/?%s=x", "/target?institution=a&kind=b&target=c&%s="} {
			w := httptest.NewRecorder()
			r := httptest.NewRequest("GET", strings.ReplaceAll(path, "%s", url.QueryEscape(text))+url.QueryEscape(text), nil)
			web.Handler(options()).ServeHTTP(w, r)
			main, _, _ := strings.Cut(w.Body.String(), "<footer>")
			_, main, _ = strings.Cut(main, "<main")
			if w.Code != 400 || len(main) > 2000 || strings.Contains(main, "<script>") || strings.Contains(main, "<img") {
				t.Errorf("%s%.40s: %d\n%.3000s", path, text, w.Code, main)
			}
		}
	}
}

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

// The browser runs only the style and script whose digest the policy names.
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

// A client that announces a body and does not send it cannot hold the connection.
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
