package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

const canary = testkit.Canary

// bodies are the forms in which an answer can be about a person.
func bodies() map[string]string {
	return map[string]string{
		"json":    `[{"` + canary + `":"` + canary + `"}]`,
		"number":  `{"id":18906299204e400}`,
		"html":    "<html><title>" + canary + "</title></html>",
		"text":    canary,
		"gateway": `{"message":"` + canary + `","http_status_code":%d}`,
		"broken":  `{"name":"` + canary,
	}
}

// shapes returns raw answers by a name for their path: every status with every body, and what is no answer at all.
func shapes() map[string]string {
	raw := map[string]string{}
	for _, status := range []int{200, 201, 302, 400, 401, 403, 404, 405, 418, 429, 500, 502, 503, 504, 599} {
		for form, body := range bodies() {
			body = strings.ReplaceAll(body, "%d", fmt.Sprint(status))
			raw[fmt.Sprintf("s%d-%s", status, form)] = fmt.Sprintf(
				"HTTP/1.1 %d %s\r\nLocation: https://%[2]s.example.no/\r\nWWW-Authenticate: Bearer %[2]s\r\nX-Rate-Limit-Limit: %[2]s\r\n"+
					"Set-Cookie: id=%[2]s\r\nX-%[2]s: %[2]s\r\nContent-Type: text/%[2]s\r\nContent-Length: %d\r\n\r\n%s",
				status, canary, len(body), body)
		}
	}
	ok := "HTTP/1.1 200 OK\r\n"
	raw["truncated"] = ok + "Content-Length: 4711\r\n\r\n" + canary
	raw["bad-chunk"] = ok + "Transfer-Encoding: chunked\r\n\r\n" + canary + "\r\n"
	raw["bad-length"] = ok + "Content-Length: " + canary + "\r\n\r\n"
	raw["bad-transfer"] = ok + "Transfer-Encoding: " + canary + "\r\n\r\n"
	raw["bad-header"] = ok + canary + "\r\n\r\n"
	raw["bad-gzip"] = ok + "Content-Encoding: gzip\r\nContent-Length: 18\r\n\r\n" + canary
	raw["bad-trailer"] = ok + "Transfer-Encoding: chunked\r\nTrailer: " + canary + "\r\n\r\n2\r\n[]\r\n0\r\n" + canary + "\r\n\r\n"
	raw["bad-version"] = "HTTP/" + canary + " 200 OK\r\n\r\n"
	raw["bad-status"] = "HTTP/1.1 " + canary + "\r\n\r\n"
	raw["no-http"] = canary + "\r\n\r\n"
	raw["early-hints"] = "HTTP/1.1 103 " + canary + "\r\nLink: <" + canary + ">\r\n\r\n" + ok + "Content-Length: 2\r\n\r\n{}"
	raw["switching"] = "HTTP/1.1 101 " + canary + "\r\nUpgrade: " + canary + "\r\n\r\n" + canary
	return raw
}

// leaky answers each path with the shape of its name, and notes what was sent to it.
type leaky struct {
	mu       sync.Mutex
	seen     map[string]bool
	received testkit.Buffer
}

func startLeaky(t *testing.T) (l *leaky, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l = &leaky{seen: map[string]bool{}}
	raw := shapes()
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() { l.answer(conn, raw) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		all.Wait()
	})
	return l, "http://" + listener.Addr().String()
}

func (l *leaky) answer(conn net.Conn, raw map[string]string) {
	defer conn.Close()
	r, err := http.ReadRequest(bufio.NewReader(conn))
	if err != nil {
		return
	}
	name := strings.Split(r.URL.Path, "/")[1]
	l.mu.Lock()
	l.seen[name] = true
	_ = r.Write(&l.received)
	l.mu.Unlock()
	_, _ = conn.Write([]byte(raw[name]))
}

func (l *leaky) complete() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.seen) == len(shapes())
}

// configureLeaky plants the canary in the key, a secret header, a private path and the body that is sent.
func configureLeaky(t *testing.T, dir, gateway string) string {
	t.Helper()
	testkit.WriteFile(t, dir, "key", canary+"-key\n")
	testkit.WriteFile(t, dir, "secret", canary+"-secret\n")
	var b strings.Builder
	b.WriteString("defaults: {interval: 2s, timeout: 2s, max_concurrent_per_host: 64}\napis:\n")
	for name := range shapes() {
		_, _ = fmt.Fprintf(&b, `  %s:
    request:
      method: POST
      path: /%[1]s/%[2]s
      private: true
      secret_headers: {X-Other: {file: secret}}
      body: '{"id":"%[2]s"}'
    expect: {jq: '.[].id | test("nobody")', headers: {X-Source: "^dfo$"}}
    unauthenticated: {interval: 2s}
`, name, canary)
	}
	b.WriteString("institutions:\n  uio:\n    gateway: " + gateway + "\n    apis:\n")
	for name := range shapes() {
		b.WriteString("      " + name + ": {key_file: key}\n")
	}
	return testkit.WriteFile(t, dir, "config.yml", b.String())
}

