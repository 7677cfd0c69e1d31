package main

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// said is an answer with the canary wherever a gateway can put text: reason phrase, ids under the names that they have by
// default and under others, challenge and body.
type said struct {
	status      int
	ids, client bool
	body        string
}

func (a said) challenge() string {
	return fmt.Sprintf("Bearer realm=%q, error=%q", canary, a.body[:min(len(a.body), 40)])
}

func (a said) raw() string {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: close\r\nWWW-Authenticate: %s\r\nX-Rate-Limit-Limit: %s\r\n",
		a.status, canary, len(a.body), a.challenge(), canary)
	for _, id := range []string{"X-Gravitee-Transaction-Id", "X-Gravitee-Request-Id", "X-Trace", "X-Number"} {
		if a.ids {
			_, _ = fmt.Fprintf(&b, "%s: %s-id\r\n", id, canary)
		}
	}
	for _, id := range []string{"X-Gravitee-Client-Identifier", "X-Subscriber"} {
		if a.client {
			_, _ = fmt.Fprintf(&b, "%s: %s-subscription\r\n", id, canary)
		}
	}
	return b.String() + "\r\n" + a.body
}

// refusalLength is that of the answers to a wrong key whose length is nobody's business.
const refusalLength = 13577

// trio is what an API answers to our key, without a key and to a wrong one.
type trio struct {
	ours, none, wrong said
	asks              bool // a failing run asks with a wrong key
}

// trios are APIs that fail, by what their refusals decide.
func trios() map[string]trio {
	short := func(text string) string { return `{"message":"` + canary + " " + text + `","http_status_code":401}` }
	long := strings.Repeat(canary+" ", refusalLength)[:refusalLength]
	none := said{401, true, false, short("none")}
	wrong := said{401, true, false, long}
	return map[string]trio{
		"backend":    {said{500, true, false, canary + " of the backend"}, none, wrong, true},
		"rejected":   {said{401, true, false, short("refused")}, none, said{401, true, false, short("refused")}, true},
		"policy":     {said{401, false, false, short("policy")}, none, said{401, false, false, long}, true},
		"subscriber": {said{403, true, true, canary + " knows the client"}, none, wrong, false},
		"stranger":   {said{404, true, false, canary + " is not here"}, none, said{401, true, true, long}, true},
		"open":       {said{502, true, false, canary + " is down"}, none, said{200, true, true, long}, true},
		"broken":     {said{503, false, false, canary + " is ill"}, said{500, true, true, short("is broken")}, wrong, true},
	}
}

// gatekeeper answers each path with the trio of its name.
type gatekeeper struct {
	mu    sync.Mutex
	wrong map[string]int // requests with a wrong key, by API
}

