package probe

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	jsonType = "Content-Type: application/json"
	htmlType = "Content-Type: text/html"
	marked   = "X-Gravitee-Request-Id: 1f"

	routerPage  = "<html><body>Application is not available</body></html>"
	backendText = `{"feil":"` + canary + `"}`
)

// shape is the gateway's own answer.
func shape(status int, message string) string {
	return fmt.Sprintf(`{"message":%q,"http_status_code":%d}`, message, status)
}

// answered is the sight of an answer that came whole, of which size bytes were read.
func answered(reason Reason, layer Layer, status, size int) sight {
	return sight{reason, layer, toTransfer, status, int64(size), verified}
}

// answerCase is the row of an answer with this body, all of which is read.
func answerCase(name, status, body string, reason Reason, layer Layer, header ...string) gatewayRow {
	var code int
	_, _ = fmt.Sscan(status, &code)
	return gatewayRow{
		name: name, script: answers(response(status, body, header...)),
		want: answered(reason, layer, code, len(body)),
	}
}

// gatewayCase is the row of an answer that the gateway itself makes.
func gatewayCase(name string, status int, message string, reason Reason, layer Layer) gatewayRow {
	return answerCase(name, fmt.Sprint(status, " ", http.StatusText(status)), shape(status, message), reason, layer, jsonType)
}

// unread marks a status whose body nobody reads.
func (r gatewayRow) unread() gatewayRow {
	r.want.Size = 0
	return r
}

func rejected(name, message string) gatewayRow {
	return gatewayCase("401 of the gateway: "+name, 401, message, ReasonKeyRejected, LayerKey)
}

func limited(name, message string) gatewayRow {
	return gatewayCase("429: "+name, 429, message, ReasonRateLimited, LayerKey)
}

// What the gateway, its policies and the router in front of it answer.
var gatewayFaults = []gatewayRow{
	rejected("no key, or with 4.x any key it does not take", "Unauthorized"),
	rejected("the key is unknown, expired, revoked or of a closed subscription, with 3.x",
		"API Key is not valid or is expired / revoked."),
	rejected("no key reached the policy that asks for one",
		"No API Key has been specified in headers (X-Gravitee-Api-Key) or query parameters (api-key)."),
	gatewayCase("403 of the gateway: the plan does not list the path", 403,
		"You're not allowed to access this resource", ReasonForbidden, LayerKey),
	gatewayCase("403 of the gateway: our address is not allowed", 403,
		"Your IP (192.0.2.1) or some proxies whereby your request pass through are not allowed to reach this resource.",
		ReasonForbidden, LayerKey),
	limited("rate limit", "Rate limit exceeded ! You reach the limit of 10 requests per 1 SECONDS"),
	limited("rate limit, with 4.x", "Rate limit exceeded! You reached the limit of 10 requests per 1 SECONDS"),
	limited("quota", "Quota exceeded ! You reach the limit of 10 requests per 1 DAYS"),
	limited("spike arrest", "Spike limit exceeded !"),
	answerCase("404 of the gateway: unknown context path, or the API is stopped or not deployed", "404 Not Found", noContextPath,
		ReasonNoSuchAPI, LayerGateway, "Content-Type: text/plain"),
	gatewayCase("404 of the gateway, as JSON", 404, "Not found", ReasonNoSuchAPI, LayerGateway),
	gatewayCase("400 of the gateway: a policy rejects the request", 400, "Bad", ReasonGatewayError, LayerGateway),
	gatewayCase("405 of the gateway: the plan does not list the method", 405,
		"Method not allowed while accessing this resource", ReasonForbidden, LayerKey),
	gatewayCase("429: the store of the limits is down, and the limit says to block then", 429,
		"Rate limit blocked the query due to internal error", ReasonGatewayError, LayerGateway),
	gatewayCase("503 of the gateway: a plan's condition cannot be evaluated", 503, "Temporarily Unavailable", ReasonGatewayError, LayerGateway),
	gatewayCase("503 of the gateway: it cannot reach the issuer of tokens", 503, "temporarily_unavailable", ReasonGatewayError, LayerGateway),
	gatewayCase("401 of a policy, after the key", 401, "no token", ReasonGatewayError, LayerGateway),
	gatewayCase("500 of the gateway: a policy that calls out has failed, and says so", 500,
		"CALLOUT_EXIT_ON_ERROR", ReasonGatewayError, LayerGateway),
	gatewayCase("504 of the gateway: its own limit for a request", 504, "Request timeout", ReasonBackendTimeout, LayerBackend),
	answerCase("503 of the router: no gateway runs", "503 Service Unavailable", routerPage, ReasonGatewayUnavailable, LayerGateway, htmlType),
	answerCase("503 of the router, without a content type", "503 Service Unavailable", routerPage, ReasonGatewayUnavailable, LayerGateway),
	answerCase("404 of the router: it knows no such host", "404 Not Found", routerPage, ReasonGatewayUnavailable, LayerGateway, htmlType),
	answerCase("404 of a default backend behind the router", "404 Not Found", "default backend - 404",
		ReasonGatewayUnavailable, LayerGateway, "Content-Type: text/plain"),
	answerCase("502 of the router: the gateway closed the connection", "502 Bad Gateway", routerPage, ReasonGatewayUnavailable, LayerGateway, htmlType),
	answerCase("504 of the router: the gateway did not answer it", "504 Gateway Timeout", routerPage, ReasonGatewayTimeout, LayerGateway, htmlType),
	answerCase("403 of the router", "403 Forbidden", routerPage, ReasonStatus, LayerGateway, htmlType),
	answerCase("429 of the router", "429 Too Many Requests", routerPage, ReasonStatus, LayerGateway, htmlType),
	answerCase("301, elsewhere on the gateway", "301 Moved Permanently", "x", ReasonRedirect, LayerGateway, "Location: /other").unread(),
	answerCase("302, to another host", "302 Found", "x", ReasonRedirect, LayerGateway, "Location: https://"+canary+".test/").unread(),
	answerCase("304, though nobody asked for it", "304 Not Modified", "", ReasonRedirect, LayerGateway).unread(),
	answerCase("308, elsewhere on the gateway", "308 Permanent Redirect", "x", ReasonRedirect, LayerGateway, "Location: /other").unread(),
}

