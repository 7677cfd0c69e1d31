package demo

import (
	"cmp"
	"net/http"
	"strconv"
	"time"
)

// Fault is what is wrong with an API or a gateway. The set is closed.
type Fault int

// The faults, named by cause.
const (
	Healthy                Fault = iota
	Refused                      // nothing listens: whole gateways only
	Silent                       // accepts the request and never answers
	RouterUnavailable            // 503 HTML of the router: no gateway behind it
	UnknownContextPath           // the gateway's 404: the API is stopped, or was never deployed
	KeyRejected                  // the gateway's 401, also for the right key
	KeyOpen                      // answers as if healthy, with any key or none
	ResourceForbidden            // the plan's 403: path not listed
	MethodForbidden              // the plan's 405: method not listed
	RateLimited                  // 429
	GatewayError                 // 500 in the gateway's own shape: a broken policy
	BackendDead                  // 504 empty, after a while
	BackendRefused               // 502 empty
	BackendUnavailable           // 503 empty: the health check took the backend out
	BackendUnauthorized          // the backend's own 401
	BackendForbidden             // the backend's own 403
	BackendNotFound              // the backend's own 404
	BackendError                 // the backend's own 500
	Redirect                     // 302 to a login page
	Slow                         // the right answer, late
	HTMLPage                     // 200 with a login page
	EmptyBody                    // 200 with nothing
	TruncatedBody                // 200, and the connection ends in the middle of the body
	BrokenJSON                   // 200 with half a document, whole as HTTP
	UnexpectedJSON               // 200 with JSON of another form
	InnerGateway                 // 401 of a second gateway, which is the backend and refuses this gateway's key
	ResponseTemplate             // as KeyRejected, in the API's own words
	PolicyUnauthorized           // 401 of a policy, after the key
	BackendBadRequest            // the backend's own 400
	BackendRateLimited           // the backend's own 429
	PlanCondition                // 401: the plan's condition is not met
	RequestTimeout               // 504: the gateway gave up the whole request
	TemporarilyUnavailable       // 503: the gateway cannot evaluate the plan's condition
	Failover                     // 502 with ids: no backend of several can be reached
	LimitStoreDown               // the right answer, uncounted
	JustStarted                  // as UnknownContextPath: the gateway has no API yet
	RouterNotFound               // 404 of the router: it has no route
	RouterBadGateway             // 502 HTML of the router
	RouterTimeout                // 504 HTML of the router
)

// How far a request gets before a fault shows: the number of the gateway's checks it has passed.
const (
	beforeAll = iota
	afterRouting
	afterKey
	afterPlan
)

// checks are those of the gateway before the backend sees a request, in its order.
// Each answers a request that it refuses.
var checks = [...]func(*request) bool{(*request).routed, (*request).authenticated, (*request).permitted}

// faults says for each fault how far a request gets, and how the gateway answers it then.
var faults = [...]struct {
	name   string
	after  int
	answer func(*request)
}{
	Healthy:             {"healthy", afterPlan, (*request).documented},
	Refused:             {"refused", beforeAll, (*request).silence}, // for requests that arrived before the listener closed
	Silent:              {"silent", beforeAll, (*request).silence},
	RouterUnavailable:   {"router unavailable", beforeAll, (*request).routerUnavailable},
	UnknownContextPath:  {"unknown context path", beforeAll, (*request).noContextPath},
	KeyRejected:         {"key rejected", afterRouting, (*request).rejectKey},
	KeyOpen:             {"key open", afterRouting, (*request).documented},
	ResourceForbidden:   {"resource forbidden", afterKey, fromGateway(http.StatusForbidden, messageResource)},
	MethodForbidden:     {"method forbidden", afterKey, fromGateway(http.StatusMethodNotAllowed, messageMethod)},
	RateLimited:         {"rate limited", afterKey, (*request).rateLimited},
	GatewayError:        {"gateway error", afterKey, fromGateway(http.StatusInternalServerError, messageError)},
	BackendDead:         {"backend dead", afterPlan, (*request).backendDead},
	BackendRefused:      {"backend refused", afterPlan, fromGateway(http.StatusBadGateway, "")},
	BackendUnavailable:  {"backend unavailable", afterPlan, fromGateway(http.StatusServiceUnavailable, "")},
	BackendUnauthorized: {"backend unauthorized", afterPlan, (*request).backendUnauthorized},
	BackendForbidden:    {"backend forbidden", afterPlan, fromBackend(http.StatusForbidden, jsonType, `{"error":"insufficient_scope"}`)},
	BackendNotFound:     {"backend not found", afterPlan, fromBackend(http.StatusNotFound, jsonType, notFound)},
	BackendError:        {"backend error", afterPlan, fromBackend(http.StatusInternalServerError, jsonType, `{"error":"server_error"}`)},
	Redirect:            {"redirect", afterPlan, (*request).redirect},
	Slow:                {"slow", afterPlan, (*request).slow},
	HTMLPage:            {"HTML page", afterPlan, fromBackend(http.StatusOK, htmlType, page)},
	EmptyBody:           {"empty body", afterPlan, fromBackend(http.StatusOK, jsonType, "")},
	TruncatedBody:       {"truncated body", afterPlan, (*request).truncated},
	BrokenJSON:          {"broken JSON", afterPlan, fromBackend(http.StatusOK, jsonType, `[{"id":"1"`)},
	UnexpectedJSON:      {"unexpected JSON", afterPlan, fromBackend(http.StatusOK, jsonType, `[]`)},

	InnerGateway:           {"inner gateway", afterPlan, (*request).innerGateway},
	ResponseTemplate:       {"response template", afterRouting, (*request).template},
	PolicyUnauthorized:     {"policy unauthorized", afterPlan, fromGateway(http.StatusUnauthorized, "no token")},
	BackendBadRequest:      {"backend bad request", afterPlan, fromBackend(http.StatusBadRequest, jsonType, `{"error":"invalid_request"}`)},
	BackendRateLimited:     {"backend rate limited", afterPlan, fromBackend(http.StatusTooManyRequests, jsonType, `{"error":"slow_down"}`)},
	PlanCondition:          {"plan condition", afterRouting, fromGateway(http.StatusUnauthorized, unauthorized)},
	RequestTimeout:         {"request timeout", afterPlan, fromGateway(http.StatusGatewayTimeout, messageTimeout)},
	TemporarilyUnavailable: {"temporarily unavailable", afterRouting, fromGateway(http.StatusServiceUnavailable, messageUnavailable)},
	Failover:               {"failover", afterPlan, (*request).failover},
	LimitStoreDown:         {"limit store down", afterKey, (*request).uncounted},
	JustStarted:            {"just started", beforeAll, (*request).noContextPath},
	RouterNotFound:         {"router not found", beforeAll, fromRouter(http.StatusNotFound, "Not Found", "text/plain; charset=utf-8", "default backend - 404")},
	RouterBadGateway: {"router bad gateway", beforeAll, fromRouter(http.StatusBadGateway, "Bad Gateway", "text/html",
		"<html><body><h1>502 Bad Gateway</h1>\nThe server returned an invalid or incomplete response.\n</body></html>\n")},
	RouterTimeout: {"router timeout", beforeAll, fromRouter(http.StatusGatewayTimeout, "Gateway Time-out", "text/html",
		"<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n</body></html>\n")},
}

