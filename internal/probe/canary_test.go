package probe

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

const canary = "kanarifugl"

// written is what package log prints during a test.
type written struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

func captureLog(t *testing.T) *written {
	w := new(written)
	before := log.Writer()
	log.SetOutput(w)
	t.Cleanup(func() { log.SetOutput(before) })
	return w
}

// planted puts the canary wherever a request can hold something private.
func planted(p *plan) {
	p.URL.Path = "/" + canary
	p.Body = []byte(`{"fnr":"` + canary + `"}`)
	p.Method = http.MethodPost
	p.Secrets = map[string]secret.Source{
		"X-Gravitee-Api-Key": secret.Literal{Value: secret.New(canary)},
		"X-Other":            secret.Literal{Value: secret.New("x " + canary)},
	}
}

// everyWay shows v in every way in which somebody might print it.
func everyWay(v any) string {
	var b strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	marshaled, _ := json.Marshal(v)
	b.Write(marshaled)
	return b.String()
}

// holdsCanary says whether text holds the canary, plain, in hexadecimal or as numbers.
func holdsCanary(text string) bool {
	if strings.Contains(text, "canary-") { // the passwords of the broker's tests
		return true
	}
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), strings.Trim(fmt.Sprint([]byte(canary)), "[]")} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return strings.Contains(text, strings.Trim(strings.ReplaceAll(fmt.Sprintf("%#v", []byte(canary)), "[]byte", ""), "{}"))
}