// What the gateway says of a backend, and what it passes on of one.
var backendFaults = []gatewayRow{
	answerCase("502, empty: the backend refuses, has no name, or fails at TLS", "502 Bad Gateway", "", ReasonBackendUnreachable, LayerBackend),
	gatewayCase("502 of the gateway, with its message", 502, "Bad gateway", ReasonBackendUnreachable, LayerBackend),
	answerCase("503, empty: all its endpoints are marked as down", "503 Service Unavailable", "", ReasonBackendUnreachable, LayerBackend, marked),
	gatewayCase("503 of the gateway: its pool of connections is used up", 503, "pool exhausted", ReasonBackendUnreachable, LayerBackend),
	answerCase("504, empty: the backend does not connect, or does not answer within 10 s", "504 Gateway Timeout", "",
		ReasonBackendTimeout, LayerBackend),
	answerCase("401 of the backend, also where a call-out for its token failed silently", "401 Unauthorized", backendText,
		ReasonBackendUnauthorized, LayerBackend, jsonType, marked),
	answerCase("401 of the backend, empty", "401 Unauthorized", "", ReasonBackendUnauthorized, LayerBackend),
	answerCase("403 of the backend", "403 Forbidden", backendText, ReasonBackendForbidden, LayerBackend, jsonType),
	answerCase("403 of the backend, empty", "403 Forbidden", "", ReasonBackendForbidden, LayerBackend),
	answerCase("404 of the backend", "404 Not Found", backendText, ReasonNotFound, LayerBackend, jsonType),
	answerCase("404 of the backend, as HTML", "404 Not Found", routerPage, ReasonNotFound, LayerBackend, htmlType, marked),
	answerCase("404 of the backend, empty", "404 Not Found", "", ReasonNotFound, LayerBackend),
	answerCase("500 of the backend", "500 Internal Server Error", backendText, ReasonBackendError, LayerBackend, jsonType),
	answerCase("500, empty", "500 Internal Server Error", "", ReasonBackendError, LayerBackend),
	answerCase("501 of the backend", "501 Not Implemented", "x", ReasonBackendError, LayerBackend),
	answerCase("502 of the backend, a gateway itself", "502 Bad Gateway", backendText, ReasonBackendError, LayerBackend),
	answerCase("503 of the backend", "503 Service Unavailable", backendText, ReasonBackendError, LayerBackend),
	answerCase("503 as HTML, through the gateway", "503 Service Unavailable", routerPage, ReasonBackendError, LayerBackend, htmlType, marked),
	answerCase("503 as HTML, through the gateway, by its transaction id", "503 Service Unavailable", routerPage,
		ReasonBackendError, LayerBackend, htmlType, "X-Gravitee-Transaction-Id: 1f"),
	answerCase("504 of the backend", "504 Gateway Timeout", backendText, ReasonBackendError, LayerBackend),
	answerCase("429 of the backend: its own limit on the gateway", "429 Too Many Requests", backendText, ReasonRateLimited, LayerBackend, jsonType, marked),
	answerCase("302 of the backend", "302 Found", "x", ReasonRedirect, LayerBackend, "Location: /other", marked).unread(),
	answerCase("400 of the backend", "400 Bad Request", backendText, ReasonStatus, LayerBackend, jsonType, marked),
	answerCase("400, of nobody known", "400 Bad Request", backendText, ReasonStatus, LayerGateway, jsonType),
	answerCase("405, empty", "405 Method Not Allowed", "", ReasonStatus, LayerGateway),
	answerCase("418", "418 I'm a teapot", canary, ReasonStatus, LayerGateway),
	answerCase("201 where 200 is expected", "201 Created", "", ReasonStatus, LayerGateway).unread(),
	{
		name: "204 where 200 is expected", script: answers("HTTP/1.1 204 No Content\r\n\r\n"),
		want: answered(ReasonStatus, LayerGateway, 204, 0),
	},
}

