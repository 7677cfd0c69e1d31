package demo

import "net/http"

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
	UnexpectedJSON            // 200 with JSON that is not what was asked for
)

// How far a request gets before a fault shows: the number of the gateway's checks it has passed.
const (
	beforeAll = iota
	afterRouting
	afterKey
	afterPlan
)

const (
	jsonType = "application/json"
	htmlType = "text/html; charset=utf-8"

	page       = "<!DOCTYPE html><html><head><title>Logg inn</title></head><body><h1>Logg inn</h1></body></html>\n"
	routerPage = "<html><body><h1>Application is not available</h1>" +
		"<p>The application is currently not serving requests at this endpoint.</p></body></html>\n"
)

// The gateway's own sentences.
const (
	sayNoKey      = "Unauthorized"
	sayInvalidKey = "API Key is not valid or is expired / revoked."
	sayNoAPI      = "No context-path matches the request URI."
	sayResource   = "You're not allowed to access this resource"
	sayMethod     = "Method not allowed while accessing this resource"
	sayRateLimit  = "Rate limit exceeded ! You reach the limit of 10 requests per 1 minutes"
	sayError      = "Internal Server Error"
)

// faults says for each fault how far a request gets, and how it is answered then.
var faults = [...]struct {
	name   string
	after  int
	answer func(*exchange)
}{
	Healthy:             {"healthy", afterPlan, (*exchange).documented},
	Refused:             {"refused", beforeAll, (*exchange).silence}, // for who came in before the door was shut
	Silent:              {"silent", beforeAll, (*exchange).silence},
	RouterUnavailable:   {"router unavailable", beforeAll, (*exchange).router},
	UnknownContextPath:  {"unknown context path", beforeAll, (*exchange).noContextPath},
	KeyRejected:         {"key rejected", afterRouting, (*exchange).rejectKey},
	KeyOpen:             {"key open", afterRouting, (*exchange).documented},
	ResourceForbidden:   {"resource forbidden", afterKey, gatewaySays(http.StatusForbidden, sayResource)},
	MethodForbidden:     {"method forbidden", afterKey, gatewaySays(http.StatusMethodNotAllowed, sayMethod)},
	RateLimited:         {"rate limited", afterKey, (*exchange).rateLimited},
	GatewayError:        {"gateway error", afterKey, gatewaySays(http.StatusInternalServerError, sayError)},
	BackendDead:         {"backend dead", afterPlan, (*exchange).dead},
	BackendRefused:      {"backend refused", afterPlan, gatewaySays(http.StatusBadGateway, "")},
	BackendUnavailable:  {"backend unavailable", afterPlan, gatewaySays(http.StatusServiceUnavailable, "")},
	BackendUnauthorized: {"backend unauthorized", afterPlan, (*exchange).backendUnauthorized},
	BackendForbidden:    {"backend forbidden", afterPlan, backendSays(http.StatusForbidden, jsonType, `{"error":"insufficient_scope"}`)},
	BackendNotFound:     {"backend not found", afterPlan, backendSays(http.StatusNotFound, jsonType, notFound)},
	BackendError:        {"backend error", afterPlan, backendSays(http.StatusInternalServerError, jsonType, `{"error":"server_error"}`)},
	Redirect:            {"redirect", afterPlan, (*exchange).redirect},
	Slow:                {"slow", afterPlan, (*exchange).slow},
	HTMLPage:            {"HTML page", afterPlan, backendSays(http.StatusOK, htmlType, page)},
	EmptyBody:           {"empty body", afterPlan, backendSays(http.StatusOK, jsonType, "")},
	TruncatedBody:       {"truncated body", afterPlan, (*exchange).truncated},
	BrokenJSON:          {"broken JSON", afterPlan, backendSays(http.StatusOK, jsonType, `[{"id":"1"`)},
	UnexpectedJSON:      {"unexpected JSON", afterPlan, backendSays(http.StatusOK, jsonType, `[]`)},
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
