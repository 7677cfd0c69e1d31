package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// quiet fails the test where the canary sings, plain, compressed or in another form.
func quiet(t *testing.T, where, text string) {
	t.Helper()
	unzipped, err := gzip.NewReader(strings.NewReader(text))
	if err == nil {
		content, _ := io.ReadAll(unzipped)
		text += string(content)
	}
	testkit.NoCanary(t, where, text)
	for _, secret := range []string{canary, canary + "-key", canary + "-token", canary + "-password"} {
		without(t, where, text, signs(secret))
	}
}

// hears gets a path with an Accept of its own, and holds that the answer is long enough to have held anything.
func (s *served) hears(t *testing.T, path, accept string, least int) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	status, body := send(t, r)
	quiet(t, path+" as "+accept, body)
	if status != http.StatusOK || len(body) < least {
		t.Errorf("%s as %q: %d, %d bytes: the test is blind", path, accept, status, len(body))
	}
	return body
}

// planted starts the exporter over every kind, and waits until all has run.
func planted(t *testing.T, args ...string) (s *served, config string, received *testkit.Buffer) {
	t.Helper()
	received = &testkit.Buffer{}
	server, gateway := startLeaky(t)
	config = plantEverywhere(t, t.TempDir(), gateway, received)
	s = start(t, append(args, "--config.file="+config, "--log.level=debug", "--web.enable-pprof", "--web.enable-lifecycle")...)
	testkit.Eventually(t, "a run of everything and a reading", func() bool {
		now := s.metrics(t)
		return len(now.family("integra_probe_last_run_timestamp_seconds")) == 2*len(chosen())+6 && now[managerRead] == 1
	})
	for _, sign := range []string{canary + "-key", canary + "-secret", canary + "-env", canary + "-literal", "/" + canary + "?id=" + canary, `{"id":"` + canary + `"}`} {
		if !strings.Contains(server.received.String(), sign) {
			t.Errorf("%s was not sent: the test is blind", sign)
		}
	}
	for _, sign := range []string{canary + "-password", canary + "-token"} {
		if !strings.Contains(received.String(), sign) {
			t.Errorf("%s was not sent: the test is blind", sign)
		}
	}
	return s, config, received
}

func TestCanaryInEveryAnswerOfTheExporter(t *testing.T) {
	testkit.NoLeaks(t)
	s, _, _ := planted(t, "--log.format=json")
	for _, accept := range []string{
		"", "application/openmetrics-text;version=1.0.0", "text/plain;version=1.0.0;escaping=allow-utf-8",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
	} {
		s.hears(t, "/metrics", accept, 20_000)
	}
	s.hears(t, "/", "", 10_000)
	s.hears(t, "/?state=failed", "", 10_000)
	s.hears(t, "/sd", "", 5000)
	for _, target := range checkedJSON(t, s.hears(t, "/api/v1/targets", "", 20_000)) {
		query := url.Values{}
		for _, name := range []string{"institution", "kind", "target"} {
			query.Set(name, target[name].(string))
		}
		s.hears(t, "/target?"+query.Encode(), "", 5000)
		if target["kind"] == probe.KindKey {
			continue
		}
		s.hears(t, "/probe?"+query.Encode(), "", 500)
		s.hears(t, "/probe?debug=true&"+query.Encode(), "", 200)
		s.hears(t, "/probe?"+query.Encode(), "application/openmetrics-text;version=1.0.0", 500)
	}
	for _, path := range []string{
		"", "goroutine?debug=0", "goroutine?debug=1", "goroutine?debug=2", "threadcreate?debug=1", "block?debug=1", "mutex?debug=1", "profile?seconds=1", "trace?seconds=1",
	} {
		s.hears(t, "/debug/pprof/"+path, "", 20)
	}
	_, body := s.request(t, "POST", "/-/reload")
	quiet(t, "/-/reload", body)
	s.stop()
	<-s.ended
	quiet(t, "the log at debug, as JSON", s.out.String()+s.err.String())
	if !strings.Contains(s.err.String(), `"target":"s503-html"`) || !strings.Contains(s.err.String(), `"reason":"login_refused"`) {
		t.Error("the log says nothing of the runs: the test is blind")
	}
}

