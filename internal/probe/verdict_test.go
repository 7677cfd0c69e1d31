package probe

import (
	"net/http"
	"testing"
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
		{"success cut off", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", KeyUnproven, KeyAccepted},
		{"redirect by the backend", response("302 Found", "", marked, "Location: /x"), KeyAccepted, KeyAccepted},
		{"redirect by anybody", response("302 Found", "", "Location: /x"), KeyUnproven, KeyAccepted},
		{"401 of the gateway", response("401 Unauthorized", shape(401, "Unauthorized")), KeyRejected, KeyRejected},
		{"401 of the gateway cut off", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 90\r\n\r\n" + `{"message":"Un`, KeyUnproven, KeyUnproven},
		{"401 of the backend", response("401 Unauthorized", `{"error":"x"}`), KeyUnproven, KeyAccepted},
		{"401 of the backend, empty", response("401 Unauthorized", ""), KeyUnproven, KeyAccepted},
		{"IP filter", response("403 Forbidden", shape(403, "Your IP (192.0.2.1) or some proxies whereby your request pass through are not allowed to reach this resource.")), KeyUnproven, KeyAccepted},
		{"resource filtering", response("403 Forbidden", shape(403, "You're not allowed to access this resource")), KeyUnproven, KeyAccepted},
		{"403 of the backend", response("403 Forbidden", "no"), KeyUnproven, KeyAccepted},
		{"404 of the gateway", response("404 Not Found", noContextPath), KeyUnproven, KeyUnproven},
		{"404 of the gateway in JSON", response("404 Not Found", shape(404, noContextPath)), KeyUnproven, KeyUnproven},
		{"404 of the router", response("404 Not Found", routerPage, "Content-Type: text/html"), KeyUnproven, KeyUnproven},
		{"404 of the backend", response("404 Not Found", "{}"), KeyUnproven, KeyUnproven},
		{"405 of the gateway", response("405 Method Not Allowed", shape(405, "Method not allowed while accessing this resource")), KeyUnproven, KeyAccepted},
		{"400 of the gateway", response("400 Bad Request", shape(400, "Bad")), KeyUnproven, KeyAccepted},
		{"400 of the backend", response("400 Bad Request", `{"error":"x"}`), KeyUnproven, KeyAccepted},
		{"rate limit", response("429 Too Many Requests", shape(429, "Rate limit exceeded !")), KeyUnproven, KeyAccepted},
		{"500 of the gateway", response("500 Internal Server Error", shape(500, "x")), KeyUnproven, KeyAccepted},
		{"500, empty", response("500 Internal Server Error", ""), KeyUnproven, KeyAccepted},
		{"500 of the backend", response("500 Internal Server Error", `{"error":"x"}`), KeyUnproven, KeyAccepted},
		{"502, empty", response("502 Bad Gateway", ""), KeyUnproven, KeyAccepted},
		{"502 of the gateway", response("502 Bad Gateway", shape(502, "x")), KeyUnproven, KeyAccepted},
		{"503 of the router", response("503 Service Unavailable", routerPage, "Content-Type: text/html"), KeyUnproven, KeyUnproven},
		{"503, empty", response("503 Service Unavailable", ""), KeyUnproven, KeyAccepted},
		{"503 of the gateway", response("503 Service Unavailable", shape(503, "x")), KeyUnproven, KeyAccepted},
		{"503 of the backend", response("503 Service Unavailable", `{"error":"x"}`), KeyUnproven, KeyAccepted},
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
