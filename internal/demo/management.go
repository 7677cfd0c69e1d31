package demo

import (
	"cmp"
	"crypto/tls"
	"io"
	"net/http"
	"slices"
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
	token       string // of a plain member of the application
	admin       string // the token of an administrator
	dialect     dialect
	slowAfter   time.Duration
	listener    *httpsListener
	mux         *http.ServeMux

	fault ManagementFault // under the subscriptions' lock
}

const (
	managementPath = "/management"
	environment    = managementPath + "/organizations/{organization}/environments/{environment}"
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
	ManagementNoDefinitions                 // the token's user finds no API in the portal
	ManagementArchived                      // the application is archived
	ManagementIsGateway                     // a gateway answers at this address
)

// newManagement opens the API manager's own port, under the same name as the
// gateway: one server_name then does for both.
func newManagement(institution string, options Options, s *subscriptions, ca *authority) (*management, error) {
	certificate, err := ca.issue(serverName(institution), certificateLife)
	if err != nil {
		return nil, err
	}
	m := &management{
		subscriptions: s, application: uuid.NewString(), token: uuid.NewString(), admin: uuid.NewString(),
		dialect: dialects[options.Gravitee], slowAfter: options.SlowAfter, mux: http.NewServeMux(),
	}
	m.mux.HandleFunc(applications, m.getApplication)
	m.mux.HandleFunc(applications+"/subscriptions", m.listSubscriptions)
	m.mux.HandleFunc(applications+"/subscriptions/{subscription}/"+m.dialect.keys, m.listKeys)
	m.mux.HandleFunc(environment+"/apis", m.listAPIs)
	m.mux.HandleFunc(environment+"/apis/{api}", m.getAPI)
	m.mux.HandleFunc(managementPath+"/", m.notFound)
	present := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil }
	m.listener, err = listenHTTPS(anyPort, present, m)
	return m, err
}

// ServeHTTP checks the address and the token first, then shows the fault in force.
func (m *management) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := m.currentFault()
	switch known := m.roleOf(r) != ""; {
	case fault == ManagementIsGateway:
	case strings.HasPrefix(r.URL.Path, "/portal/"):
		m.refuse(w, r, http.StatusUnauthorized, `WWW-Authenticate: Basic realm="Gravitee.io Portal API"`)
		return
	case !strings.HasPrefix(r.URL.Path, managementPath+"/"):
		m.refuse(w, r, http.StatusNotFound, "")
		return
	case !known:
		fault = ManagementUnauthorized
	}
	managementFaults[fault](m, w, r)
}

// roleOf says whose token came: user, admin or nobody's.
func (m *management) roleOf(r *http.Request) string {
	return map[string]string{"Bearer " + m.token: "user", "Bearer " + m.admin: "admin"}[r.Header.Get("Authorization")]
}

