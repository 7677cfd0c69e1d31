package probe

import "testing"

// The proofs of the contract, by what the gateway, its router or the backend answers.
func TestKeyVerdict(t *testing.T) {
	t.Parallel()
	const marked = "X-Gravitee-Request-Id: 1"
	l := newLab(t)
	for _, c := range []struct {
		name, answer string
		want         KeyVerdict
	}{
		{"success", response("200 OK", "{}"), KeyAccepted},
		{"no content", response("204 No Content", ""), KeyAccepted},
		{"success that is no JSON", response("200 OK", "<html>"), KeyAccepted},
		{"success cut off", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{", KeyAccepted},
		{"redirect by the backend", response("302 Found", "", marked, "Location: /x"), KeyAccepted},
		{"redirect by anybody", response("302 Found", "", "Location: /x"), KeyUnproven},
		{"401 of the gateway", response("401 Unauthorized", shape(401, "Unauthorized")), KeyRejected},
		{"401 of the gateway cut off", "HTTP/1.1 401 Unauthorized\r\nContent-Length: 90\r\n\r\n" + `{"message":"Un`, KeyUnproven},
		{"401 of the backend", response("401 Unauthorized", `{"error":"x"}`), KeyAccepted},
		{"401 of the backend, empty", response("401 Unauthorized", ""), KeyAccepted},
		{"IP filter", response("403 Forbidden", shape(403, "Your IP (192.0.2.1) or some proxies whereby your request pass through are not allowed to reach this resource.")), KeyUnproven},
		{"resource filtering", response("403 Forbidden", shape(403, "You're not allowed to access this resource")), KeyAccepted},
		{"403 of the backend", response("403 Forbidden", "no"), KeyAccepted},
		{"404 of the gateway", response("404 Not Found", noContextPath), KeyUnproven},
		{"404 of the gateway in JSON", response("404 Not Found", shape(404, noContextPath)), KeyUnproven},
		{"404 of the router", response("404 Not Found", routerPage, "Content-Type: text/html"), KeyUnproven},
		{"404 of the backend", response("404 Not Found", "{}"), KeyAccepted},
		{"405 of the gateway", response("405 Method Not Allowed", shape(405, "Method not allowed while accessing this resource")), KeyAccepted},
		{"400 of the gateway", response("400 Bad Request", shape(400, "Bad")), KeyUnproven},
		{"400 of the backend", response("400 Bad Request", `{"error":"x"}`), KeyAccepted},
		{"rate limit", response("429 Too Many Requests", shape(429, "Rate limit exceeded !")), KeyAccepted},
		{"500 of the gateway", response("500 Internal Server Error", shape(500, "x")), KeyUnproven},
		{"500, empty", response("500 Internal Server Error", ""), KeyUnproven},
		{"500 of the backend", response("500 Internal Server Error", `{"error":"x"}`), KeyAccepted},
		{"502, empty", response("502 Bad Gateway", ""), KeyAccepted},
		{"502 of the gateway", response("502 Bad Gateway", shape(502, "x")), KeyAccepted},
		{"503 of the router", response("503 Service Unavailable", routerPage, "Content-Type: text/html"), KeyUnproven},
		{"503, empty", response("503 Service Unavailable", ""), KeyUnproven},
		{"503 of the gateway", response("503 Service Unavailable", shape(503, "x")), KeyUnproven},
		{"503 of the backend", response("503 Service Unavailable", `{"error":"x"}`), KeyAccepted},
		{"504, empty", response("504 Gateway Timeout", ""), KeyAccepted},
		{"504 of the gateway", response("504 Gateway Timeout", shape(504, "Request timeout")), KeyAccepted},
		{"no HTTP", "x", KeyUnproven},
	} {
		d := l.gateway(answers(c.answer))
		seen, _ := run(t, l.plan(d.port).prober(), ample)
		if seen.KeyVerdict != c.want {
			t.Errorf("%s: %d, want %d", c.name, seen.KeyVerdict, c.want)
		}
	}
}

// An expected status is judged by who made it, as any other.
func TestKeyVerdictOfAnExpectedStatus(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for answer, want := range map[string]KeyVerdict{
		response("404 Not Found", `{"error":"nobody"}`):                   KeyAccepted,
		response("404 Not Found", shape(404, "No such API")):              KeyUnproven,
		response("401 Unauthorized", shape(401, "Unauthorized")):          KeyRejected,
		response("401 Unauthorized", `{"error":"invalid_token"}`):         KeyAccepted,
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

// Every proof can be reached: none is hidden by one above it.
func TestProofsAreReachable(t *testing.T) {
	t.Parallel()
	for i, p := range proofs {
		reached := false
		for status := p.status; status <= p.last; status++ {
			for from := anybody; from <= byBackend; from++ {
				if p.from == anybody || p.from == from {
					reached = reached || firstProof(status, from) == i
				}
			}
		}
		if !reached {
			t.Errorf("proof %d (%v) is never the first", i, p)
		}
	}
}

func firstProof(status int, from origin) int {
	for i, p := range proofs {
		if p.status <= status && status <= p.last && (p.from == anybody || p.from == from) {
			return i
		}
	}
	return -1
}
