package demo

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	keyHeader         = "X-Gravitee-Api-Key"
	transactionHeader = "X-Gravitee-Transaction-Id"
	requestHeader     = "X-Gravitee-Request-Id"
	clientHeader      = "X-Gravitee-Client-Identifier"

	notFound = `{"error":"not_found"}`
)

const (
	jsonType = "application/json"
	htmlType = "text/html; charset=utf-8"

	page       = "<!DOCTYPE html><html><head><title>Logg inn</title></head><body><h1>Logg inn</h1></body></html>\n"
	routerPage = "<html><body><h1>Application is not available</h1>" +
		"<p>The application is currently not serving requests at this endpoint.</p></body></html>\n"
)

// The gateway's own messages, but those in which engines differ.
const (
	messageNoAPI       = "No context-path matches the request URI."
	messageResource    = "You're not allowed to access this resource"
	messageMethod      = "Method not allowed while accessing this resource"
	messageError       = "Internal Server Error"
	messageTimeout     = "Request timeout"
	messageUnavailable = "Temporarily Unavailable"
)

// request is one request on its way through a gateway.
type request struct {
	*http.Request
	w       http.ResponseWriter
	body    []byte
	options Options
	engine  *engine
	client  string   // Client-Identifier; empty: the key was not judged yet
	limits  []string // header lines of the plan's limits

	candidates []*deployedAPI // all that share the longest matching context path
	api        *deployedAPI   // the one among them that the path belongs to; may be nil
	number     int            // of the requests for api, this one included
}

func (r *request) routed() bool {
	if len(r.candidates) == 0 {
		r.noContextPath()
		return false
	}
	return true
}

// noContextPath is the only failure that is plain text whatever the client accepts.
func (r *request) noContextPath() {
	r.send(&reply{status: http.StatusNotFound, phrase: r.engine.noAPI, from: byRouting, kind: "text/plain", body: messageNoAPI})
}

func (r *request) authenticated() bool {
	s := r.subscriber()
	if s == nil {
		r.rejectKey()
		return false
	}
	r.client = s.subscription.id
	return true
}

func (r *request) rejectKey() {
	key, message := r.Header.Get(keyHeader), r.engine.unknownKey
	switch {
	case key == "":
		message = unauthorized
	case slices.ContainsFunc(r.candidates, func(a *deployedAPI) bool { return a.subscription.hasEnded(key) }):
		message = r.engine.endedKey
	}
	r.fail(http.StatusUnauthorized, message)
}

// permitted applies the plan of the key that was sent, whichever API the path belongs to.
func (r *request) permitted() bool {
	s := r.subscriber()
	if s != r.api {
		r.fail(http.StatusForbidden, messageResource)
		return false
	}
	if len(s.methods) > 0 && !slices.Contains(s.methods, r.Method) {
		r.fail(http.StatusMethodNotAllowed, messageMethod)
		return false
	}
	for _, l := range s.limits {
		r.setLimit(l, l.max-1-(r.number-1)%l.max)
	}
	return true
}

func (r *request) subscriber() *deployedAPI {
	key := r.Header.Get(keyHeader)
	for _, s := range r.candidates {
		if s.subscription.accepts(key) {
			return s
		}
	}
	return nil
}

func (r *request) setLimit(l limit, remaining int) {
	r.addLimit(l, remaining, time.Now().Truncate(l.period).Add(l.period).UnixMilli())
}

func (r *request) addLimit(l limit, remaining int, reset int64) {
	r.limits = append(r.limits, l.header+"-Limit: "+strconv.Itoa(l.max), l.header+"-Remaining: "+strconv.Itoa(remaining),
		l.header+"-Reset: "+strconv.FormatInt(reset, 10))
}

// documented is the backend's right answer, to the documented request alone.
func (r *request) documented() {
	switch {
	case r.api != nil && r.api.backend != nil:
		r.send(r.api.backend)
	case r.api == nil, r.Method != r.api.Method,
		strings.TrimSuffix(r.URL.Path, "/") != strings.TrimSuffix(r.api.Path, "/"):
		r.pass(http.StatusNotFound, jsonType, notFound)
	case !r.complete():
		r.pass(http.StatusBadRequest, jsonType, `{"error":"invalid_request"}`)
	default:
		r.pass(http.StatusOK, jsonType, r.api.answer)
	}
}

// complete reports whether the headers and the body of the documented request were sent.
func (r *request) complete() bool {
	for _, h := range r.api.Headers {
		if r.Header.Get(h[0]) == "" {
			return false
		}
	}
	return string(r.body) == r.api.Body
}

// pass forwards the answer of the backend; more are header lines of its own.
func (r *request) pass(status int, contentType, body string, more ...string) {
	header := append(r.engine.backendHeader(status, contentType, body), more...)
	r.send(&reply{status: status, from: byBackend, header: header, body: body})
}

// fail answers with one of the gateway's own failures; without a message it has no body.
func (r *request) fail(status int, message string) {
	a := &reply{status: status, from: byGateway, kind: "text/plain", body: message}
	if message != "" && r.acceptsJSON() {
		body, _ := json.Marshal(struct { // a string and a number: cannot fail
			Message string `json:"message"`
			Status  int    `json:"http_status_code"`
		}{message, status})
		a.kind, a.body = jsonType, string(body)
	}
	r.send(a)
}

// acceptsJSON compares Accept as a whole, but for engines that look into it.
func (r *request) acceptsJSON() bool {
	return slices.ContainsFunc(r.Header.Values("Accept"), func(accept string) bool {
		return accept == jsonType || accept == "*/*" || r.engine.any && strings.Contains(accept, jsonType)
	})
}

// wait returns after d; a client that leaves earlier ends the request.
func (r *request) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}
