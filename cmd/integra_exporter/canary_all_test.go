package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// quiet fails the test where the canary sings, plain, compressed or in another form.
func quiet(t *testing.T, where, text string) {
	t.Helper()
	unzipped, err := gzip.NewReader(strings.NewReader(text))
	if err == nil {
		content, _ := io.ReadAll(unzipped)
		text += string(content)
	}
	silent(t, where, text)
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
func planted(t *testing.T, args ...string) (s *served, config string, received *stream) {
	t.Helper()
	received = &stream{}
	server, gateway := startLeaky(t)
	config = plantEverywhere(t, t.TempDir(), gateway, received)
	s = start(t, append(args, "--config.file="+config, "--log.level=debug", "--web.enable-pprof", "--web.enable-lifecycle")...)
	eventually(t, "a run of everything and a reading", func() bool {
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
	noLeaks(t)
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
	noLeaks(t)
	received := &stream{}
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
	write(t, dir, "key", canary+"-key")
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
