package probe

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/testkit/recordings"
)

// replay answers as a recorded gateway does: one situation to our key, others without a key and with a wrong one.
type replay struct {
	address  string
	requests atomic.Int64
	wrong    atomic.Int64 // those of requests that carried another key than ours
	pick     func(path string) trio
}

// trio is what is answered to our key, without a key and to a wrong one.
type trio struct{ ours, none, wrong recordings.Situation }

func startReplay(t *testing.T, ours, none, wrong recordings.Situation) *replay {
	t.Helper()
	return startReplays(t, func(string) trio { return trio{ours, none, wrong} })
}

// startReplays answers each path with what pick returns for it.
func startReplays(t *testing.T, pick func(path string) trio) *replay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &replay{address: l.Addr().String(), pick: pick}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go r.serve(conn)
		}
	}()
	return r
}

func (r *replay) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, request.Body)
		r.requests.Add(1)
		known := r.pick(request.URL.Path)
		s := known.ours
		switch request.Header.Get(keyHeader) {
		case "":
			s = known.none
		case testKey:
		default:
			r.wrong.Add(1)
			s = known.wrong
		}
		if s.Answer == "" {
			if known.ours.NoKey != "" { // a gateway that never answers; a router has closed the connection
				_, _ = in.ReadByte() // until the client leaves
			}
			return
		}
		id := request.Header.Get(transactionHeader)
		_, err = io.WriteString(conn, strings.ReplaceAll(s.Answer, recordings.TransactionID, id))
		if err != nil || strings.Contains(strings.ToLower(s.Answer), "\r\nconnection: close\r\n") {
			return
		}
	}
}

// replayed is how the situations are asked for.
type replayed struct {
	gateway  *recordings.Gateway
	reuse    bool
	patience time.Duration // with answers that never end
}

// probers returns the checks of kind api and auth of one API, which share what they know of its refusals.
func (r replayed) probers(t *testing.T, s recordings.Situation, address string) (*HTTP, *Auth) {
	t.Helper()
	transport, err := NewTransport(TransportOptions{Reuse: r.reuse})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.http.CloseIdleConnections)
	request := newLabRequest(s.Method, &url.URL{Scheme: "http", Host: address, Path: "/recorded/" + s.Name})
	request.Body, request.Refusals = []byte(s.Body), new(Refusals)
	if r.gateway != nil {
		success, _ := r.gateway.Situation("ok")
		request.Refusals.succeeded(strings.Contains(success.Answer, "Client-Identifier"))
	}
	shared := NewShared()
	expect := Expect{Status: []int{200}, JSON: s.Method != http.MethodHead, MaxBody: 1 << 20}
	return NewHTTP(request, expect, transport, shared), NewAuth(request, []int{401}, transport, shared)
}

// Every recorded situation, asked for over real connections: before the negative test has run, when the failing run has
// to find out itself how the API refuses a wrong key, and after it.
func TestReplay(t *testing.T) {
	t.Parallel()
	expected := expectations(t)
	for _, g := range gatewayRecordings(t) {
		for _, reuse := range []bool{false, true} {
			name := g.Name()
			if reuse {
				name += ", reuse"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for _, s := range g.Situations {
					want, known := expected.For(g.Version, g.Engine, s.Name, false)
					if known && s.Key {
						replayed{&g, reuse, 200 * time.Millisecond}.ask(t, s, want)
					}
				}
			})
		}
	}
}

