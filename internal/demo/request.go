package demo

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	keyHeader         = "X-Gravitee-Api-Key"
	transactionHeader = "X-Gravitee-Transaction-Id"
	requestHeader     = "X-Gravitee-Request-Id"

	notFound = `{"error":"not_found"}`
)

const (
	jsonType = "application/json"
	htmlType = "text/html; charset=utf-8"

	page       = "<!DOCTYPE html><html><head><title>Logg inn</title></head><body><h1>Logg inn</h1></body></html>\n"
	routerPage = "<html><body><h1>Application is not available</h1>" +
		"<p>The application is currently not serving requests at this endpoint.</p></body></html>\n"
)

// The gateway's own messages.
const (
	messageNoKey      = "Unauthorized"
	messageInvalidKey = "API Key is not valid or is expired / revoked."
	messageNoAPI      = "No context-path matches the request URI."
	messageResource   = "You're not allowed to access this resource"
	messageMethod     = "Method not allowed while accessing this resource"
	messageRateLimit  = "Rate limit exceeded ! You reach the limit of 10 requests per 1 minutes"
	messageError      = "Internal Server Error"
)

// request is one request on its way through a gateway.
type request struct {
	*http.Request
	w       http.ResponseWriter
	body    []byte
	options Options

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
	r.w.Header().Set("Connection", "close")
	r.write(http.StatusNotFound, "text/plain", []byte(messageNoAPI))
}

func (r *request) authenticated() bool {
	if r.subscriber() == nil {
		r.rejectKey()
		return false
	}
	return true
}

func (r *request) rejectKey() {
	message := messageInvalidKey
	if r.Header.Get(keyHeader) == "" {
		message = messageNoKey
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
	h := r.w.Header()
	h.Set(l.header+"-Limit", strconv.Itoa(l.max))
	h.Set(l.header+"-Remaining", strconv.Itoa(remaining))
	h.Set(l.header+"-Reset", strconv.FormatInt(time.Now().Truncate(l.period).Add(l.period).UnixMilli(), 10))
}

// documented is the backend's right answer, to the documented request alone.
func (r *request) documented() {
	switch {
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

// pass forwards the answer of the backend.
func (r *request) pass(status int, contentType, body string) {
	r.setIDs()
	r.write(status, contentType, []byte(body))
}

func (r *request) setIDs() {
	id := r.Header.Get(transactionHeader)
	if id == "" {
		id = uuid.NewString()
	}
	r.w.Header().Set(transactionHeader, id)
	r.w.Header().Set(requestHeader, uuid.NewString())
}

// fail answers as Gravitee 3.x does for its own errors: it sets no id, closes the
// connection, chooses the form by the whole value of Accept, and without a message has no body.
func (r *request) fail(status int, message string) {
	body, contentType := []byte(message), "text/plain"
	accept := r.Header.Values("Accept")
	if slices.Contains(accept, jsonType) || slices.Contains(accept, "*/*") {
		contentType = jsonType
		body, _ = json.Marshal(struct { // a string and a number: cannot fail
			Message string `json:"message"`
			Status  int    `json:"http_status_code"`
		}{message, status})
	}
	if message == "" {
		body, contentType = nil, ""
	}
	r.w.Header().Set("Connection", "close")
	r.write(status, contentType, body)
}

func (r *request) write(status int, contentType string, body []byte) {
	h := r.w.Header()
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	r.w.WriteHeader(status)
	_, _ = r.w.Write(body) // the client may have left
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
