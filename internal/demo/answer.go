package demo

import (
	"net/http"
	"strconv"
	"time"
)

// What the rows of the table of faults do, where one sentence is not enough.

func gatewaySays(status int, message string) func(*exchange) {
	return func(x *exchange) { x.fail(status, message) }
}

func backendSays(status int, contentType, body string) func(*exchange) {
	return func(x *exchange) { x.pass(status, contentType, body) }
}

func (x *exchange) silence() {
	<-x.r.Context().Done()
	panic(http.ErrAbortHandler)
}

func (x *exchange) router() {
	h := x.w.Header()
	h.Set("Cache-Control", "private, max-age=0, no-cache, no-store")
	h.Set("Connection", "close")
	x.write(http.StatusServiceUnavailable, "text/html", []byte(routerPage))
}

// noContextPath is the one failure that is plain text whatever was accepted.
func (x *exchange) noContextPath() {
	x.w.Header().Set("Connection", "close")
	x.write(http.StatusNotFound, "text/plain", []byte(sayNoAPI))
}

func (x *exchange) rejectKey() {
	message := sayInvalidKey
	if x.r.Header.Get(keyHeader) == "" {
		message = sayNoKey
	}
	x.fail(http.StatusUnauthorized, message)
}

func (x *exchange) rateLimited() {
	x.count(limit{"X-Rate-Limit", 10, time.Minute}, 0)
	x.fail(http.StatusTooManyRequests, sayRateLimit)
}

func (x *exchange) dead() {
	x.wait(x.options.DeadAfter)
	x.fail(http.StatusGatewayTimeout, "")
}

func (x *exchange) slow() {
	x.wait(x.options.SlowAfter)
	x.documented()
}

func (x *exchange) backendUnauthorized() {
	x.w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	x.pass(http.StatusUnauthorized, jsonType, `{"error":"invalid_token"}`)
}

func (x *exchange) redirect() {
	x.w.Header().Set("Location", "https://login.example.no/")
	x.pass(http.StatusFound, htmlType, "")
}

// truncated promises all of a page and delivers half.
func (x *exchange) truncated() {
	x.identify()
	h := x.w.Header()
	h.Set("Content-Type", jsonType)
	h.Set("Content-Length", strconv.Itoa(len(page)))
	_, _ = x.w.Write([]byte(page[:len(page)/2]))
	_ = http.NewResponseController(x.w).Flush()
	panic(http.ErrAbortHandler)
}
