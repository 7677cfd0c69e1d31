package demo

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
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
	ManagementNonsenseDates                 // dates that are none
	ManagementNoDefinitions                 // 403 for the APIs: the token's user is no member of them
)

var managementFaults = [...]func(*management, http.ResponseWriter, *http.Request){
	ManagementHealthy:       (*management).right,
	ManagementUnauthorized:  managementSays(http.StatusUnauthorized, "errors.unauthorized", "Unauthorized"),
	ManagementForbidden:     managementSays(http.StatusForbidden, "errors.forbidden", "You do not have sufficient rights to access this resource"),
	ManagementBroken:        managementSays(http.StatusInternalServerError, "unexpected", "Internal error"),
	ManagementSlow:          (*management).late,
	ManagementPage:          managementSends(http.StatusOK, htmlType, page),
	ManagementRedirect:      managementSends(http.StatusFound, htmlType, ""),
	ManagementGarbage:       managementSends(http.StatusOK, jsonType, "no answer of any kind"),
	ManagementOtherJSON:     managementSends(http.StatusOK, jsonType, `{"data":"none"}`),
	ManagementTruncated:     (*management).right, // write, date and definition see to these
	ManagementCutOff:        (*management).right,
	ManagementEpochAsText:   (*management).right,
	ManagementNonsenseDates: (*management).right,
	ManagementNoDefinitions: (*management).right,
}

func managementSays(status int, code, message string) func(*management, http.ResponseWriter, *http.Request) {
	return func(m *management, w http.ResponseWriter, _ *http.Request) { m.fail(w, status, code, message) }
}

func managementSends(status int, contentType, body string) func(*management, http.ResponseWriter, *http.Request) {
	return func(_ *management, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		if status == http.StatusFound { // to this host, so that whoever follows it is seen
			w.Header().Set("Location", r.URL.Path+"?followed")
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func (m *management) late(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(m.slowAfter):
		m.right(w, r)
	case <-r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// write sends a document, whole or not.
func (m *management) write(w http.ResponseWriter, document any) {
	body, _ := json.MarshalIndent(document, "", "  ") // maps of strings, numbers and the like: cannot fail
	half := body[:len(body)/2]
	w.Header().Set("Content-Type", jsonType)
	switch m.shown() {
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
