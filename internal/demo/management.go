package demo

import (
	"crypto/tls"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// management is an institution's API manager: the part of Gravitee's Management API v1
// with which a consumer reads its own keys.
type management struct {
	*subscriptions
	application string // id
	token       string // the one personal access token
	dialect     dialect
	slowAfter   time.Duration
	listener    *httpsListener
	mux         *http.ServeMux

	fault ManagementFault // under the subscriptions' lock
}

const (
	managementPath = "/management"
	environment    = "GET " + managementPath + "/organizations/{organization}/environments/{environment}"
	applications   = environment + "/applications/{application}"
)

// ManagementFault is what is wrong with an API manager. The set is closed.
type ManagementFault int

// The faults of an API manager.
const (
	ManagementHealthy       ManagementFault = iota
	ManagementUnauthorized                  // 401: the token has been revoked
	ManagementForbidden                     // 403: the token's user has lost a right
	ManagementBroken                        // 500
	ManagementSlow                          // the right answer, late
	ManagementPage                          // 200 with the console's page
	ManagementRedirect                      // 302 to a login page
	ManagementGarbage                       // 200 and no JSON
	ManagementOtherJSON                     // 200 with JSON of another form
	ManagementTruncated                     // 200 with half a document, whole as HTTP
	ManagementCutOff                        // the connection ends in the middle of a document
	ManagementEpochAsText                   // dates as strings of digits
	ManagementNonsenseDates                 // dates that are no dates
	ManagementNoDefinitions                 // 403 for the APIs: the token's user is not a member of them
)

// newManagement opens the API manager's own port, under the same name as the
// gateway: one server_name then does for both.
func newManagement(institution string, options Options, s *subscriptions, ca *authority) (*management, error) {
	certificate, err := ca.issue(serverName(institution), certificateLife)
	if err != nil {
		return nil, err
	}
	m := &management{
		subscriptions: s, application: uuid.NewString(), token: uuid.NewString(),
		dialect: dialects[options.Gravitee], slowAfter: options.SlowAfter, mux: http.NewServeMux(),
	}
	m.mux.HandleFunc(applications+"/subscriptions", m.listSubscriptions)
	m.mux.HandleFunc(applications+"/subscriptions/{subscription}/"+m.dialect.keys, m.listKeys)
	m.mux.HandleFunc(environment+"/apis/{api}", m.getAPI)
	m.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { m.fail(w, http.StatusNotFound, "", "HTTP 404 Not Found") })
	present := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil }
	m.listener, err = listenHTTPS(anyPort, present, m)
	return m, err
}

// ServeHTTP checks the token first, then shows the fault in force.
func (m *management) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := m.currentFault()
	if r.Header.Get("Authorization") != "Bearer "+m.token {
		fault = ManagementUnauthorized
	}
	managementFaults[fault](m, w, r)
}

var managementFaults = [...]func(*management, http.ResponseWriter, *http.Request){
	ManagementHealthy:       (*management).route,
	ManagementUnauthorized:  managementFails(http.StatusUnauthorized, "errors.unauthorized", "Unauthorized"),
	ManagementForbidden:     managementFails(http.StatusForbidden, "errors.forbidden", "You do not have sufficient rights to access this resource"),
	ManagementBroken:        managementFails(http.StatusInternalServerError, "unexpected", "Internal error"),
	ManagementSlow:          (*management).slow,
	ManagementPage:          managementSends(http.StatusOK, htmlType, page),
	ManagementRedirect:      managementSends(http.StatusFound, htmlType, ""),
	ManagementGarbage:       managementSends(http.StatusOK, jsonType, "no answer of any kind"),
	ManagementOtherJSON:     managementSends(http.StatusOK, jsonType, `{"data":"none"}`),
	ManagementTruncated:     (*management).route, // write, date and getAPI show these
	ManagementCutOff:        (*management).route,
	ManagementEpochAsText:   (*management).route,
	ManagementNonsenseDates: (*management).route,
	ManagementNoDefinitions: (*management).route,
}

