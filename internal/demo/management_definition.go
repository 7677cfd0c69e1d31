package demo

import "net/http"

// apiNames are what the API manager calls the APIs, by context path. Of the
// platform's templates, where they have one.
var apiNames = map[string]string{
	"/lonn/v1":              "DFØ SAP",
	"/fs":                   "FS-API",
	"/fs/gemini":            "FS Gemini",
	"/inspera":              "Inspera-API",
	"/test/digdir/freg":     "Digdir FReg API Test",
	"/test/digdir/krr":      "Digdir KRR API Test",
	"/maskinporten-test/v2": "Maskinporten",
}

// apiName returns what the API manager calls an API; those that fill the
// ledger are no more than a name.
func apiName(contextPath string) string {
	name, ok := apiNames[contextPath]
	if !ok {
		return contextPath
	}
	return name
}

// definition answers with as much of an API's definition as a member may see who may not change it.
func (m *management) definition(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("api")
	if m.shown() == ManagementNoDefinitions {
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

func (m *management) contextPath(id string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		_, deployed := apiNames[e.api]
		if apiID(e.api) == id && deployed {
			return e.api, true
		}
	}
	return "", false
}
