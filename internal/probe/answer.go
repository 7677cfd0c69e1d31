package probe

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// origin is who wrote an answer that is not the expected one.
type origin uint8

const (
	anybody origin = iota
	byGateway
	byPlan   // the gateway's resource filtering, which comes after the key
	byRouter // the platform's, in front of the gateways
	byNobody // an empty body: the gateway found nothing to pass on
	byBackend
)

// rules says what an unexpected answer means; the first that fits counts.
var rules = []struct {
	status, last int // inclusive
	from         origin
	reason       Reason
}{
	{100, 199, anybody, ReasonInvalidResponse}, // 101: nobody asked for another protocol
	{300, 399, anybody, ReasonRedirect},
	{401, 401, byGateway, ReasonKeyRejected},
	{401, 401, anybody, ReasonBackendUnauthorized},
	{403, 403, byGateway, ReasonForbidden},
	{403, 403, byPlan, ReasonForbidden},
	{403, 403, anybody, ReasonBackendForbidden},
	{404, 404, byGateway, ReasonNoSuchAPI},
	{404, 404, anybody, ReasonNotFound},
	{429, 429, anybody, ReasonRateLimited},
	{502, 503, byNobody, ReasonBackendUnreachable},
	{502, 503, byGateway, ReasonBackendUnreachable},
	{503, 503, byRouter, ReasonGatewayUnavailable},
	{504, 504, byNobody, ReasonBackendTimeout},
	{400, 400, byGateway, ReasonGatewayError},
	{405, 405, byGateway, ReasonGatewayError},
	{500, 500, byGateway, ReasonGatewayError},
	{504, 504, byGateway, ReasonGatewayError},
	{500, 599, anybody, ReasonBackendError},
}

func unexpected(status int, from origin) *Failure {
	for _, r := range rules {
		if r.status <= status && status <= r.last && (r.from == anybody || r.from == from) {
			return Fail(r.reason, "HTTP status %d", status)
		}
	}
	return Fail(ReasonStatus, "HTTP status %d", status)
}

// tellsOrigin says whether the body decides what an unexpected status means.
func tellsOrigin(status int) bool {
	return status >= 400 && status != http.StatusTooManyRequests
}

// readOrigin reads of an unexpected answer what originOf needs, and no more.
func readOrigin(resp *http.Response, body *buffer) error {
	if !tellsOrigin(resp.StatusCode) {
		return nil
	}
	err := readBody(resp, body, originBytes)
	if errors.Is(err, errTooLarge) {
		return nil
	}
	return err
}

// originBytes is how much of an unexpected answer is read: the gateway's own are far shorter.
const originBytes = 16 << 10

// noContextPath is the gateway's text/plain answer where it has no API, whatever was accepted.
const noContextPath = "No context-path matches the request URI."

// originOf tells the gateway's own answers from those it passed on.
func originOf(resp *http.Response, body []byte) origin {
	if !tellsOrigin(resp.StatusCode) { // the body may be long, or was not read
		return byMark(resp.Header)
	}
	text := bytes.TrimSpace(body)
	message, isGateway := gatewayMessage(text, resp.StatusCode)
	switch {
	case len(body) == 0:
		return byNobody
	case message == notInPlan && resp.StatusCode == http.StatusForbidden:
		return byPlan
	case isGateway:
		return byGateway
	case resp.StatusCode == http.StatusNotFound && string(text) == noContextPath:
		return byGateway
	case isHTML(resp.Header, text) && !passedGateway(resp.Header):
		return byRouter
	}
	return byBackend
}

// byMark is who wrote an answer of which the body says nothing.
func byMark(header http.Header) origin {
	if passedGateway(header) {
		return byBackend
	}
	return anybody
}

// notInPlan is what the gateway says, as JSON, where the key is good but its plan does not list the path.
const notInPlan = `"You're not allowed to access this resource"`

// gatewayMessage recognises {"message":"…","http_status_code":…} with exactly
// these keys, and returns the message in its quotes.
func gatewayMessage(text []byte, status int) (message string, ok bool) {
	var object map[string]json.RawMessage
	err := json.Unmarshal(text, &object)
	ok = err == nil && len(object) == 2 && bytes.HasPrefix(object["message"], []byte(`"`)) &&
		string(object["http_status_code"]) == strconv.Itoa(status)
	if !ok {
		return "", false
	}
	return string(object["message"]), true
}

func isHTML(header http.Header, text []byte) bool {
	return strings.HasPrefix(header.Get("Content-Type"), "text/html") || bytes.HasPrefix(text, []byte("<"))
}

// passedGateway says whether a gateway put its mark on the answer.
func passedGateway(header http.Header) bool {
	return header.Get("X-Gravitee-Transaction-Id") != "" || header.Get("X-Gravitee-Request-Id") != ""
}

// rateLimits reads what the gateway's policies say of the key's allowance.
func rateLimits(header http.Header) []RateLimit {
	var seen []RateLimit
	for _, policy := range [...]struct{ label, prefix string }{
		{"rate_limit", "X-Rate-Limit"},
		{"quota", "X-Quota"},
		{"spike_arrest", "X-Spike-Arrest"},
	} {
		limit := RateLimit{
			Policy:    policy.label,
			Limit:     count(header.Get(policy.prefix + "-Limit")),
			Remaining: count(header.Get(policy.prefix + "-Remaining")),
		}
		if limit.Limit.OK || limit.Remaining.OK {
			seen = append(seen, limit)
		}
	}
	return seen
}

// count reads a header's number. The gateway writes -1 when its own store failed.
func count(value string) Count {
	if value == "" {
		return Count{} // strconv would make an error of it: six allocations in most probes
	}
	n, err := strconv.ParseInt(value, 10, 64)
	return Count{N: n, OK: err == nil && n >= 0}
}