// What commands print for people and scripts, about every kind.
func TestCanaryInEveryCommand(t *testing.T) {
	testkit.NoLeaks(t)
	received := &testkit.Buffer{}
	_, gateway := startLeaky(t)
	dir := t.TempDir()
	config := plantEverywhere(t, dir, gateway, received)
	manager := openManager(t, received)
	discovering := []string{"discover", "--institution=uio", "--gravitee.url=" + manager, "--gravitee.application=app", "--gravitee.token-file=" + dir + "/token"}
	for want, args := range map[string][]string{
		"login_refused":         {"check", "--config.file=" + config, "--log.level=debug"},
		`"key_unreadable"`:      {"check", "--config.file=" + config, "--log.level=debug", "--output=json"},
		"curl":                  {"check", "--config.file=" + config, "--show-request=curl"},
		"Invoke-WebRequest":     {"check", "--config.file=" + config, "--show-request=powershell"},
		"":                      {"check-config", "--config.file=" + config},
		"institutions:":         discovering,
		"uio":                   append(discovering, "--write-keys="+dir+"/found"),
		"--web.listen-address":  {"serve", "--help"},
		"--show-request":        {"check", "--help"},
		"--gravitee.token-file": {"discover", "--help"},
		"(try --help)":          {"check", "--outptu=json", "--config.file=" + config},
		"cannot serve":          {"serve", "--config.file=" + config, "--web.listen-address=256.0.0.1:0"},
	} {
		got := call(t, args...)
		quiet(t, strings.Join(args, " "), got.out+got.err)
		if !strings.Contains(got.out+got.err, want) {
			t.Errorf("%v does not say %q: the test is blind:\n%s%s", args, want, got.out, got.err)
		}
	}
}

// The dump of all goroutines, which the runtime writes on SIGQUIT, holds addresses and no text.
func TestCanaryInTheDumpOnSIGQUIT(t *testing.T) {
	t.Parallel()
	hung := make(chan struct{})
	gateway := answering(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat(canary, 100))
		w.(http.Flusher).Flush()
		hung <- struct{}{}
		<-r.Context().Done()
	})
	dir := t.TempDir()
	config := configure(t, dir, gateway, "org")
	testkit.WriteFile(t, dir, "key", canary+"-key")
	replaceInFile(t, config, "{interval: 1s, timeout: 1s}", "{interval: 20s, timeout: 20s}")
	s, cmd := spawn(t, "--config.file="+config, "--log.level=debug")
	go func() { _, _ = http.Get("http://" + s.address + probeOf("org")) }()
	<-hung
	err := cmd.Process.Signal(syscall.SIGQUIT)
	if err != nil {
		t.Fatal(err)
	}
	<-s.ended
	quiet(t, "the dump", s.out.String()+s.err.String())
	if !bytes.Contains([]byte(s.err.String()), []byte("probe.(*HTTP).Probe")) {
		t.Errorf("the dump does not show the run: the test is blind:\n%s", s.err)
	}
}

// chosen are the shapes of answers that stand for all: TestCanaryInAnswersAndSecrets has every one.
func chosen() []string {
	return []string{
		"s200-json", "s200-text", "s200-broken", "s302-html", "s401-gateway", "s401-text", "s403-json", "s429-text", "s500-json", "s503-html",
		"truncated", "bad-chunk", "bad-header", "bad-gzip", "no-http", "early-hints", "switching",
	}
}

// frame is one of AMQP's, with a method's class and number and its arguments.
func frame(class, number byte, arguments string) string {
	return string([]byte{1, 0, 0, 0, 0, 0, byte(4 + len(arguments)), 0, class, 0, number}) + arguments + "\xce"
}

