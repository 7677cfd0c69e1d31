package probe

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const (
	jsonType = "Content-Type: application/json"
	htmlType = "Content-Type: text/html"
	marked   = "X-Gravitee-Request-Id: 1f"

	routerPage  = "<html><body>Application is not available</body></html>"
	backendText = `{"feil":"det gikk galt"}`
)

// shape is the gateway's own answer.
func shape(status int, message string) string {
	return fmt.Sprintf(`{"message":%q,"http_status_code":%d}`, message, status)
}

// answered is the sight of an answer that came whole, of which size bytes were read.
func answered(reason Reason, layer Layer, status, size int) sight {
	return sight{reason, layer, toTransfer, status, int64(size), verified}
}

// answer is the row of an answer with this body, all of which is read.
func answerCase(name, status, body string, reason Reason, layer Layer, header ...string) seedCase {
	var code int
	_, _ = fmt.Sscan(status, &code)
	return seedCase{
		name: name, script: answers(response(status, body, header...)),
		want: answered(reason, layer, code, len(body)),
	}
}

func gatewayCase(name string, status int, message string, reason Reason, layer Layer) seedCase {
	return answerCase(name, fmt.Sprint(status, " ", http.StatusText(status)), shape(status, message), reason, layer, jsonType)
}

var answerCases = []seedCase{
	answerCase("success", "200 OK", goodJSON, "", "", jsonType),

	gatewayCase("key missing", 401, "Unauthorized", ReasonKeyRejected, LayerKey),
	gatewayCase("key wrong", 401, "API Key is not valid or is expired / revoked.", ReasonKeyRejected, LayerKey),
	answerCase("401 backend", "401 Unauthorized", backendText, ReasonBackendUnauthorized, LayerBackend, jsonType, marked),
	answerCase("401 backend, empty", "401 Unauthorized", "", ReasonBackendUnauthorized, LayerBackend),
	gatewayCase("403 gateway", 403, "You're not allowed to access this resource", ReasonForbidden, LayerKey),
	answerCase("403 backend", "403 Forbidden", backendText, ReasonBackendForbidden, LayerBackend, jsonType),
	answerCase("403 backend, empty", "403 Forbidden", "", ReasonBackendForbidden, LayerBackend),
	answerCase("404 gateway", "404 Not Found", noContextPath, ReasonNoSuchAPI, LayerGateway, "Content-Type: text/plain"),
	answerCase("404 gateway, line ends", "404 Not Found", noContextPath+"\r\n", ReasonNoSuchAPI, LayerGateway),
	gatewayCase("404 gateway, json", 404, "Not found", ReasonNoSuchAPI, LayerGateway),
	answerCase("404 backend", "404 Not Found", backendText, ReasonNotFound, LayerBackend, jsonType),
	answerCase("404 backend, html", "404 Not Found", routerPage, ReasonNotFound, LayerBackend, htmlType),
	answerCase("404 backend, empty", "404 Not Found", "", ReasonNotFound, LayerBackend),
	{
		name:   "429",
		script: answers(response("429 Too Many Requests", shape(429, "Rate limit exceeded !"), jsonType)),
		want:   answered(ReasonRateLimited, LayerKey, 429, 0),
	},

	gatewayCase("400 gateway", 400, "Bad", ReasonGatewayError, LayerGateway),
	gatewayCase("405 gateway", 405, "Method not allowed while accessing this resource", ReasonGatewayError, LayerGateway),
	gatewayCase("500 gateway", 500, "callout", ReasonGatewayError, LayerGateway),
	gatewayCase("504 gateway", 504, "Request timeout", ReasonGatewayError, LayerGateway),
	answerCase("400 backend", "400 Bad Request", backendText, ReasonStatus, LayerGateway, jsonType),
	answerCase("405 backend", "405 Method Not Allowed", "", ReasonStatus, LayerGateway),
	answerCase("500 backend", "500 Internal Server Error", backendText, ReasonBackendError, LayerBackend, jsonType),
	answerCase("500 backend, empty", "500 Internal Server Error", "", ReasonBackendError, LayerBackend),
	answerCase("501", "501 Not Implemented", "x", ReasonBackendError, LayerBackend),
	answerCase("502 empty", "502 Bad Gateway", "", ReasonBackendUnreachable, LayerBackend),
	gatewayCase("502 gateway", 502, "Bad gateway", ReasonBackendUnreachable, LayerBackend),
	answerCase("502 with a body", "502 Bad Gateway", backendText, ReasonBackendError, LayerBackend),
	answerCase("503 empty", "503 Service Unavailable", "", ReasonBackendUnreachable, LayerBackend, marked),
	gatewayCase("503 gateway", 503, "pool exhausted", ReasonBackendUnreachable, LayerBackend),
	answerCase("503 router", "503 Service Unavailable", routerPage, ReasonGatewayUnavailable, LayerGateway, htmlType),
	answerCase("503 router, no type", "503 Service Unavailable", routerPage, ReasonGatewayUnavailable, LayerGateway),
	answerCase("503 html through the gateway", "503 Service Unavailable", routerPage, ReasonBackendError, LayerBackend, htmlType, marked),
	answerCase("503 html through the gateway, by transaction", "503 Service Unavailable", routerPage,
		ReasonBackendError, LayerBackend, htmlType, "X-Gravitee-Transaction-Id: 1f"),
	answerCase("503 json", "503 Service Unavailable", backendText, ReasonBackendError, LayerBackend),
	answerCase("504 empty", "504 Gateway Timeout", "", ReasonBackendTimeout, LayerBackend),
	answerCase("504 with a body", "504 Gateway Timeout", backendText, ReasonBackendError, LayerBackend),
	answerCase("418", "418 I'm a teapot", "short and stout", ReasonStatus, LayerGateway),
	answerCase("201", "201 Created", "", ReasonStatus, LayerGateway).unread(),
	answerCase("301", "301 Moved Permanently", "x", ReasonRedirect, LayerGateway, "Location: /other").unread(),
	answerCase("302", "302 Found", "x", ReasonRedirect, LayerGateway, "Location: https://elsewhere.test/").unread(),
	answerCase("304", "304 Not Modified", "", ReasonRedirect, LayerGateway).unread(),
	answerCase("308", "308 Permanent Redirect", "x", ReasonRedirect, LayerGateway, "Location: /other").unread(),
	{
		name: "204", script: answers("HTTP/1.1 204 No Content\r\n\r\n"),
		want: answered(ReasonStatus, LayerGateway, 204, 0),
	},
	{
		name: "204 with json", script: answers("HTTP/1.1 204 No Content\r\n" + jsonType + "\r\n\r\n" + goodJSON),
		edit:   func(p *plan) { p.Status = []int{204} },
		want:   answered(ReasonNotJSON, LayerBackend, 204, 0),
		detail: "the answer is empty",
	},
	{
		name: "one of several statuses", script: answers(response("202 Accepted", goodJSON)),
		edit: func(p *plan) { p.Status = []int{200, 202} },
		want: answered("", "", 202, len(goodJSON)),
	},
	{
		name: "a gateway's 401 that is expected", script: answers(response("401 Unauthorized", shape(401, "Unauthorized"))),
		edit: func(p *plan) { p.Status = []int{401} },
		want: answered("", "", 401, len(shape(401, "Unauthorized"))),
	},
	{
		name:   "too slow",
		script: afterPause(response("200 OK", goodJSON)),
		edit:   func(p *plan) { p.MaxDuration = 20 * time.Millisecond },
		want:   answered(ReasonSlow, LayerBackend, 200, len(goodJSON)),
		detail: "longer than 20ms",
	},
	{
		name: "not too slow", script: answers(response("200 OK", goodJSON)),
		edit: func(p *plan) { p.MaxDuration = ample },
		want: answered("", "", 200, len(goodJSON)),
	},
}

