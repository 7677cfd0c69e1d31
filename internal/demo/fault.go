package demo

import (
	"net/http"
	"strconv"
	"time"
)

// Fault is what is wrong with an API or a gateway. The set is closed.
type Fault int

// The faults, named by cause.
const (
	Healthy             Fault = iota
	Refused                   // nothing listens: whole gateways only
	Silent                    // accepts the request and never answers
	RouterUnavailable         // 503 HTML of the router: no gateway behind it
	UnknownContextPath        // the gateway's 404: the API is stopped, or was never deployed
	KeyRejected               // the gateway's 401, also for the right key
	KeyOpen                   // answers as if healthy, with any key or none
	ResourceForbidden         // the plan's 403: path not listed
	MethodForbidden           // the plan's 405: method not listed
	RateLimited               // 429
	GatewayError              // 500 in the gateway's own shape: a broken policy
	BackendDead               // 504 empty, after a while
	BackendRefused            // 502 empty
	BackendUnavailable        // 503 empty: the health check took the backend out
	BackendUnauthorized       // the backend's own 401
	BackendForbidden          // the backend's own 403
	BackendNotFound           // the backend's own 404
	BackendError              // the backend's own 500
	Redirect                  // 302 to a login page
	Slow                      // the right answer, late
	HTMLPage                  // 200 with a login page
	EmptyBody                 // 200 with nothing
	TruncatedBody             // 200, and the connection ends in the middle of the body
	BrokenJSON                // 200 with half a document, whole as HTTP
	UnexpectedJSON            // 200 with JSON of another form
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
	return func(r *request) { r.fail(status, message) }
}

func fromBackend(status int, contentType, body string) func(*request) {
	return func(r *request) { r.pass(status, contentType, body) }
}

func (r *request) silence() {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

func (r *request) routerUnavailable() {
	h := r.w.Header()
	h.Set("Cache-Control", "private, max-age=0, no-cache, no-store")
	h.Set("Connection", "close")
	r.write(http.StatusServiceUnavailable, "text/html", []byte(routerPage))
}

func (r *request) rateLimited() {
	r.setLimit(limit{"X-Rate-Limit", 10, time.Minute}, 0)
	r.fail(http.StatusTooManyRequests, messageRateLimit)
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
	r.w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	r.pass(http.StatusUnauthorized, jsonType, `{"error":"invalid_token"}`)
}

func (r *request) redirect() {
	r.w.Header().Set("Location", "https://login.example.no/")
	r.pass(http.StatusFound, htmlType, "")
}

// truncated announces the length of a page and sends half of it.
func (r *request) truncated() {
	r.setIDs()
	h := r.w.Header()
	h.Set("Content-Type", jsonType)
	h.Set("Content-Length", strconv.Itoa(len(page)))
	_, _ = r.w.Write([]byte(page[:len(page)/2]))
	_ = http.NewResponseController(r.w).Flush()
	panic(http.ErrAbortHandler)
}