func (r *request) serve(f Fault) {
	for _, check := range checks[:faults[f].after] {
		if !check(r) {
			return
		}
	}
	faults[f].answer(r)
}

// String returns the fault's name in words.
func (f Fault) String() string { return faults[f].name }

// Faults returns every fault, Healthy first.
func Faults() []Fault {
	all := make([]Fault, len(faults))
	for i := range all {
		all[i] = Fault(i)
	}
	return all
}

func fromGateway(status int, message string) func(*request) {
	return func(r *request) {
		own := ""
		if r.api != nil {
			own = r.api.message
		}
		r.fail(status, cmp.Or(own, message))
	}
}

func fromBackend(status int, contentType, body string) func(*request) {
	return func(r *request) { r.pass(status, contentType, body) }
}

func (r *request) silence() {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

// fromRouter is a page as HAProxy sends it.
func fromRouter(status int, phrase, contentType, body string) func(*request) {
	return func(r *request) {
		r.send(&reply{status: status, phrase: phrase, from: byRouter, body: body, header: []string{
			"content-length: " + strconv.Itoa(len(body)), "cache-control: no-cache", "content-type: " + contentType, "connection: close",
		}})
	}
}

// routerUnavailable is OKD's page, but for its length.
func (r *request) routerUnavailable() {
	r.send(&reply{status: http.StatusServiceUnavailable, from: byRouter, body: routerPage, header: []string{
		"Pragma: no-cache", "Cache-Control: private, max-age=0, no-cache, no-store", "Connection: close", "Content-Type: text/html",
	}})
}

func (r *request) rateLimited() {
	if r.api != nil && r.api.message != "" { // the store is down, and the plan lets nobody in then
		r.fail(http.StatusTooManyRequests, r.api.message)
		return
	}
	r.setLimit(limit{"X-Rate-Limit", 2, time.Minute}, 0)
	r.fail(http.StatusTooManyRequests, r.engine.limitExceeded)
}

// uncounted says what is left of a limit, whose store cannot be asked.
func (r *request) uncounted() {
	r.addLimit(limit{"X-Rate-Limit", 2, time.Minute}, 2, -1)
	r.documented()
}

func (r *request) template() {
	r.send(&reply{status: http.StatusUnauthorized, from: byTemplate, kind: jsonType, body: `{"error":"unauthorized"}`})
}

func (r *request) innerGateway() {
	const refused = `{"message":"Unauthorized","http_status_code":401}`
	r.send(&reply{status: http.StatusUnauthorized, from: byBackend, header: r.engine.innerHeader(len(refused)), body: refused})
}

func (r *request) failover() {
	r.send(&reply{status: http.StatusBadGateway, from: byFailover})
}

func (r *request) backendDead() {
	r.wait(r.options.DeadAfter)
	r.fail(http.StatusGatewayTimeout, "")
}

func (r *request) slow() {
	r.wait(r.options.SlowAfter)
	r.documented()
}

func (r *request) backendUnauthorized() {
	r.pass(http.StatusUnauthorized, jsonType, `{"error":"invalid_token"}`, `WWW-Authenticate: Bearer error="invalid_token"`)
}

func (r *request) redirect() {
	r.pass(http.StatusFound, htmlType, "", "Location: https://login.example.no/")
}

// truncated announces the length of a page and sends half of it.
func (r *request) truncated() {
	header := []string{"Content-Type: " + jsonType, r.engine.length + ": " + strconv.Itoa(len(page))}
	r.send(&reply{status: http.StatusOK, from: byBackend, header: header, body: page[:len(page)/2], cut: true})
}