func startGatekeeper(t *testing.T) (g *gatekeeper, address string) {
	t.Helper()
	g = &gatekeeper{wrong: map[string]int{}}
	answers := trios()
	return g, answering(t, func(w http.ResponseWriter, r *http.Request) {
		api := strings.Split(r.URL.Path, "/")[1]
		known := answers[strings.TrimSuffix(api, "-renamed")]
		answer := known.wrong
		switch r.Header.Get("X-Gravitee-Api-Key") {
		case "":
			answer = known.none
		case canary + "-key":
			answer = known.ours
		default:
			g.mu.Lock()
			g.wrong[api]++
			g.mu.Unlock()
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = conn.Write([]byte(answer.raw()))
	})
}

// configureGatekeeper writes a configuration of each trio, with the names of the gateway's headers and with others.
func configureGatekeeper(t *testing.T, gateway string) string {
	t.Helper()
	dir := t.TempDir()
	testkit.WriteFile(t, dir, "key", canary+"-key\n")
	var b strings.Builder
	b.WriteString("institutions:\n  uio:\n    gateway: " + gateway + "\n    apis:\n")
	for name := range trios() {
		_, _ = fmt.Fprintf(&b, "      %s: {request: {path: /%[1]s/}, key_file: key}\n", name)
		_, _ = fmt.Fprintf(&b, "      %s-renamed: {request: {path: /%[1]s-renamed/}, key_file: key, "+
			"gravitee_headers: {transaction_id: X-Trace, request_id: X-Number, client_identifier: X-Subscriber}}\n", name)
	}
	return testkit.WriteFile(t, dir, "config.yml", b.String())
}

// silent fails the test where text holds anything of what the gateway answers, or a digest of it.
func silent(t *testing.T, where, text string) {
	t.Helper()
	quiet(t, where, text)
	for _, known := range trios() {
		for _, a := range []said{known.ours, known.none, known.wrong} {
			for _, part := range []string{a.body, a.challenge(), a.raw()} {
				sum := sha256.Sum256([]byte(part))
				without(t, where, text, append(signs(part), fmt.Sprintf("%X", sum), base64.StdEncoding.EncodeToString(sum[:]), strings.Trim(fmt.Sprint(sum), "[]")))
			}
		}
	}
}

// silentOfLength is silent, and holds that the length of an answer to a wrong key is not in text either.
func silentOfLength(t *testing.T, where, text string) {
	t.Helper()
	silent(t, where, text)
	at := regexp.MustCompile(fmt.Sprintf(`(^|[^0-9.])%d([^0-9.]|$)`, refusalLength)).FindStringIndex(text)
	if at != nil {
		t.Errorf("%s holds the length of a refusal: …%s…", where, text[max(0, at[0]-80):min(len(text), at[1]+40)])
	}
}

// The commands say nothing of how a gateway refuses.
func TestCanaryInRefusalsToCheck(t *testing.T) {
	testkit.NoLeaks(t)
	gateway, address := startGatekeeper(t)
	config := configureGatekeeper(t, address)
	for _, format := range []string{"table", "json"} {
		got := call(t, "check", "--config.file="+config, "--kind=api", "--output="+format, "--log.level=debug")
		silentOfLength(t, "check --kind=api --output="+format, got.out+got.err)
		gateway.asked(t)
		all := call(t, "check", "--config.file="+config, "--output="+format, "--log.level=debug")
		silent(t, "check --output="+format, all.out+all.err)
		for _, reason := range []string{"key_rejected", "backend_forbidden", "not_refused", "gateway_error"} {
			if !strings.Contains(all.out, reason) {
				t.Errorf("check --output=%s does not say %s: the test is blind", format, reason)
			}
		}
	}
}

// asked holds that the failing runs of kind api have asked with a wrong key.
func (g *gatekeeper) asked(t *testing.T) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, known := range trios() {
		for _, api := range []string{name, name + "-renamed"} {
			if known.asks && g.wrong[api] == 0 {
				t.Errorf("%s was not asked with a wrong key: the test is blind", api)
			}
		}
	}
}

// Nor does the exporter: first of kind api alone, whose runs ask with a wrong key themselves, then of kind auth too.
func TestCanaryInRefusalsToTheExporter(t *testing.T) {
	testkit.NoLeaks(t)
	gateway, address := startGatekeeper(t)
	s := start(t, "--config.file="+configureGatekeeper(t, address), "--log.level=debug", "--no-schedule")
	hush := silentOfLength
	for _, kind := range []string{"api", "auth"} {
		for name := range trios() {
			for _, api := range []string{name, name + "-renamed"} {
				query := "institution=uio&kind=" + kind + "&target=" + api
				for _, path := range []string{"/probe?", "/probe?debug=true&", "/target?"} {
					s.whispers(t, path+query, hush)
				}
			}
		}
		for _, path := range []string{"/metrics", "/", "/?state=failed", "/api/v1/targets", "/sd"} {
			s.whispers(t, path, hush)
		}
		if kind == "api" {
			hush(t, "the log at debug", s.out.String()+s.err.String())
			gateway.asked(t)
		}
		hush = silent // the length of an answer to kind auth is a metric
	}
	if !slices.Contains(slices.Collect(maps.Values(s.metrics(t).reasons())), "gateway not_refused") {
		t.Errorf("%v: the test is blind", s.metrics(t).reasons())
	}
	s.stop()
	<-s.ended
	silent(t, "the log at debug", s.out.String()+s.err.String())
	if !strings.Contains(s.err.String(), "reason=key_rejected") {
		t.Error("the log says nothing of the runs: the test is blind")
	}
}

func (s *served) whispers(t *testing.T, path string, hush func(*testing.T, string, string)) {
	t.Helper()
	status, body := s.request(t, http.MethodGet, path)
	hush(t, path, body)
	if status != http.StatusOK || len(body) < 200 {
		t.Errorf("%s: %d, %d bytes: the test is blind", path, status, len(body))
	}
}
