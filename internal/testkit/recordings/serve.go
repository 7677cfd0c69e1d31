package recordings

import (
	"cmp"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// notRecorded is what Jetty answers below no servlet.
const notRecorded = "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 38\r\n\r\n" + `{"message":"Not Found","status":"404"}`

// ServeManager serves what the API manager of that version answered, byte for byte, to each token; where several answers
// to one request were recorded, the last whose name is not in without.
func ServeManager(t testing.TB, version string, without ...string) *httptest.Server {
	t.Helper()
	managers, err := Managers()
	if err != nil {
		t.Fatal(err)
	}
	answers := map[string]string{}
	for _, m := range managers {
		for _, e := range m.Exchanges {
			if m.Version == version && !slices.Contains(without, e.Name) {
				answers[e.As+" "+e.Method+" "+e.Path] = e.Answer
			}
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		as := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		Send(t, w, cmp.Or(answers[as+" "+r.Method+" "+r.RequestURI], notRecorded))
	}))
	t.Cleanup(server.Close)
	return server
}

// Send sends a recorded answer as it is, and closes the connection.
func Send(t testing.TB, w http.ResponseWriter, answer string) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	_, _ = io.WriteString(conn, answer)
	_ = conn.Close()
}