var managementFaults = [...]func(*management, http.ResponseWriter, *http.Request){
	ManagementHealthy:       (*management).route,
	ManagementUnauthorized:  (*management).unauthorized,
	ManagementForbidden:     (*management).forbidden,
	ManagementBroken:        (*management).broken,
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
	ManagementArchived:      (*management).route,
	ManagementIsGateway:     managementSends(http.StatusNotFound, "text/plain", messageNoAPI),
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

// listSubscriptions answers with the requested page of the application's subscriptions. An administrator may ask for those
// of any application, and 3.x does not look at the environment.
func (m *management) listSubscriptions(w http.ResponseWriter, r *http.Request) {
	if !m.placed(w, r) {
		return
	}
	role, archived := m.roleOf(r), m.currentFault() == ManagementArchived
	known := r.PathValue("application") == m.application
	switch {
	case role == "user" && !known:
		m.lacks(w, r, "Application", "application")
		return
	case role == "user" && archived:
		m.forbidden(w, r)
		return
	}
	query := r.URL.Query()
	page, size := number(query.Get("page"), 1), number(query.Get("size"), 20)
	switch {
	case page < 1:
		m.badPage(w, r, "Page number should not be less than 1", "page", page)
		return
	case size < 1:
		m.badPage(w, r, "Page size should not be less than 1", "size", size)
		return
	case size > 100 && !m.dialect.four:
		m.badPage(w, r, "Page size should not be more than 100", "size", size)
		return
	}
	statuses := strings.Split(cmp.Or(query.Get("status"), "ACCEPTED"), ",")
	if !known || archived {
		statuses = nil
	}
	m.write(w, r, m.page(statuses, page, size))
}

func number(s string, fallback int) int {
	if s == "" {
		return fallback
	}
	n, _ := strconv.Atoi(s) // 0 is refused
	return n
}

func (m *management) badPage(w http.ResponseWriter, r *http.Request, message, name string, value int) {
	if !m.dialect.four {
		m.fail(w, r, http.StatusBadRequest, object{
			{"message", message}, {"path", "getApplicationSubscriptions.arg1." + name}, {"invalid_value", value},
		})
		return
	}
	detail := object{{"message", message}, {"location", name}, {"invalidValue", value}}
	m.fail(w, r, http.StatusBadRequest, object{
		{"message", message}, {"path", "getApplicationSubscriptions.pageable." + name}, {"details", []any{detail}}, {"invalid_value", value},
	})
}

// listKeys answers with all keys of one subscription, newest first.
func (m *management) listKeys(w http.ResponseWriter, r *http.Request) {
	switch keys := m.keyEntities(r.PathValue("subscription")); {
	case !m.placed(w, r):
	case r.PathValue("application") != m.application, r.PathValue("environment") != defaultEnvironment:
		m.lacks(w, r, "Application", "application")
	case keys == nil:
		m.lacks(w, r, "Subscription", "subscription")
	default:
		m.write(w, r, keys)
	}
}

func (m *management) getApplication(w http.ResponseWriter, r *http.Request) {
	switch {
	case !m.placed(w, r):
	case r.PathValue("application") != m.application:
		m.lacks(w, r, "Application", "application")
	default:
		m.write(w, r, m.applicationEntity())
	}
}

// listAPIs answers with what the portal shows.
func (m *management) listAPIs(w http.ResponseWriter, r *http.Request) {
	if !m.placed(w, r) {
		return
	}
	apis := []any{}
	if m.currentFault() != ManagementNoDefinitions && r.URL.Query().Get("portal") == "true" {
		apis = m.published("https://" + r.Host + strings.TrimSuffix(r.URL.Path, "/apis"))
	}
	m.write(w, r, apis)
}

// getAPI refuses to show an API's definition: the token's user is no member of any.
func (m *management) getAPI(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	known := slices.ContainsFunc(m.all, func(e *subscription) bool { return apiID(e.api) == r.PathValue("api") })
	m.mu.Unlock()
	switch {
	case !m.placed(w, r):
	case !known, r.PathValue("environment") != defaultEnvironment:
		m.lacks(w, r, "Api", "api")
	default:
		m.forbidden(w, r)
	}
}

const defaultEnvironment = "DEFAULT"

// placed reports whether organization and environment are such as the dialect lets pass. If not, it answers the request.
func (m *management) placed(w http.ResponseWriter, r *http.Request) bool {
	organization, environment := r.PathValue("organization") == defaultEnvironment, strings.EqualFold(r.PathValue("environment"), defaultEnvironment)
	switch {
	case m.dialect.four && !(organization && environment):
		lines := slices.DeleteFunc(m.header(), func(l string) bool { return strings.HasPrefix(l, "Vary: ") })
		m.send(w, r, http.StatusBadRequest, lines, encode(object{{"httpStatus", 400}, {"message", "Invalid organization or environment"}}, ""))
		return false
	case !organization:
		m.fail(w, r, http.StatusInternalServerError, object{{"message", "No value present"}, {"http_status", 500}})
		return false
	}
	return true
}

func (m *management) notFound(w http.ResponseWriter, r *http.Request) {
	entity := object{{"message", "HTTP 404 Not Found"}, {"http_status", 404}}
	if m.dialect.four && strings.HasPrefix(r.URL.Path, managementPath+"/v2/") {
		entity = object{{"httpStatus", 404}, {"message", "HTTP 404 Not Found"}}
	}
	m.fail(w, r, http.StatusNotFound, entity)
}

// lacks says that there is no such thing.
func (m *management) lacks(w http.ResponseWriter, r *http.Request, what, name string) {
	negation := "can not"
	if m.dialect.four {
		negation = "cannot"
	}
	id := r.PathValue(name)
	m.fail(w, r, http.StatusNotFound, object{
		{"message", what + " [" + id + "] " + negation + " be found."},
		{"parameters", object{{name, id}}},
		{"technicalCode", name + ".notFound"},
		{"http_status", 404},
	})
}

func (m *management) forbidden(w http.ResponseWriter, r *http.Request) {
	m.fail(w, r, http.StatusForbidden, object{
		{"message", "You do not have sufficient rights to access this resource"}, {"technicalCode", "forbidden"}, {"http_status", 403},
	})
}

func (m *management) broken(w http.ResponseWriter, r *http.Request) {
	m.fail(w, r, http.StatusInternalServerError, object{{"message", "Internal error"}, {"http_status", 500}})
}

func (m *management) unauthorized(w http.ResponseWriter, r *http.Request) {
	first := `WWW-Authenticate: Basic realm="Gravitee.io Management API"`
	if r.Header.Get("Authorization") != "" {
		epoch := map[bool]string{false: "Thu, 01-Jan-1970 00:00:00 GMT", true: "Thu, 01 Jan 1970 00:00:00 GMT"}[m.dialect.four]
		first = "Set-Cookie: Auth-Graviteeio-APIM=; Path=/; Expires=" + epoch + "; Max-Age=0; HttpOnly"
	}
	m.refuse(w, r, http.StatusUnauthorized, first)
}

// refuse answers as Jetty does before any servlet, or in front of one; first is the header line that says why.
func (m *management) refuse(w http.ResponseWriter, r *http.Request, status int, first string) {
	var lines []string
	if first != "" {
		lines = append(lines, first, "X-Content-Type-Options: nosniff", "X-XSS-Protection: "+m.xss())
		if !strings.HasPrefix(first, "Set-Cookie") {
			lines = append(lines, "Pragma: no-cache")
		}
		lines = append(lines, "X-Frame-Options: DENY")
	}
	lines = append(lines, "Cache-Control: must-revalidate,no-cache,no-store", "Content-Type: application/json")
	servlet, address := "", r.URL.Path
	switch {
	case m.dialect.four:
		address = "https://" + r.Host + strings.ReplaceAll(r.RequestURI, "&", "&amp;")
	case first != "":
		servlet = "\"servlet\":\"org.glassfish.jersey.servlet.ServletContainer-56a2599a\",\n"
	}
	body := "{\n" + servlet + `"message":"` + http.StatusText(status) + "\",\n\"url\":\"" + address + "\",\n\"status\":\"" + strconv.Itoa(status) + "\"\n}"
	m.send(w, r, status, lines, body)
}

// write sends a document, or as much of it as the fault in force lets through.
func (m *management) write(w http.ResponseWriter, r *http.Request, document any) {
	body := encode(document, "")
	half := body[:len(body)/2]
	switch m.currentFault() {
	case ManagementTruncated:
		body = half
	case ManagementCutOff:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write([]byte(half))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	m.send(w, r, http.StatusOK, m.header(), body)
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
func (m *management) fail(w http.ResponseWriter, r *http.Request, status int, entity object) {
	m.send(w, r, status, m.header(), encode(entity, ""))
}

func (m *management) xss() string {
	return map[bool]string{false: "1; mode=block", true: "0"}[m.dialect.four]
}

// header are the lines of every answer of the Management API's own.
func (m *management) header() []string {
	return []string{
		"Vary: Origin", "Vary: Access-Control-Request-Method", "Vary: Access-Control-Request-Headers", "Content-Type: application/json",
		"X-Content-Type-Options: nosniff", "X-XSS-Protection: " + m.xss(), "Cache-Control: no-cache, no-store, max-age=0, must-revalidate",
		"Pragma: no-cache", "Expires: 0", "X-Frame-Options: DENY",
	}
}

// send puts an answer on the wire in this order, as HTTP/1.1 alone allows.
func (m *management) send(w http.ResponseWriter, r *http.Request, status int, lines []string, body string) {
	lines = append(lines, "Content-Length: "+strconv.Itoa(len(body)))
	raw, isRaw := w.(*rawWriter)
	if r.ProtoMajor == 1 && isRaw {
		after := kept
		if r.Close {
			after, lines = closed, append(lines, "Connection: close")
		}
		if r.Method == http.MethodHead {
			body = ""
		}
		raw.send("HTTP/1.1 "+strconv.Itoa(status)+" "+reasonPhrase(status, m.dialect.four)+"\r\n"+strings.Join(lines, "\r\n")+"\r\n\r\n"+body, after, false)
		return
	}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		w.Header().Add(name, value)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) //nolint:gosec // the simulation knows no browser
}

// reasonPhrase is Jetty's, which Gravitee 4 has of another version.
func reasonPhrase(status int, four bool) string {
	if status == http.StatusInternalServerError && four {
		return "Server Error"
	}
	return http.StatusText(status)
}