func managementFails(status int, code, message string) func(*management, http.ResponseWriter, *http.Request) {
	return func(m *management, w http.ResponseWriter, _ *http.Request) { m.fail(w, status, code, message) }
}

func managementSends(status int, contentType, body string) func(*management, http.ResponseWriter, *http.Request) {
	return func(_ *management, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		if status == http.StatusFound { // to this host, so that a client that follows it is counted
			w.Header().Set("Location", r.URL.Path+"?followed")
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func (m *management) slow(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(m.slowAfter):
		m.route(w, r)
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

func (m *management) route(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

// listSubscriptions answers with the requested page of the application's subscriptions.
func (m *management) listSubscriptions(w http.ResponseWriter, r *http.Request) {
	if !m.checkPath(w, r) {
		return
	}
	query := r.URL.Query()
	page, size := number(query.Get("page"), 1), number(query.Get("size"), 20)
	if page < 1 || size < 1 || size > 100 {
		m.fail(w, http.StatusBadRequest, "", "Page size should not be more than 100")
		return
	}
	status := query.Get("status")
	if status == "" {
		status = "ACCEPTED"
	}
	m.write(w, m.page(strings.Split(status, ","), page, size))
}

func number(s string, fallback int) int {
	if s == "" {
		return fallback
	}
	n, _ := strconv.Atoi(s) // 0 is refused
	return n
}

// listKeys answers with all keys of one subscription, newest first.
func (m *management) listKeys(w http.ResponseWriter, r *http.Request) {
	if !m.checkPath(w, r) {
		return
	}
	keys := m.keyEntities(r.PathValue("subscription"))
	if keys == nil {
		m.fail(w, http.StatusNotFound, "subscription.notFound", "Subscription ["+r.PathValue("subscription")+"] can not be found.")
		return
	}
	m.write(w, keys)
}

// getAPI answers with the part of an API's definition that a member without write access may see.
func (m *management) getAPI(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("api")
	if m.currentFault() == ManagementNoDefinitions {
		m.fail(w, http.StatusForbidden, "errors.forbidden", "You do not have sufficient rights to access this resource")
		return
	}
	path, ok := m.contextPath(id)
	if !ok {
		m.fail(w, http.StatusNotFound, "api.notFound", "Api ["+id+"] cannot be found.")
		return
	}
	m.write(w, map[string]any{
		"id": id, "name": apiName(path), "version": "1", "state": "STARTED", "visibility": "PRIVATE",
		"context_path": path, "proxy": map[string]any{"virtual_hosts": []any{map[string]any{"path": path}}},
	})
}

// checkPath reports whether the address names what exists. If not, it answers the request.
func (m *management) checkPath(w http.ResponseWriter, r *http.Request) bool {
	for _, part := range [...]struct{ name, want string }{
		{"organization", "DEFAULT"}, {"environment", "DEFAULT"}, {"application", m.application},
	} {
		got := r.PathValue(part.name)
		if got != part.want {
			m.fail(w, http.StatusNotFound, part.name+".notFound", strings.ToUpper(part.name[:1])+part.name[1:]+" ["+got+"] cannot be found.")
			return false
		}
	}
	return true
}

// write sends a document, or as much of it as the fault in force lets through.
func (m *management) write(w http.ResponseWriter, document any) {
	body, _ := json.MarshalIndent(document, "", "  ") // maps of strings, numbers and the like: cannot fail
	half := body[:len(body)/2]
	w.Header().Set("Content-Type", jsonType)
	switch m.currentFault() {
	case ManagementTruncated:
		body = half
	case ManagementCutOff:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(half)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write(body)
}

func (m *management) setFault(f ManagementFault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = f
}

func (m *management) currentFault() ManagementFault {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fault
}

// fail answers with an error in the form of Gravitee's Management API.
func (m *management) fail(w http.ResponseWriter, status int, code, message string) {
	entity := map[string]any{"message": message, "http_status": status}
	if code != "" {
		entity["technicalCode"] = code
	}
	body, _ := json.MarshalIndent(entity, "", "  ") // strings and a number: cannot fail
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