// unread marks a status whose body nobody reads.
func (c seedCase) unread() seedCase {
	c.want.Size = 0
	return c
}

// shapeCases come near the gateway's shape, but are the backend's.
var shapeCases = []seedCase{
	nearly("another key", `{"message":"Unauthorized","http_status_code":401,"x":1}`),
	nearly("no message", `{"http_status_code":401}`),
	nearly("no status", `{"message":"Unauthorized"}`),
	nearly("two others", `{"error":"Unauthorized","status":401}`),
	nearly("other case", `{"Message":"Unauthorized","http_status_code":401}`),
	nearly("status of another answer", `{"message":"Unauthorized","http_status_code":403}`),
	nearly("status as text", `{"message":"Unauthorized","http_status_code":"401"}`),
	nearly("message is null", `{"message":null,"http_status_code":401}`),
	nearly("message is an object", `{"message":{"fnr":"x"},"http_status_code":401}`),
	nearly("in a list", `[{"message":"Unauthorized","http_status_code":401}]`),
	nearly("something behind", `{"message":"Unauthorized","http_status_code":401} x`),
	nearly("text", "Unauthorized"),
	nearly("404's text", noContextPath),
	nearly("html", routerPage),
	answerCase("404's text and more", "404 Not Found", noContextPath+" Sorry.", ReasonNotFound, LayerBackend),
	answerCase("500 nearly", "500 Internal Server Error", `{"message":"x"}`, ReasonBackendError, LayerBackend),
	{
		name:   "gateway's shape behind 16 KiB of space",
		script: answers(response("401 Unauthorized", strings.Repeat(" ", originBytes)+shape(401, "Unauthorized"))),
		want:   answered(ReasonBackendUnauthorized, LayerBackend, 401, originBytes),
	},
	{
		name:   "gateway's shape in gzip",
		script: answers(response("401 Unauthorized", zipped(shape(401, "Unauthorized")), "Content-Encoding: gzip")),
		want:   answered(ReasonKeyRejected, LayerKey, 401, len(shape(401, "Unauthorized"))),
	},
}

func nearly(name, body string) seedCase {
	return answerCase("nearly the gateway: "+name, "401 Unauthorized", body, ReasonBackendUnauthorized, LayerBackend, jsonType)
}

func zipped(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.String()
}
