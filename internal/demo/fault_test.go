package demo

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

func ours(contentType, body string) http.Header {
	return headers("Connection", "close", "Content-Type", contentType, "Content-Length", strconv.Itoa(len(body)))
}

// failure is what the gateway says for itself, in both forms.
func failure(status int, json, text string) [2]answer {
	return [2]answer{
		{Status: status, Header: ours("application/json", json), Body: json},
		{Status: status, Header: ours("text/plain", text), Body: text},
	}
}

// same is an answer that does not depend on Accept.
func same(status int, body string, h http.Header) [2]answer {
	h.Set("Content-Length", strconv.Itoa(len(body)))
	a := answer{Status: status, Header: h, Body: body}
	return [2]answer{a, a}
}

func empty(status int) [2]answer {
	h := headers()
	if status != 503 {
		h.Set("Connection", "close")
	}
	return same(status, "", h)
}

// passed is what the backend says, with the ids the gateway adds.
func passed(status int, contentType, body string, more ...string) [2]answer {
	h := headers(more...)
	h.Set("Server", "BaseHTTP/0.6 Python/3.11.7")
	h.Set("Content-Type", contentType)
	h.Set("X-Gravitee-Transaction-Id", "ours")
	h.Set("X-Gravitee-Request-Id", "random")
	return same(status, body, h)
}

const nobody = `{"ansatt":[]}`

// wantAnswers holds the exact answer to each fault, for Accept: application/json and for text/plain.
var wantAnswers = map[Fault][2]answer{
	Healthy: passed(200, "application/json", nobody),
	RouterUnavailable: unmeasured(same(503, routerPage, headers("Connection", "close", "Content-Type", "text/html",
		"Cache-Control", "private, max-age=0, no-cache, no-store", "Pragma", "no-cache"))),
	UnknownContextPath: same(404, "No context-path matches the request URI.",
		headers("Content-Type", "text/plain")),
	JustStarted: same(404, "No context-path matches the request URI.",
		headers("Content-Type", "text/plain")),
	KeyRejected:   failure(401, `{"message":"Unauthorized","http_status_code":401}`, "Unauthorized"),
	PlanCondition: failure(401, `{"message":"Unauthorized","http_status_code":401}`, "Unauthorized"),
	ResponseTemplate: same(401, `{"error":"unauthorized"}`,
		headers("Connection", "close", "Content-Type", "application/json")),
	PolicyUnauthorized: failure(401, `{"message":"no token","http_status_code":401}`, "no token"),
	RequestTimeout:     failure(504, `{"message":"Request timeout","http_status_code":504}`, "Request timeout"),
	TemporarilyUnavailable: open(failure(503, `{"message":"Temporarily Unavailable","http_status_code":503}`,
		"Temporarily Unavailable")),
	InnerGateway: foreign(passed(401, "application/json", `{"message":"Unauthorized","http_status_code":401}`)),
	Failover: same(502, "", headers("Connection", "close", "X-Gravitee-Transaction-Id", "ours",
		"X-Gravitee-Request-Id", "random")),
	LimitStoreDown: passed(200, "application/json", nobody, "X-Rate-Limit-Limit", "2", "X-Rate-Limit-Remaining", "2",
		"X-Rate-Limit-Reset", "-1"),
	BackendBadRequest:  passed(400, "application/json", `{"error":"invalid_request"}`),
	BackendRateLimited: passed(429, "application/json", `{"error":"slow_down"}`),
	RouterNotFound:     routers(same(404, "default backend - 404", headers("Content-Type", "text/plain; charset=utf-8"))),
	RouterBadGateway: routers(same(502, "<html><body><h1>502 Bad Gateway</h1>\nThe server returned an invalid or incomplete response.\n</body></html>\n",
		headers("Content-Type", "text/html"))),
	RouterTimeout: routers(same(504, "<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n</body></html>\n",
		headers("Content-Type", "text/html"))),
	KeyOpen: passed(200, "application/json", nobody),
	ResourceForbidden: failure(403, `{"message":"You're not allowed to access this resource","http_status_code":403}`,
		"You're not allowed to access this resource"),
	MethodForbidden: failure(405, `{"message":"Method not allowed while accessing this resource","http_status_code":405}`,
		"Method not allowed while accessing this resource"),
	GatewayError: failure(500, `{"message":"Internal Server Error","http_status_code":500}`, "Internal Server Error"),
	RateLimited: limited(failure(429,
		`{"message":"Rate limit exceeded ! You reach the limit of 2 requests per 1 minutes","http_status_code":429}`,
		"Rate limit exceeded ! You reach the limit of 2 requests per 1 minutes")),
	BackendDead:        empty(504),
	BackendRefused:     empty(502),
	BackendUnavailable: empty(503),
	BackendUnauthorized: passed(401, "application/json", `{"error":"invalid_token"}`,
		"WWW-Authenticate", `Bearer error="invalid_token"`),
	BackendForbidden: passed(403, "application/json", `{"error":"insufficient_scope"}`),
	BackendNotFound:  passed(404, "application/json", `{"error":"not_found"}`),
	BackendError:     passed(500, "application/json", `{"error":"server_error"}`),
	Redirect:         passed(302, "text/html; charset=utf-8", "", "Location", "https://login.example.no/"),
	Slow:             passed(200, "application/json", nobody),
	HTMLPage:         passed(200, "text/html; charset=utf-8", page),
	EmptyBody:        passed(200, "application/json", ""),
	TruncatedBody:    truncated(foreign(passed(200, "application/json", page))),
	BrokenJSON:       passed(200, "application/json", `[{"id":"1"`),
	UnexpectedJSON:   passed(200, "application/json", `[]`),
}