// authRow is a way in which the negative test goes: what is answered without a key, and with a wrong one.
type authRow struct {
	name           string
	stranger, liar string
	want           sight
}

func (r authRow) fault() Fault {
	return Fault{"Without a key", r.name, AtOnce, r.want.Reason, r.want.Layer, r.inject}
}

func (r authRow) inject(t *testing.T) Trial {
	l := newLab(t)
	d := l.gateway(keyed(writes(r.stranger), writes(r.liar)))
	return Trial{l.plan(d.port).auth(), func(seen Observation, err error) string {
		return cmp.Diff(r.want, sightOf(seen, err))
	}}
}

func authFaults() []Fault {
	open := response("200 OK", goodJSON)
	of := func(reason Reason, layer Layer, status int) sight { return decided(reason, layer, status, 0) }
	var all []Fault
	for _, r := range []authRow{
		{"the API answers without a key", open, refusal, of(ReasonNotRefused, LayerGateway, 200)},
		{"the API answers a wrong key", refusal, open, of(ReasonNotRefused, LayerGateway, 200)},
		{"it answers with nothing in it (204)", "HTTP/1.1 204 No Content\r\n\r\n", refusal, of(ReasonNotRefused, LayerGateway, 204)},
		{"403 instead of 401", response("403 Forbidden", shape(403, canary)), refusal, of(ReasonStatus, LayerGateway, 403)},
		{"a redirect to a login page", response("302 Found", "", "Location: https://"+canary+".test/"), refusal, of(ReasonRedirect, LayerGateway, 302)},
		{"the API is not there", response("404 Not Found", noContextPath), refusal, decided(ReasonNoSuchAPI, LayerGateway, 404, len(noContextPath))},
		{"no gateway runs", response("503 x", routerPage, htmlType), refusal, decided(ReasonGatewayUnavailable, LayerGateway, 503, len(routerPage))},
		{"closed on a wrong key", refusal, "", sight{Reason: ReasonInvalidResponse, Layer: LayerGateway, Cert: verified}},
	} {
		all = append(all, r.fault())
	}
	return all
}