// rudeBroker refuses every login in words that hold the canary, and returns its address.
func rudeBroker(t *testing.T, received *testkit.Buffer) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				r := bufio.NewReader(conn)
				_, _ = r.Discard(8) // the protocol's header
				_, _ = io.WriteString(conn, frame(10, 10, "\x00\x09\x00\x00\x00\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x05en_US"))
				login := make([]byte, 1024)
				n, _ := r.Read(login)
				_, _ = received.Write(login[:n])
				text := "ACCESS_REFUSED - Login " + canary
				_, _ = io.WriteString(conn, frame(10, 50, "\x01\x93"+string(rune(len(text)))+text+"\x00\x00\x00\x00"))
				_, _ = io.Copy(io.Discard, r)
			}()
		}
	}()
	return "amqp://" + listener.Addr().String()
}

// openManager is an API manager that knows one key, the canary's, and returns its base.
func openManager(t *testing.T, received *testkit.Buffer) string {
	t.Helper()
	return answering(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = received.Write([]byte(r.Header.Get("Authorization")))
		answer := `{"data":[{"id":"s","api":"a","plan":"p","status":"ACCEPTED"}],"metadata":{"` + canary + `":{"name":"` + canary + `"}}}`
		if strings.HasSuffix(r.URL.Path, "keys") {
			answer = `[{"id":"` + canary + `","key":"` + canary + `-key","expire_at":1900000000000,"subscriptions":[{"id":"s"}]}]`
		}
		_, _ = io.WriteString(w, answer)
	}) + "/management"
}

// keyStore is a PKCS#12 file that the canary opens.
func keyStore(t *testing.T) string {
	t.Helper()
	c := testkit.SelfSigned("canary", testkit.ExtKeyUsage())
	file, err := pkcs12.Modern.Encode(c.Key, c.X509, nil, canary)
	if err != nil {
		t.Fatal(err)
	}
	return string(file)
}

// plantEverywhere writes a configuration of every kind in which the canary stands wherever a secret or something private can.
func plantEverywhere(t *testing.T, dir, gateway string, received *testkit.Buffer) string {
	t.Helper()
	t.Setenv("CANARY_KEY", canary+"-env")
	for name, content := range map[string]string{
		"key": canary + "-key\n", "secret": canary + "-secret", "body": `{"id":"` + canary + `"}`, "password": canary + "-password", "token": canary + "-token",
		"opens": canary, "store.p12": keyStore(t), "jwt": jwtOf(canary, time.Now().Add(time.Hour)), "broken.p12": canary, "broken.jwt": canary,
	} {
		testkit.WriteFile(t, dir, name, content)
	}
	var b strings.Builder
	b.WriteString("defaults: {interval: 2s, timeout: 2s, max_concurrent_per_host: 64}\napis:\n")
	for i, name := range chosen() {
		body := []string{`body_file: body`, `body: '{"id":"` + canary + `"}'`}[i%2]
		jq := []string{"", `, expect: {jq: '.[0].id // error', headers: {X-Source: "^dfo$"}}`}[i%2]
		_, _ = fmt.Fprintf(&b, "  %s: {request: {method: POST, path: '/%[1]s/%s?id=%[2]s', private: true, secret_headers: {X-Other: {file: secret}}, %s}%s, unauthenticated: {interval: 2s}}\n",
			name, canary, body, jq)
	}
	_, _ = fmt.Fprintf(&b, "institutions:\n  uio:\n    gateway: %s\n    apis:\n", gateway)
	for i, name := range chosen() {
		_, _ = fmt.Fprintf(&b, "      %s: {%s}\n", name, []string{"key_file: key", "key_env: CANARY_KEY", "key: " + canary + "-literal"}[i%3])
	}
	_, _ = fmt.Fprintf(&b, `    rabbitmq: [{application: app, url: %q, password_file: password}]
    keys: [{name: jwt, jwt_file: jwt}, {name: store, certificate_file: store.p12, certificate_password_file: opens},
      {name: shut, certificate_file: store.p12, certificate_password_file: secret}, {name: broken-store, certificate_file: broken.p12}, {name: broken-jwt, jwt_file: broken.jwt}]
    gravitee: {url: %q, application: app, token_file: token, interval: 1s}
`, rudeBroker(t, received), openManager(t, received))
	return testkit.WriteFile(t, dir, "config.yml", b.String())
}
