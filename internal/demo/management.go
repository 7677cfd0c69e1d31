package demo

import (
	"crypto/tls"
	"net/http"
	"strings"
	"time"
)

// management is an institution's API manager: of Gravitee's Management API v1
// what a consumer needs to read its own keys.
type management struct {
	*ledger
	application string // id
	token       string // the one personal access token
	dialect     dialect
	slowAfter   time.Duration
	door        *door
	mux         *http.ServeMux

	fault ManagementFault // under the ledger's lock
}

const (
	managementPath = "/management"
	environment    = "GET " + managementPath + "/organizations/{organization}/environments/{environment}"
	applications   = environment + "/applications/{application}"
)

// newManagement opens the API manager's own port, under the same name as the
// gateway: one server_name then does for both.
func newManagement(i institution, g *gateway, ca *authority) (*management, error) {
	certificate, err := ca.issue(serverName(i.Name), certificateLife)
	if err != nil {
		return nil, err
	}
	m := &management{
		ledger: g.ledger, application: newUUID(), token: newUUID(),
		dialect: dialects[g.options.Gravitee], slowAfter: g.options.SlowAfter, mux: http.NewServeMux(),
	}
	m.mux.HandleFunc(applications+"/subscriptions", m.list)
	m.mux.HandleFunc(applications+"/subscriptions/{subscription}/"+m.dialect.keys, m.keysOf)
	m.mux.HandleFunc(environment+"/apis/{api}", m.definition)
	m.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { m.fail(w, http.StatusNotFound, "", "HTTP 404 Not Found") })
	present := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &certificate, nil }
	m.door, err = openDoor("127.0.0.1:0", present, m)
	return m, err
}

// ServeHTTP answers one request: who asks, then what is wrong today, then what was asked for.
func (m *management) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := m.shown()
	if r.Header.Get("Authorization") != "Bearer "+m.token {
		fault = ManagementUnauthorized
	}
	managementFaults[fault](m, w, r)
}

func (m *management) shown() ManagementFault {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fault
}

func (m *management) right(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

// known reports whether the address names what there is; it answers by itself what there is not.
func (m *management) known(w http.ResponseWriter, r *http.Request) bool {
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

// ManagementURL returns the base of the institution's Management API,
// https://127.0.0.1:PORT/management. Its certificate is for ServerName.
func (p *Platform) ManagementURL(institution string) string {
	return "https://" + p.management(institution).door.listener.Addr().String() + managementPath
}

// Application returns the id of the application that the exporter's keys belong to.
func (p *Platform) Application(institution string) string {
	return p.management(institution).application
}

// ManagementToken returns the personal access token that the API manager accepts.
func (p *Platform) ManagementToken(institution string) string {
	return p.management(institution).token
}

// ManagedKeys returns all keys of the application; a shared one comes once for each subscription.
func (p *Platform) ManagedKeys(institution string) []ManagedKey {
	return p.management(institution).managed()
}

// SetManagement makes the API manager show f; the gateway goes on as it was.
func (p *Platform) SetManagement(institution string, f ManagementFault) {
	m := p.management(institution)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = f
}

// Renew does what the button in the API manager does: it returns a new key, and
// the gateway accepts the old ones for two more hours (Options.KeyGrace).
func (p *Platform) Renew(institution, api string) string {
	return p.gateway(institution).subscription(api).access.renew()
}

// Revoke ends an API's newest key at once.
func (p *Platform) Revoke(institution, api string) {
	p.gateway(institution).subscription(api).access.revoke()
}

// EndAt sets the day on which a subscription ends, and with it its newest key.
func (p *Platform) EndAt(institution, api string, at time.Time) {
	p.gateway(institution).subscription(api).access.end(at)
}

func (p *Platform) management(institution string) *management {
	return p.gateway(institution).management
}