func TestCanaryInAnswersAndSecrets(t *testing.T) {
	testkit.NoLeaks(t)
	server, gateway := startLeaky(t)
	dir := t.TempDir()
	config := configureLeaky(t, dir, gateway)
	s := start(t, "--config.file="+config, "--log.level=debug", "--web.enable-lifecycle")
	testkit.Eventually(t, "every shape to be asked for", server.complete)
	testkit.Eventually(t, "every run to be counted", func() bool {
		return len(s.metrics(t).family("integra_probe_last_run_timestamp_seconds")) == 2*len(shapes())
	})
	for _, sign := range []string{canary + "-key", canary + "-secret", "/" + canary, `{"id":"` + canary + `"}`} {
		if !strings.Contains(server.received.String(), sign) {
			t.Errorf("the canary %s was not sent: the test is blind", sign)
		}
	}
	for _, path := range []string{"/metrics", "/"} {
		_, body := s.request(t, "GET", path)
		testkit.NoCanary(t, path, body)
	}
	for _, format := range []string{"table", "json"} {
		got := call(t, "check", "--config.file="+config, "--output="+format, "--log.level=debug")
		testkit.NoCanary(t, "check --output="+format, got.out+got.err)
		if strings.Count(got.out, "s503-html") == 0 {
			t.Errorf("check has shown nothing:\n%s", got.out)
		}
	}
	testkit.NoCanary(t, "check-config", fmt.Sprint(call(t, "check-config", "--config.file="+config)))
	s.stop()
	<-s.ended
	testkit.NoCanary(t, "standard output", s.out.String())
	testkit.NoCanary(t, "the log at debug", s.err.String())
	if !strings.Contains(s.err.String(), "target=s503-html") {
		t.Error("the log says nothing of the runs: the test is blind")
	}
}

// badConfigs are files in which what must not be repeated stands next to a fault.
func badConfigs() map[string]string {
	const apis = "apis: {org: {request: {path: /org/}}}\n"
	const uio = apis + "institutions:\n  uio:\n"
	return map[string]string{
		"userinfo":         uio + "    gateway: https://user:" + canary + "@gw.example.no\n",
		"odd userinfo":     uio + "    gateway: \"https://us%er:" + canary + "@gw.example.no\"\n",
		"proxy":            "defaults: {proxy_url: 'http://u:" + canary + "@proxy'}\n",
		"key of two":       uio + "    apis: {org: {key: " + canary + ", key_file: key}}\n",
		"key is a list":    uio + "    apis: {org: {key: [" + canary + "]}}\n",
		"key is a mapping": uio + "    apis: {org: {key: {" + canary + ": " + canary + "}}}\n",
		"key of two lines": uio + "    apis: {org: {key: \"" + canary + "\\n\"}}\n",
		"syntax":           uio + "    apis: {org: {key: " + canary + ": : [}}\n",
		"alias":            uio + "    apis: {org: {key: *" + canary + "}}\n",
		"tag":              uio + "    apis: {org: {key: !!int " + canary + "}}\n",
		"password":         uio + "    rabbitmq: [{application: a, password: {x: " + canary + "}}]\n",
		"body":             "apis: {org: {request: {path: /org/, body: '" + canary + "', body_file: x}}}\n",
		"secret header":    "apis: {org: {request: {path: /org/, secret_headers: {X-A: " + canary + "}}}}\n",
	}
}

func TestCanaryInABadConfiguration(t *testing.T) {
	testkit.NoLeaks(t)
	dir := t.TempDir()
	config := configure(t, dir, "http://127.0.0.1:1", "org")
	s := start(t, "--config.file="+config, "--log.level=debug", "--web.enable-lifecycle")
	for name, content := range badConfigs() {
		testkit.WriteFile(t, dir, "config.yml", content)
		for _, command := range []string{"check-config", "check", "serve"} {
			got := call(t, command, "--config.file="+config, "--log.level=debug")
			testkit.NoCanary(t, command+" with "+name, got.out+got.err)
			if got.code != 2 || !strings.Contains(got.err, config+":") {
				t.Errorf("%s with %s: want a fault with its line, got %+v", command, name, got)
			}
		}
		status, body := s.request(t, "POST", "/-/reload")
		testkit.NoCanary(t, "reload with "+name, body)
		if status != 500 {
			t.Errorf("reload with %s: %d, want 500", name, status)
		}
	}
	testkit.NoCanary(t, "the log at debug", s.err.String())
}

