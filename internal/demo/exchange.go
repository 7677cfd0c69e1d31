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

	notFound = `{"error":"not_found"}`
)

// exchange is one request on its way through a gateway.
type exchange struct {
	w       http.ResponseWriter
	r       *http.Request
	body    []byte
	options Options

	candidates []*subscription // all that share the longest matching context path
	asked      *subscription   // the one among them that the path belongs to; may be nil
	requests   int             // for asked, this one included
}

// checks are what the gateway does with a request before the backend sees it,
// in its order. Each answers by itself what it does not let pass.
var checks = [...]func(*exchange) bool{(*exchange).routed, (*exchange).authenticated, (*exchange).permitted}

func (x *exchange) serve(f Fault) {
	for _, pass := range checks[:faults[f].after] {
		if !pass(x) {
			return
		}
	}
	faults[f].answer(x)
}

func (x *exchange) routed() bool {
	if len(x.candidates) == 0 {
		x.noContextPath()
		return false
	}
	return true
}

func (x *exchange) authenticated() bool {
	if x.subscriber() == nil {
		x.rejectKey()
		return false
	}
	return true
}

// permitted is the plan of the key that was sent, whichever API the path belongs to.
func (x *exchange) permitted() bool {
	s := x.subscriber()
	if s != x.asked {
		x.fail(http.StatusForbidden, sayResource)
		return false
	}
	if len(s.methods) > 0 && !slices.Contains(s.methods, x.r.Method) {
		x.fail(http.StatusMethodNotAllowed, sayMethod)
		return false
	}
	for _, l := range s.limits {
		x.count(l, l.max-1-(x.requests-1)%l.max)
	}
	return true
}

func (x *exchange) subscriber() *subscription {
	key := x.r.Header.Get(keyHeader)
	for _, s := range x.candidates {
		if s.access.accepts(key) {
			return s
		}
	}
	return nil
}

func (x *exchange) count(l limit, remaining int) {
	h := x.w.Header()
	h.Set(l.header+"-Limit", strconv.Itoa(l.max))
	h.Set(l.header+"-Remaining", strconv.Itoa(remaining))
	h.Set(l.header+"-Reset", strconv.FormatInt(time.Now().Truncate(l.period).Add(l.period).UnixMilli(), 10))
}

// fail answers as Gravitee 3.x does for itself: no id of its own, the
// connection closed, the form by the whole value of Accept, no message no body.
func (x *exchange) fail(status int, message string) {
	body, contentType := []byte(message), "text/plain"
	accept := x.r.Header.Values("Accept")
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
	x.w.Header().Set("Connection", "close")
	x.write(status, contentType, body)
}

// pass hands on what the backend answered.
func (x *exchange) pass(status int, contentType, body string) {
	x.identify()
	x.write(status, contentType, []byte(body))
}

func (x *exchange) identify() {
	id := x.r.Header.Get(transactionHeader)
	if id == "" {
		id = newUUID()
	}
	x.w.Header().Set(transactionHeader, id)
	x.w.Header().Set(requestHeader, newUUID())
}

func (x *exchange) write(status int, contentType string, body []byte) {
	h := x.w.Header()
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // a client that has left is no matter
}

// wait returns after d; a client that leaves earlier ends the exchange.
func (x *exchange) wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-x.r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// documented is the backend's right answer. It knows the documented request and no other.
func (x *exchange) documented() {
	switch {
	case x.asked == nil, x.r.Method != x.asked.Method,
		strings.TrimSuffix(x.r.URL.Path, "/") != strings.TrimSuffix(x.asked.Path, "/"):
		x.pass(http.StatusNotFound, jsonType, notFound)
	case !x.complete():
		x.pass(http.StatusBadRequest, jsonType, `{"error":"invalid_request"}`)
	default:
		x.pass(http.StatusOK, jsonType, x.asked.answer)
	}
}

// complete reports whether the headers and the body of the documented request were sent.
func (x *exchange) complete() bool {
	for _, h := range x.asked.Headers {
		if x.r.Header.Get(h[0]) == "" {
			return false
		}
	}
	return string(x.body) == x.asked.Body
}