// unmeasured is a page that ends with the connection.
func unmeasured(answers [2]answer) [2]answer {
	answers[0].Header.Del("Content-Length")
	return answers
}

// open leaves the connection as it is.
func open(answers [2]answer) [2]answer {
	for _, a := range answers {
		a.Header.Del("Connection")
	}
	return answers
}

// foreign is of another backend than the usual one.
func foreign(answers [2]answer) [2]answer {
	answers[0].Header.Del("Server")
	return answers
}

func routers(answers [2]answer) [2]answer {
	answers[0].Header.Set("Connection", "close")
	answers[0].Header.Set("Cache-Control", "no-cache")
	return answers
}

func limited(answers [2]answer) [2]answer {
	for _, a := range answers {
		a.Header.Set("X-Rate-Limit-Limit", "2")
		a.Header.Set("X-Rate-Limit-Remaining", "0")
		a.Header.Set("X-Rate-Limit-Reset", "soon")
	}
	return answers
}

func truncated(answers [2]answer) [2]answer {
	for i := range answers {
		answers[i].Body = page[:len(page)/2]
		answers[i].Err = "unexpected EOF"
		answers[i].Header.Set("Connection", "close")
	}
	return answers
}

// soon replaces an end of a window in epoch milliseconds, if that is what it is.
func soon(a answer, within time.Duration) answer {
	for _, name := range []string{"X-Rate-Limit-Reset", "X-Quota-Reset"} {
		ms, err := strconv.ParseInt(a.Header.Get(name), 10, 64)
		left := time.Until(time.UnixMilli(ms))
		if err == nil && left > -time.Second && left <= within {
			a.Header.Set(name, "soon")
		}
	}
	return a
}

func TestEveryFault(t *testing.T) {
	p := start(t, quick())
	for _, f := range Faults() {
		want, ok := wantAnswers[f]
		if f == Refused || f == Silent {
			continue // no answer: demo_test.go
		}
		if !ok {
			t.Errorf("%v: not in the table", f)
		}
		for i, accept := range []string{"application/json", "text/plain"} {
			t.Run(f.String()+"/"+accept, func(t *testing.T) {
				p.Set("uio", "ansatte", f)
				r := documented(t, p, "uio", "ansatte")
				r.Header.Set("Accept", accept)
				r.Close = f == TruncatedBody // else the gateway keeps the connection
				begin := time.Now()
				got := soon(mustSend(t, client(t, p, "uio", false), r), time.Minute)
				if diff := cmp.Diff(want[i], got); diff != "" {
					t.Errorf("answer (-want +got):\n%s", diff)
				}
				if took := time.Since(begin); took < delay[f] {
					t.Errorf("answered after %v, want at least %v", took, delay[f])
				}
			})
		}
	}
}

var delay = map[Fault]time.Duration{BackendDead: 20 * time.Millisecond, Slow: 30 * time.Millisecond}

// Without a key every fault behind the gateway's check shows the same 401; the others show themselves.
func TestFaultsWithoutKey(t *testing.T) {
	p := start(t, quick())
	c := client(t, p, "uio", false)
	before := map[Fault]int{
		RouterUnavailable: 503, UnknownContextPath: 404, JustStarted: 404, KeyOpen: 200, TemporarilyUnavailable: 503,
		RouterNotFound: 404, RouterBadGateway: 502, RouterTimeout: 504,
	}
	for _, f := range Faults() {
		if f == Refused || f == Silent {
			continue
		}
		p.Set("uio", "ansatte", f)
		r := documented(t, p, "uio", "ansatte")
		r.Header.Del("X-Gravitee-Api-Key")
		got := mustSend(t, c, r)
		want, ok := before[f]
		if !ok {
			want = 401
		}
		if got.Status != want {
			t.Errorf("%v without a key: status %d, want %d", f, got.Status, want)
		}
		const unauthorized = `{"message":"Unauthorized","http_status_code":401}`
		if want == 401 && got.Body != unauthorized && f != ResponseTemplate {
			t.Errorf("%v without a key: body %q, want %q", f, got.Body, unauthorized)
		}
	}
}

func TestFaultOfTheWholeGatewayWins(t *testing.T) {
	p := start(t, quick())
	c := client(t, p, "uio", false)
	p.Set("uio", "ansatte", EmptyBody)
	p.Set("uio", "", RouterUnavailable)
	for _, api := range []string{"ansatte", "krr"} {
		if got := mustSend(t, c, documented(t, p, "uio", api)); got.Status != 503 {
			t.Errorf("%s: status %d, want 503", api, got.Status)
		}
	}
	p.Clear("uio", "")
	if got := mustSend(t, c, documented(t, p, "uio", "ansatte")); got.Status != 200 || got.Body != "" {
		t.Errorf("after clearing the gateway the API's own fault is gone: %+v", got)
	}
}