// What check says beyond its table, of answers, keys and requests about a person.
func TestCanaryInWhatCheckShows(t *testing.T) {
	server, gateway := startLeaky(t)
	config := configureLeaky(t, t.TempDir(), gateway)
	for _, shell := range []string{"curl", "powershell"} {
		got := call(t, "check", "--config.file="+config, "--show-request="+shell, "--log.level=debug")
		testkit.NoCanary(t, "--show-request="+shell, got.out+got.err)
		if strings.Count(got.out, "'"+gateway+"/…'") != 3*len(shapes()) || strings.Count(got.out, "'…'") != 3*len(shapes()) {
			t.Errorf("%s: want three requests of each, without path and body:\n%s", shell, got.out)
		}
	}
	if len(server.seen) > 0 {
		t.Errorf("%d requests were sent", len(server.seen))
	}
	t.Setenv("TERM", "xterm")
	for _, c := range []struct {
		flag     string
		terminal bool
		done     string // is shown after a pass
	}{
		{"--output=table", false, ""},
		{"--output=table", true, ""},
		{"--output=json", false, "]\n"},
	} {
		w := watch(t, c.terminal, c.flag, "--config.file="+config, "--log.level=debug")
		w.shows(t, "s503-html", 2)
		w.shows(t, c.done, 1)
		w.interrupt(t)
		testkit.NoCanary(t, c.flag+" --watch", w.out.String()+w.err.String())
	}
	if !server.complete() {
		t.Error("not every shape was asked for: the test is blind")
	}
}

// What is remembered of runs of every shape, and all that the pages say of their targets, holds nothing of a body or a key.
func TestCanaryInHistory(t *testing.T) {
	testkit.NoLeaks(t)
	server, gateway := startLeaky(t)
	s := start(t, "--config.file="+configureLeaky(t, t.TempDir(), gateway))
	testkit.Eventually(t, "every shape to be asked for", server.complete)
	testkit.Eventually(t, "every run to be counted", func() bool {
		return len(s.metrics(t).family("integra_probe_last_run_timestamp_seconds")) == 2*len(shapes())
	})
	_, all := s.request(t, "GET", "/api/v1/targets")
	testkit.NoCanary(t, "/api/v1/targets", all)
	targets := checkedJSON(t, all)
	if len(targets) != 2*len(shapes()) {
		t.Errorf("%d targets, want %d", len(targets), 2*len(shapes()))
	}
	rows := 0
	for _, target := range targets {
		query := url.Values{}
		for _, name := range []string{"institution", "kind", "target"} {
			query.Set(name, target[name].(string))
		}
		status, page := s.request(t, "GET", "/target?"+query.Encode())
		testkit.NoCanary(t, "/target?"+query.Encode(), page)
		if status != 200 || !strings.Contains(page, "&lt;secret&gt;") || !strings.Contains(page, "/…") {
			t.Errorf("%s: %d; want a page with the request, its secret and private parts left out", query.Encode(), status)
		}
		if target["kind"] == probe.KindAPI && !strings.Contains(page, "$KEY") {
			t.Errorf("%s does not say where the key belongs", query.Encode())
		}
		rows += strings.Count(page, `<th scope="row"><time`)
	}
	if rows < len(targets) {
		t.Errorf("%d runs on all pages together: the test is blind", rows)
	}
}

// chatty answers well and then goes on talking while nobody asks, which net/http tells package log, with a quote.
func chatty(t *testing.T) (address string, talked func() int) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var mu sync.Mutex
	cut := 0 // connections that the client has given up
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				reader := bufio.NewReader(conn)
				_, err := http.ReadRequest(reader)
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
				_, _ = io.WriteString(conn, canary+canary)
				_, _ = reader.ReadByte() // until the client closes
				mu.Lock()
				defer mu.Unlock()
				cut++
			}()
		}
	}()
	return "http://" + listener.Addr().String(), func() int {
		mu.Lock()
		defer mu.Unlock()
		return cut
	}
}

func TestCanaryOnAnIdleConnection(t *testing.T) {
	t.Parallel()
	gateway, cut := chatty(t)
	config := configure(t, t.TempDir(), gateway, "a", "b", "c")
	replaceInFile(t, config, "timeout: 1s", "timeout: 1s, connection: reuse")
	s, _ := spawn(t, "--config.file="+config, "--log.level=debug")
	testkit.Eventually(t, "connections that were given up for talking", func() bool { return cut() >= 6 })
	_, metrics := s.request(t, "GET", "/metrics")
	s.stop()
	<-s.ended
	testkit.NoCanary(t, "/metrics", metrics)
	testkit.NoCanary(t, "standard output", s.out.String())
	testkit.NoCanary(t, "standard error", s.err.String())
	got := execute(t, "check", "--config.file="+config, "--log.level=debug")
	testkit.NoCanary(t, "check", got.out+got.err)
}
