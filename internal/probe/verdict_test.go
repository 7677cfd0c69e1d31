package probe

import (
	"net/http"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/testkit/recordings"
)

// The proofs of the contract, by what the gateway, its router or the backend answers.
func TestKeyVerdict(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, c := range []struct {
		name, answer        string
		unknown, afterwards KeyVerdict // before the negative test has run, and after it
	}{
		{"success", response("200 OK", "{}"), KeyUnproven, KeyAccepted},
		{"no content", response("204 No Content", ""), KeyUnproven, KeyAccepted},
		{"success that is no JSON", response("200 OK", "<html>"), KeyUnproven, KeyAccepted},
		{"success of anybody, as HTML", response("200 OK", "<html>", "Content-Type: text/html"), KeyUnproven, KeyUnproven},
		{"success of the backend, as HTML", response("200 OK", "<html>", "Content-Type: text/html", marked), KeyAccepted, KeyAccepted},
		{"400 of the gateway's server", response("400 Bad Request", ""), KeyUnproven, KeyUnproven},
		{"414 of the gateway's server", response("414 Request-URI Too Long", ""), KeyUnproven, KeyUnproven},
		{"431 of the gateway's server", response("431 x", ""), KeyUnproven, KeyUnproven},
		{"a firewall", response("403 Forbidden", "Forbidden", "Content-Type: text/plain"), KeyUnproven, KeyUnproven},
		{"a mesh", response("503 Service Unavailable", "no healthy upstream", "Content-Type: text/plain"), KeyUnproven, KeyUnproven},
		{"a limit's store that is down", response("429 x", shape(429, "Rate limit blocked the query due to internal error")), KeyUnproven, KeyAccepted},
		{"503 of the gateway cut off", "HTTP/1.1 503 x\r\n" + marked + "\r\nContent-Length: 90\r\n\r\n" + `{"message":"Te`, KeyUnproven, KeyAccepted},
		{"success cut off", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", KeyUnproven, KeyAccepted},
		{"redirect by the backend", response("302 Found", "", marked, "Location: /x"), KeyAccepted, KeyAccepted},
		{"redirect by anybody", response("302 Found", "", "Location: /x"), KeyUnproven, KeyUnproven},
		{"401 of the gateway", response("401 Unauthorized", shape(401, "Unauthorized")), KeyRejected, KeyRejected},
		{"401 of the gateway cut off", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 90\r\n\r\n" + `{"message":"Un`, KeyUnproven, KeyUnproven},
		{"401 of anybody", response("401 Unauthorized", `{"error":"x"}`), KeyUnproven, KeyUnproven},
		{"401 of anybody, empty", response("401 Unauthorized", ""), KeyUnproven, KeyUnproven},
		{"IP filter", response("403 Forbidden", shape(403, "Your IP (192.0.2.1) or some proxies whereby your request pass through are not allowed to reach this resource.")), KeyUnproven, KeyAccepted},
		{"resource filtering", response("403 Forbidden", shape(403, "You're not allowed to access this resource")), KeyUnproven, KeyAccepted},
		{"403 of anybody", response("403 Forbidden", "no"), KeyUnproven, KeyUnproven},
		{"404 of the gateway", response("404 Not Found", noContextPath), KeyUnproven, KeyUnproven},
		{"404 of the gateway in JSON", response("404 Not Found", shape(404, noContextPath)), KeyUnproven, KeyUnproven},
		{"404 of the router", response("404 Not Found", routerPage, "Content-Type: text/html"), KeyUnproven, KeyUnproven},
		{"404 of the backend", response("404 Not Found", "{}"), KeyUnproven, KeyUnproven},
		{"405 of the gateway", response("405 Method Not Allowed", shape(405, "Method not allowed while accessing this resource")), KeyUnproven, KeyAccepted},
		{"400 of the gateway", response("400 Bad Request", shape(400, "Bad")), KeyUnproven, KeyAccepted},
		{"400 of anybody", response("400 Bad Request", `{"error":"x"}`), KeyUnproven, KeyUnproven},
		{"rate limit", response("429 Too Many Requests", shape(429, "Rate limit exceeded !")), KeyUnproven, KeyAccepted},
		{"500 of the gateway", response("500 Internal Server Error", shape(500, "x")), KeyUnproven, KeyAccepted},
		{"500, empty", response("500 Internal Server Error", ""), KeyUnproven, KeyAccepted},
		{"500 of anybody", response("500 Internal Server Error", `{"error":"x"}`), KeyUnproven, KeyUnproven},
		{"502, empty", response("502 Bad Gateway", ""), KeyUnproven, KeyAccepted},
		{"502 of the gateway", response("502 Bad Gateway", shape(502, "x")), KeyUnproven, KeyAccepted},
		{"503 of the router", response("503 Service Unavailable", routerPage, "Content-Type: text/html"), KeyUnproven, KeyUnproven},
		{"503, empty", response("503 Service Unavailable", ""), KeyUnproven, KeyAccepted},
		{"503 of the gateway", response("503 Service Unavailable", shape(503, "x")), KeyUnproven, KeyAccepted},
		{"503 of anybody", response("503 Service Unavailable", `{"error":"x"}`), KeyUnproven, KeyUnproven},
		{"504, empty", response("504 Gateway Timeout", ""), KeyUnproven, KeyAccepted},
		{"504 of the gateway", response("504 Gateway Timeout", shape(504, "Request timeout")), KeyUnproven, KeyAccepted},
		{"no HTTP", "x", KeyUnproven, KeyUnproven},
		{"a plan that cannot be evaluated", response("503 x", shape(503, "Temporarily Unavailable")), KeyUnproven, KeyUnproven},
		{"401 of a policy", response("401 x", shape(401, "no token")), KeyUnproven, KeyAccepted},
		{"401 of an inner gateway", response("401 x", shape(401, "Unauthorized"), marked), KeyRejected, KeyAccepted},
		{"404 of the backend, marked", response("404 x", "{}", marked), KeyAccepted, KeyAccepted},
		{"Client-Identifier", response("401 x", shape(401, "Unauthorized"), "X-Gravitee-Client-Identifier: 1"), KeyAccepted, KeyAccepted},
		{"401 of the OAuth 2 policy", response("401 x", "", `WWW-Authenticate: Bearer realm="gravitee.io", error="x"`), KeyRejected, KeyRejected},
		{"the long text", response("401 x", shape(401, "API Key is not valid or is expired / revoked.")), KeyRejected, KeyRejected},
	} {
		d := l.gateway(answers(c.answer))
		p := l.plan(d.port)
		seen, _ := run(t, p.prober(), ample)
		if seen.KeyVerdict != c.unknown {
			t.Errorf("%s, before the negative test: %d, want %d", c.name, seen.KeyVerdict, c.unknown)
		}
		p.Refusals = refusing(shape(401, "Unauthorized"))
		seen, _ = run(t, p.prober(), ample)
		if seen.KeyVerdict != c.afterwards {
			t.Errorf("%s, after the negative test: %d, want %d", c.name, seen.KeyVerdict, c.afterwards)
		}
	}
}

// refusing knows that an API answers 401 with this body to whatever key is wrong.
func refusing(body string) *Refusals {
	names := GatewayHeaders{}.orDefault()
	a := newAnswer(&http.Response{StatusCode: 401}, http.MethodGet, []byte(body), &names)
	known := new(Refusals)
	known.withoutKey(a)
	known.withWrongKey(a)
	return known
}

// An expected status is judged by who made it, as any other.
func TestKeyVerdictOfAnExpectedStatus(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for answer, want := range map[string]KeyVerdict{
		response("404 Not Found", `{"error":"nobody"}`, marked):           KeyAccepted,
		response("404 Not Found", shape(404, "No such API")):              KeyUnproven,
		response("401 Unauthorized", shape(401, "Unauthorized")):          KeyRejected,
		response("401 Unauthorized", `{"error":"invalid_token"}`, marked): KeyAccepted,
		response("302 Found", "{}", "X-Gravitee-Transaction-Id: 1"):       KeyAccepted,
		response("500 Internal Server Error", shape(500, "policy broke")): KeyUnproven,
	} {
		p := l.plan(l.gateway(answers(answer)).port)
		p.Status = []int{302, 401, 404, 500}
		seen, err := run(t, p.prober(), ample)
		if err != nil || seen.KeyVerdict != want {
			t.Errorf("%q: %d, %v, want %d", answer, seen.KeyVerdict, err, want)
		}
	}
}

// What an answer means, by what is known of the API: whether its own refusals carry the gateway's ids, and whether its
// successes carry Client-Identifier.
func TestVerdictByWhatIsKnown(t *testing.T) {
	t.Parallel()
	const client = "X-Gravitee-Client-Identifier: 1"
	unauthorized := response("401 x", shape(401, "Unauthorized"))
	limited := "HTTP/1.1 429 x\r\nContent-Type: application/json\r\nContent-Length: 102\r\n"
	plain := refusalsOf(t, unauthorized, unauthorized)
	marking := refusalsOf(t, response("401 x", shape(401, "Unauthorized"), marked), response("401 x", shape(401, "Unauthorized"), marked))
	everywhere := marking
	marking.clientOnSuccess = true
	changing := refusalsOf(t, response("401 x", `{"id":"aaaa"}`), response("401 x", `{"id":"bbbb"}`))
	onlyNone := refusalsOf(t, response("401 x", `{"error":"denied"}`, marked), "")
	for name, c := range map[string]struct {
		answer string
		known  refusals
		want   judged
	}{
		"a router's redirect":                                {response("301 x", "", "Location: /x"), plain, judged{"redirect", "gateway", ""}},
		"a router's redirect before a gateway that marks":    {response("301 x", "", "Location: /x"), marking, judged{"redirect", "gateway", ""}},
		"the backend's redirect":                             {response("301 x", "", "Location: /x", marked), plain, judged{"redirect", "backend", "accepted"}},
		"HEAD, the limit of a gateway that does not mark":    {limited + "\r\n", plain, judged{"rate_limited", "key", "accepted"}},
		"HEAD, the limit of a gateway that marks":            {limited + marked + "\r\n" + client + "\r\n\r\n", marking, judged{"rate_limited", "key", "accepted"}},
		"HEAD, the limit where everything is marked":         {limited + marked + "\r\n\r\n", everywhere, judged{"rate_limited", "key", "accepted"}},
		"HEAD, the limit of a backend":                       {limited + marked + "\r\n\r\n", plain, judged{"rate_limited", "backend", "accepted"}},
		"an API's own text for 500 before the key":           {response("500 x", `{"e":"x"}`, marked), marking, judged{"gateway_error", "gateway", ""}},
		"an API's own text for 503 before the key":           {response("503 x", `{"e":"x"}`, marked), marking, judged{"gateway_error", "gateway", ""}},
		"an API's own text for 403 before the key":           {response("403 x", `{"e":"x"}`, marked), marking, judged{"forbidden", "key", ""}},
		"the backend's 503 after the key":                    {response("503 x", `{"e":"x"}`, marked, client), marking, judged{"backend_error", "backend", "accepted"}},
		"204 before the key":                                 {response("204 x", "", marked), marking, judged{"status", "gateway", ""}},
		"a login before a gateway that marks":                {response("401 x", `{"error":"login"}`), marking, judged{"backend_unauthorized", "backend", ""}},
		"a login before a gateway that does not":             {response("401 x", `{"error":"login"}`), plain, judged{"backend_unauthorized", "backend", ""}},
		"a second template of a gateway that marks":          {response("401 x", `{"error":"expired"}`, marked), marking, judged{"backend_unauthorized", "backend", ""}},
		"the backend's 401 behind a gateway that marks":      {response("401 x", `{"error":"token"}`, marked, client), marking, judged{"backend_unauthorized", "backend", "accepted"}},
		"the backend's 401 behind a gateway that does not":   {response("401 x", `{"error":"token"}`, marked), plain, judged{"backend_unauthorized", "backend", "accepted"}},
		"a refusal that is never the same":                   {response("401 x", `{"id":"cccc"}`), changing, judged{"key_rejected", "key", "rejected"}},
		"something else where a refusal is never the same":   {response("401 x", `{"error":"cccc"}`, marked), changing, judged{"backend_unauthorized", "backend", "accepted"}},
		"the one refusal that is known":                      {response("401 x", `{"error":"denied"}`, marked), onlyNone, judged{"key_rejected", "key", "rejected"}},
		"an error that says it is only temporary":            {response("503 x", shape(503, "Temporarily Unavailable"), marked), marking, judged{"gateway_error", "gateway", ""}},
		"the whole request's time before the key was judged": {response("504 x", shape(504, "Request timeout"), marked), marking, judged{"gateway_error", "gateway", ""}},
	} {
		a := parseAnswer(t, name, c.answer)
		failure := failureOf(&a, c.known)
		got := judged{string(failure.Reason), string(failure.Layer), wordFor(proofOf(&a, c.known))}
		if got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// refusalsOf knows an API that answers so to no key and to a wrong one; empty: not known.
func refusalsOf(t *testing.T, none, wrong string) (known refusals) {
	t.Helper()
	if none != "" {
		known.none = parseAnswer(t, "", none)
	}
	if wrong != "" {
		known.wrong = parseAnswer(t, "", wrong)
	}
	return known
}

// parseAnswer reads the answer to a GET request, or to HEAD for a case that is named so.
func parseAnswer(t *testing.T, name, text string) answer {
	t.Helper()
	method := http.MethodGet
	if strings.HasPrefix(name, "HEAD") {
		method = http.MethodHead
	}
	return parse(t, recordings.Situation{Name: name, Method: method, Answer: text}, GatewayHeaders{})
}
