package view_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/view"
)

// The certificate of httptest is for example.com, and for the address: the
// command must ask for the name, of the address.
func TestCurlNamesTheServer(t *testing.T) {
	var host, name string
	server := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		host, name = r.Host, r.TLS.ServerName
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	request := view.Request{Method: "GET", URL: server.URL + "/lonn/", CAFile: ca, ServerName: "example.com"}
	printed, err := exec.CommandContext(t.Context(), "sh", "-c", request.Curl()+" --noproxy '*' --silent --show-error").CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%v\n%s", request.Curl(), err, printed)
	}
	if want := strings.TrimPrefix(server.URL, "https://"); host != want || name != "example.com" {
		t.Errorf("asked for %s by the name %s, want %s by example.com", host, name, want)
	}
}
