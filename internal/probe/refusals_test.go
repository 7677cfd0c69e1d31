package probe

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A refusal whose body comes too late is a refusal still, of an API that may refuse so or not.
func TestRefusalThatEndsLate(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	late := func(d *door, c net.Conn) {
		if d.receive(bufio.NewReader(c)) == nil {
			stalls("HTTP/1.1 401 Unauthorized\r\nContent-Length: 10\r\n\r\n{")(d, c)
		}
	}
	for _, refusals := range [][]int{{401}, {403}} {
		p := l.plan(l.gateway(late).port)
		p.Refusals = new(Refusals)
		seen, err := p.auth(refusals...).Probe(t.Context())
		if errors.Is(err, context.Canceled) || (err == nil) != (refusals[0] == 401) || seen.Status != 401 {
			t.Errorf("%v expected: status %d, %v", refusals, seen.Status, err)
		}
		known := p.Refusals.now()
		if known.equal(&answer{status: 401}) {
			t.Errorf("%v expected: what was not read is taken for a refusal's text", refusals)
		}
	}
}

// What only looks like a success says nothing of the API's successes.
func TestOnlySuccessesTeach(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const client = "X-Gravitee-Client-Identifier: 1"
	for name, c := range map[string]struct {
		answer string
		client bool
	}{
		"a maintenance page": {response("200 OK", "<html>", "Content-Type: text/html"), true},
		"another text":       {response("200 OK", "soon back"), true},
		"a success":          {response("200 OK", "{}", marked), false},
		"its own success":    {response("200 OK", "{}", marked, client), true},
	} {
		p := l.plan(l.gateway(answers(c.answer)).port)
		p.Refusals = refusing(shape(401, "Unauthorized"))
		p.Refusals.succeeded(true)
		_, _ = run(t, p.prober(), ample)
		if p.Refusals.now().clientOnSuccess != c.client {
			t.Errorf("%s: successes carry Client-Identifier: %v", name, !c.client)
		}
	}
}

// A failing run asks with a wrong key only where that may tell something, and never for longer than half of what is left.
func TestAskingWithAWrongKey(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ours, wrong string // answers: a status, a space and a body
		asked       int64  // in three runs
	}{
		"a refusal":                {"500 ", "401 x", 1},
		"not refused":              {"500 ", "200 {}", 1},
		"forbidden":                {"500 ", "403 no", 1},
		"limited":                  {"401 no", "429 no", 1},
		"no API":                   {"404 " + noContextPath, "404 " + noContextPath, 0},
		"an unmarked page":         {"503 <html>", "401 x", 0},
		"a redirect":               {"302 ", "401 x", 0},
		"a page to the wrong key":  {"500 ", "503 <html>", 1},
		"a page that says success": {"500 ", "200 <html>", 1},
	} {
		var asked atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := c.ours
			if r.Header.Get(keyHeader) != testKey {
				asked.Add(1)
				answer = c.wrong
			}
			status, body, _ := strings.Cut(answer, " ")
			if strings.HasPrefix(body, "<") {
				w.Header().Set("Content-Type", "text/html")
			}
			w.WriteHeader(statusOf(status))
			_, _ = w.Write([]byte(body))
		}))
		t.Cleanup(server.Close)
		api, _ := newReplayed(t, server.URL)
		for range 3 {
			_, _ = run(t, api, ample)
		}
		if asked.Load() != c.asked {
			t.Errorf("%s: asked %d times in three runs, want %d", name, asked.Load(), c.asked)
		}
	}
}

func statusOf(text string) (status int) {
	for _, digit := range text {
		status = 10*status + int(digit-'0')
	}
	return status
}

func newReplayed(t *testing.T, address string) (*HTTP, *Auth) {
	t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := NewTransport(TransportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	request := newLabRequest(http.MethodGet, at)
	request.Refusals = new(Refusals)
	shared := NewShared()
	return NewHTTP(request, Expect{Status: []int{200}, JSON: true, MaxBody: 1 << 20}, transport, shared), NewAuth(request, []int{401}, transport, shared)
}

// An API that never answers a wrong key holds up a failing run for half of its time at most.
func TestWrongKeyThatIsNeverAnswered(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(keyHeader) != testKey {
			select {
			case <-release:
			case <-r.Context().Done():
			}
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	api, _ := newReplayed(t, server.URL)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	_, err := api.Probe(ctx)
	expectReason(t, err, ReasonBackendError)
	if ctx.Err() != nil {
		t.Error("the run's time was used up")
	}
}

// What says nothing of how the API treats keys keeps failing runs from asking again for a while, and what is known is
// forgotten after a day.
func TestRefusalsAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		known := refusing(shape(401, "Unauthorized"))
		known.withWrongKey(answer{status: 503})
		if known.worthAsking() {
			t.Error("asked again at once")
		}
		time.Sleep(patience)
		if !known.worthAsking() {
			t.Error("never asked again")
		}
		time.Sleep(refusalsAge - patience - time.Nanosecond)
		now := known.now()
		if !now.refused() {
			t.Error("forgotten before a day was over")
		}
		time.Sleep(time.Nanosecond)
		now = known.now()
		if now.any() {
			t.Error("known for more than a day")
		}
	})
}

// Checks of one API share what is known as long as its request stays the same. A configuration that is not put in force
// takes nothing away, and one that is not in use any more leaves nothing behind.
func TestRefusalsAreShared(t *testing.T) {
	t.Parallel()
	shared := NewShared()
	checkSharing(t, shared)
	for range 100 {
		runtime.GC()
		shared.refusalsMu.Lock()
		left := len(shared.refusals)
		shared.refusalsMu.Unlock()
		if left == 0 {
			return
		}
		runtime.Gosched()
	}
	t.Error("what nobody uses is remembered")
}

func checkSharing(t *testing.T, shared *Shared) {
	t.Helper()
	target := Target{Institution: "uio", Kind: KindAPI, Name: "dfo"}
	known := shared.Refusals(target, "1")
	if shared.Refusals(target, "2") == known {
		t.Error("another request shares what is known")
	}
	if shared.Refusals(target, "1") != known {
		t.Error("a request that another configuration had changed has lost what is known")
	}
	runtime.KeepAlive(known)
}
