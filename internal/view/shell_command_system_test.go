//go:build system

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

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/view"
)

// A real shell and a real curl say whether the quoting is right.
func TestCurl(t *testing.T) {
	accept := "application/json"
	for name, c := range map[string]struct {
		request view.Request // its URL is a path here
		want    received
	}{
		"plain": {
			view.Request{Method: "GET", URL: "/lonn/v1/", KeyHeader: "X-Gravitee-Api-Key"},
			received{Method: "GET", URI: "/lonn/v1/", Header: map[string]string{"Accept": accept, "X-Gravitee-Api-Key": oddKey}},
		},
		"without a key": {
			view.Request{Method: "GET", URL: "/lonn/v1/"},
			received{Method: "GET", URI: "/lonn/v1/", Header: map[string]string{"Accept": accept}},
		},
		"HEAD": {
			view.Request{Method: "HEAD", URL: "/", KeyHeader: "X-Key"},
			received{Method: "HEAD", URI: "/", Header: map[string]string{"Accept": accept, "X-Key": oddKey}},
		},
		"what curl and the shell would change": {
			view.Request{
				Method: "GET", URL: "/a/../b/./{x,y}/[1-3]?q='$(id)'&r=`id`;$HOME&\"*", KeyHeader: "X-$HOME-`id`-Key",
				Headers: []view.Header{{"Soapaction", `"it's $HOME" \ ` + "`id` ! #"}, {"X-Empty", ""}, {"X-Secret", "<secret>"}},
			},
			received{Method: "GET", URI: "/a/../b/./{x,y}/[1-3]?q='$(id)'&r=`id`;$HOME&\"*", Header: map[string]string{
				"Accept": accept, "X-$home-`id`-Key": oddKey, "Soapaction": `"it's $HOME" \ ` + "`id` ! #", "X-Empty": "", "X-Secret": "<secret>",
			}},
		},
		"a body of JSON": {
			view.Request{Method: "POST", URL: "/krr", Body: "@it's …", Headers: []view.Header{{"Content-Type", "application/json"}}},
			received{Method: "POST", URI: "/krr", Body: "@it's …", Header: map[string]string{"Accept": accept, "Content-Type": "application/json"}},
		},
		"another body, with GET": {
			view.Request{Method: "GET", URL: "/krr", Body: "…"},
			received{Method: "GET", URI: "/krr", Body: "…", Header: map[string]string{"Accept": accept}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got received
			c.request.URL = listenOnce(t, &got) + c.request.URL
			command := exec.CommandContext(t.Context(), "sh", "-c", c.request.Curl()+" --silent --show-error --noproxy '*'")
			command.Env = append(os.Environ(), "KEY="+oddKey)
			out, err := command.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s\n%s", err, c.request.Curl(), out)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s\n(-want +got):\n%s", c.request.Curl(), diff)
			}
		})
	}
}

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