func TestCanariesStayInside(t *testing.T) {
	output := captureLog(t)
	object := `{"fnr":"` + canary + `"}`
	secretHeaders := []string{
		"Location: https://" + canary + ".test/", "X-Private: " + canary, "X-Quota-Limit: " + canary, "Set-Cookie: a=" + canary,
		"X-Gravitee-Transaction-Id: " + canary, "X-Gravitee-Client-Identifier: " + canary, `WWW-Authenticate: Bearer realm="` + canary + `"`,
	}
	for _, c := range []struct {
		name   string
		server func(*lab) *door
		edit   func(*plan)
	}{
		{"success", tlsGateway(answers(response("200 OK", object, secretHeaders...))), nil},
		{"reused", tlsGateway(keeps(response("200 OK", object, secretHeaders...))), reuse},
		{"redirect", tlsGateway(answers(response("302 Found", canary, secretHeaders...))), nil},
		{"not json", tlsGateway(answers(response("200 OK", canary, secretHeaders...))), nil},
		{"truncated", tlsGateway(answers("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + object)), nil},
		{"gateway's message", tlsGateway(answers(response("401 x", shape(401, canary)))), nil},
		{"backend's message", tlsGateway(answers(response("500 "+canary, object))), nil},
		{"status text", tlsGateway(answers(response("418 "+canary, object))), nil},
		{"too large", tlsGateway(answers(response("200 OK", strings.Repeat(canary, 99)))), small},
		{"jq fails", tlsGateway(answers(response("200 OK", "["+object+"]"))), wants(".fnr")},
		{"jq raises", tlsGateway(answers(response("200 OK", object))), wants("error")},
		{"jq differs", tlsGateway(answers(response("200 OK", object))), wants(".fnr")},
		{"header differs", tlsGateway(answers(response("200 OK", object, secretHeaders...))), wantsHeader("X-Private", "^x$")},
		{"malformed status line", tlsGateway(answers(canary + "\r\n\r\n")), nil},
		{"malformed status", tlsGateway(answers("HTTP/1.1 " + canary + "\r\n\r\n")), nil},
		{"malformed header", tlsGateway(answers("HTTP/1.1 200 OK\r\n" + canary + "\r\n\r\n")), nil},
		{"malformed length", tlsGateway(answers("HTTP/1.1 200 OK\r\nContent-Length: " + canary + "\r\n\r\n")), nil},
		{"malformed encoding", tlsGateway(answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: " + canary + "\r\n\r\n")), nil},
		{"malformed chunk", tlsGateway(answers(chunked + canary + "\r\n")), nil},
		{"not gzip", tlsGateway(answers(response("200 OK", object, gzipped))), nil},
		{"no TLS", plain(says(canary)), nil},
		{"name unknown", nobody, toHost("unknown.test")},
		{"header that cannot be sent", nobody, func(p *plan) { p.Header["X-A"] = []string{canary + "\n"} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			p := l.plan(c.server(l).port)
			planted(p)
			if c.edit != nil {
				c.edit(p)
			}
			h := p.prober()
			seen, err := h.Probe(t.Context())
			staysInside(t, h, seen, err)
			if holdsCanary(everyWay(p.Secrets)) {
				t.Error("the secrets hold it")
			}
			for wrapped := err; wrapped != nil; {
				unwrapper, ok := wrapped.(interface{ Unwrap() error })
				if !ok {
					break
				}
				wrapped = unwrapper.Unwrap()
				t.Errorf("the error carries a foreign one: %T", wrapped)
			}
		})
	}
	if output.String() != "" {
		t.Errorf("package log printed:\n%s", output)
	}
}

// staysInside holds that nothing that leaves a run holds the canary.
func staysInside(t *testing.T, p Prober, seen Observation, err error) {
	t.Helper()
	for _, thing := range []any{seen, &seen, Result{Observation: seen, Err: err}, err, p, Check{Prober: p}, []Prober{p}} {
		text := everyWay(thing)
		if holdsCanary(text) {
			t.Errorf("%T holds it:\n%s", thing, text)
		}
	}
	if err != nil && holdsCanary(err.Error()) {
		t.Errorf("the error holds it: %v", err)
	}
}

// How an API refuses stays inside, with its headers renamed too: what a failing run of kind api learns of it with a wrong
// key, and what kind auth sees.
func TestCanariesOfRefusalsStayInside(t *testing.T) {
	marks := []string{
		"X-Id: " + canary, "X-Request: " + canary, `WWW-Authenticate: Bearer realm="` + canary + `"`,
		"X-Gravitee-Transaction-Id: " + canary, "X-Gravitee-Request-Id: " + canary,
	}
	known := slices.Concat(marks, []string{"X-Client: " + canary, "X-Gravitee-Client-Identifier: " + canary})
	message := shape(401, canary)
	says := func(status, body string, headers []string) string {
		return response(status+" "+canary, body, headers...)
	}
	for _, c := range []struct {
		name              string
		ours, none, wrong string // answers to our key, without one and to a wrong one
		reason, auth      Reason
	}{
		{"refused", says("401", message, marks), says("401", canary, marks), says("401", message, marks), ReasonKeyRejected, ""},
		{"another 401", says("401", canary, nil), says("401", canary, marks), says("401", message, marks), ReasonBackendUnauthorized, ""},
		{"a policy's 401", says("401", message, known), says("401", canary, marks), "", ReasonGatewayError, ReasonInvalidResponse},
		{"the backend's 500", says("500", canary, marks), says("500", canary, known), says("401", canary, marks), ReasonBackendError, ReasonBackendError},
		{"open", says("404", canary, marks), says("401", canary, marks), says("200", canary, known), ReasonNotFound, ReasonNotRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			var asked atomic.Bool
			d := l.gateway(keyed(writes(c.none), func(d *door, conn net.Conn) {
				if d.last().Header.Get(keyHeader) == canary {
					writes(c.ours)(d, conn)
					return
				}
				asked.Store(true)
				writes(c.wrong)(d, conn)
			}))
			p := l.plan(d.port)
			planted(p)
			p.Refusals, p.Names = new(Refusals), GatewayHeaders{"X-Id", "X-Request", "X-Client"}
			api := p.prober()
			auth := NewAuth(p.Request, []int{401}, api.transport, api.shared)
			seen, err := api.Probe(t.Context())
			expectReason(t, err, c.reason)
			staysInside(t, api, seen, err)
			if asked.Load() != (c.wrong != "") {
				t.Errorf("asked with a wrong key: %v", asked.Load())
			}
			seen, err = auth.Probe(t.Context())
			expectReason(t, err, c.auth)
			staysInside(t, auth, seen, err)
		})
	}
}

// The one way out that package probe cannot close: net/http itself prints the
// start of what arrives on an idle connection, and takes no other logger. A
// program that keeps connections must silence package log.
func TestUnsolicitedAnswerLeavesByPackageLogOnly(t *testing.T) {
	output := captureLog(t)
	l := newLab(t)
	again := make(chan struct{})
	first := response("200 OK", goodJSON)
	d := l.gateway(func(d *door, c net.Conn) {
		_ = d.receive(bufio.NewReader(c))
		_, _ = io.WriteString(c, first)
		<-again
		_, _ = io.WriteString(c, response("200 OK", canary))
	})
	p := l.plan(d.port)
	p.Reuse = true
	h := p.prober()
	seen, err := run(t, h, ample)
	close(again)
	waitUntil(t, func() bool { return output.String() != "" })
	for _, thing := range []any{seen, err, h} {
		if holdsCanary(everyWay(thing)) {
			t.Errorf("%T holds it", thing)
		}
	}
	if !strings.HasPrefix(afterTime(output.String()), "Unsolicited response received on idle HTTP channel starting with ") {
		t.Errorf("package log printed:\n%s", output)
	}

	p.Reuse = false
	before := output.String()
	_, err = run(t, p.prober(), ample)
	time.Sleep(20 * time.Millisecond)
	if err != nil || output.String() != before {
		t.Errorf("fresh connections: %v; package log printed:\n%s", err, output)
	}
}

// afterTime drops package log's date and time.
func afterTime(line string) string {
	parts := strings.SplitN(line, " ", 3)
	return parts[len(parts)-1]
}