func (r replayed) ask(t *testing.T, s recordings.Situation, want recordings.Verdict) {
	t.Helper()
	none, _ := r.gateway.Situation(s.NoKey)
	wrong, _ := r.gateway.Situation(s.WrongKey)
	server := startReplay(t, s, none, wrong)
	api, auth := r.probers(t, s, server.address)
	before := r.judge(t, api, s)
	if server.wrong.Load() > 1 || before.reason == "ok" && server.requests.Load() != 1 {
		t.Errorf("%s: %d requests in one run, %d with a wrong key", s.Name, server.requests.Load(), server.wrong.Load())
	}
	if before.reason != "ok" || want.Key[0] == "" { // a success proves a key once a wrong one has been refused
		before.check(t, s.Name+", before the negative test", want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, _ = auth.Probe(ctx)
	asked := server.wrong.Load()
	r.judge(t, api, s).check(t, s.Name+", after the negative test", want)
	if none.Answer != "" && server.wrong.Load() != asked && statusKnown(wrong) {
		t.Errorf("%s: asked with a wrong key once more, though the answer is known", s.Name)
	}
}

// statusKnown says whether an answer to a wrong key says how the API treats keys.
func statusKnown(wrong recordings.Situation) bool {
	return strings.HasPrefix(wrong.Answer, "HTTP/1.1 401") || strings.HasPrefix(wrong.Answer, "HTTP/1.1 200")
}

func (r replayed) judge(t *testing.T, p Prober, s recordings.Situation) judged {
	t.Helper()
	timeout := 5 * time.Second
	if r.patience > 0 && (s.Answer == "" || s.Name == "cut") {
		timeout = r.patience
	}
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	seen, err := p.Probe(ctx)
	reason, layer := ReasonOf(err)
	if err == nil {
		reason = "ok"
	}
	return judged{string(reason), string(layer), wordFor(seen.KeyVerdict)}
}

// What a proxy on the way changes of an answer, and ids, change no verdict.
func TestVerdictDoesNotDependOnForm(t *testing.T) {
	t.Parallel()
	for name, change := range changes() {
		var names GatewayHeaders
		if name == "renamed headers" {
			names = GatewayHeaders{"X-Id", "X-Request", "X-Client"}
		}
		for _, g := range gatewayRecordings(t) {
			changed := g
			changed.Situations = slices.Clone(g.Situations)
			for i := range changed.Situations {
				changed.Situations[i].Answer = change(changed.Situations[i])
			}
			for i, s := range g.Situations {
				if s.Answer == "" || s.Name == "cut" {
					continue
				}
				want, got := judgeRecorded(t, &g, s, GatewayHeaders{}), judgeRecorded(t, &changed, changed.Situations[i], names)
				if got != want {
					t.Errorf("%s: %s, %s: %v, want %v", name, g.Name(), s.Name, got, want)
				}
			}
		}
	}
}

// changes returns ways in which the same answer can be written.
func changes() map[string]func(recordings.Situation) string {
	lines := func(edit func(lines []string) []string) func(recordings.Situation) string {
		return func(s recordings.Situation) string {
			head, body, _ := strings.Cut(s.Answer, "\r\n\r\n")
			all := strings.Split(head, "\r\n")
			return strings.Join(append(all[:1:1], edit(all[1:])...), "\r\n") + "\r\n\r\n" + body
		}
	}
	header := func(edit func(name, value string) string) func(recordings.Situation) string {
		return lines(func(all []string) (changed []string) {
			for _, line := range all {
				name, value, _ := strings.Cut(line, ": ")
				changed = append(changed, edit(name, value))
			}
			return changed
		})
	}
	return map[string]func(recordings.Situation) string{
		"another order": lines(func(all []string) []string {
			all = slices.Clone(all)
			slices.Reverse(all)
			return all
		}),
		"small letters":   header(func(name, value string) string { return strings.ToLower(name) + ": " + value }),
		"capital letters": header(func(name, value string) string { return strings.ToUpper(name) + ": " + value }),
		"other ids": header(func(name, value string) string {
			if strings.HasPrefix(name, "X-Gravitee-") {
				value = "another-" + name
			}
			return name + ": " + value
		}),
		"renamed headers": func(s recordings.Situation) string {
			return strings.NewReplacer("X-Gravitee-Transaction-Id", "X-Id", "X-Gravitee-Request-Id", "X-Request", "X-Gravitee-Client-Identifier", "X-Client").Replace(s.Answer)
		},
		"a date": lines(func(all []string) []string {
			return append(slices.Clone(all), "Date: Mon, 30 Nov 2026 23:13:18 GMT", "Server: openresty")
		}),
		"a proxy's headers": lines(func(all []string) []string {
			return append(slices.Clone(all), "Via: 1.1 proxy", "Set-Cookie: 1a2b=3c4d; path=/; HttpOnly", "X-Cache: MISS")
		}),
		"chunked": inChunks,
	}
}

// inChunks announces no length.
func inChunks(s recordings.Situation) string {
	head, body, _ := strings.Cut(s.Answer, "\r\n\r\n")
	if s.Method == http.MethodHead || body == "" || strings.Contains(strings.ToLower(head), "transfer-encoding") {
		return s.Answer
	}
	var kept []string
	for line := range strings.SplitSeq(head, "\r\n") {
		if !strings.HasPrefix(strings.ToLower(line), "content-length:") {
			kept = append(kept, line)
		}
	}
	return strings.Join(append(kept, "Transfer-Encoding: chunked"), "\r\n") + "\r\n\r\n" + strconv.FormatInt(int64(len(body)), 16) + "\r\n" + body + "\r\n0\r\n\r\n"
}

// Two engines that answer one situation differently get the same verdict, or the expectations leave room for both.
func TestEnginesAgree(t *testing.T) {
	t.Parallel()
	expected := expectations(t)
	first := map[string]judged{}
	by := map[string]string{}
	for _, g := range gatewayRecordings(t) {
		for _, s := range g.Situations {
			want, known := expected.For(g.Version, g.Engine, s.Name, false)
			if !known || s.Answer == "" {
				continue
			}
			got := judgeRecorded(t, &g, s, GatewayHeaders{})
			before, seen := first[s.Name]
			if seen && before != got && len(want.Reason)*len(want.Layer)*len(want.Key) == 1 && s.Name != "rulebroken" {
				t.Errorf("%s: %v by %s, %v by %s", s.Name, before, by[s.Name], got, g.Name())
			}
			first[s.Name], by[s.Name] = got, g.Name()
		}
	}
}

// Routers' own pages, recorded and as OKD's documentation has them, are no backend's word and prove nothing, neither to
// kind api nor to kind auth, whatever is known of how the gateway behind them refuses.
func TestRoutersPages(t *testing.T) {
	t.Parallel()
	recorded, err := recordings.Routers()
	if err != nil {
		t.Fatal(err)
	}
	expected := expectations(t)
	asked := 0
	for i, s := range slices.Concat(recorded, okdPages()) {
		want, known := expected.For("", "", s.Name, false)
		if i >= len(recorded) {
			want, known = recordings.Verdict{Reason: []string{"gateway_unavailable"}, Layer: []string{"gateway"}, Key: []string{""}}, true
		}
		if !known {
			t.Errorf("nothing is expected of %s", s.Name)
			continue
		}
		asked++
		askRouter(t, s, want)
	}
	if asked < 40 {
		t.Errorf("%d pages asked for", asked)
	}
}

func askRouter(t *testing.T, s recordings.Situation, want recordings.Verdict) {
	t.Helper()
	server := startReplay(t, s, s, s)
	api, auth := replayed{}.probers(t, s, server.address)
	replayed{}.judge(t, api, s).check(t, s.Name, want)
	if server.wrong.Load() > 0 && !strings.Contains(s.Name, "closed") {
		t.Errorf("%s: asked with a wrong key where a router answers", s.Name)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	_, err := auth.Probe(ctx)
	cancel()
	reason, layer := ReasonOf(err)
	if !strings.Contains(s.Name, "-401") && !(slices.Contains(want.Reason, string(reason)) && slices.Contains(want.Layer, string(layer))) {
		t.Errorf("%s, kind auth: %v at %s, want %v at %v", s.Name, err, layer, want.Reason, want.Layer)
	}
	for _, g := range gatewayRecordings(t) {
		none, _ := g.Situation("no-key")
		wrong, known := g.Situation("unknown-key")
		if !known {
			t.Fatalf("%s has no unknown-key", g.Name())
		}
		server := startReplay(t, s, none, wrong)
		api, auth := replayed{}.probers(t, s, server.address)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, _ = auth.Probe(ctx)
		cancel()
		refused := api.request.Refusals.now()
		if !refused.any() {
			t.Errorf("%s before %s: the refusals are not known", s.Name, g.Name())
		}
		replayed{}.judge(t, api, s).check(t, s.Name+" before "+g.Name(), want)
	}
}

func okdPages() []recordings.Situation {
	page := func(name, method, status, title string) recordings.Situation {
		body := "<html>\n  <head>\n    <meta name=\"viewport\">\n  </head>\n  <body><h1>" + title + "</h1></body>\n</html>\n"
		if method == http.MethodHead {
			body = ""
		}
		return recordings.Situation{Name: name, Method: method, Key: true, Answer: "HTTP/1.0 " + status +
			"\r\nPragma: no-cache\r\nCache-Control: private, max-age=0, no-cache, no-store\r\nConnection: close\r\nContent-Type: text/html\r\n\r\n" + body}
	}
	return []recordings.Situation{
		page("okd-503", http.MethodGet, "503 Service Unavailable", "Application is not available"),
		page("okd-503-head", http.MethodHead, "503 Service Unavailable", ""),
		page("okd-404", http.MethodGet, "404 Error", "Application or Document Not Found"),
		page("okd-404-head", http.MethodHead, "404 Error", ""),
		defaultBackendSays("default-backend-404", http.MethodPost, "default backend - 404"),
		defaultBackendSays("default-backend-404-head", http.MethodHead, ""),
	}
}

func defaultBackendSays(name, method, body string) recordings.Situation {
	return recordings.Situation{
		Name: name, Method: method, Body: postBody(method), Key: true,
		Answer: "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 21\r\nConnection: close\r\n\r\n" + body,
	}
}

// postBody is what is sent with a POST.
func postBody(method string) string {
	if method == http.MethodPost {
		return "{}"
	}
	return ""
}
