package view_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/view"
)

// received is what a server was sent, as far as the command decides it.
type received struct {
	Method, URI, Body string
	Header            map[string]string // those that curl does not make itself
}

func listenOnce(t *testing.T, got *received) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*got = received{Method: r.Method, URI: r.RequestURI, Body: string(body), Header: map[string]string{}}
		for name, values := range r.Header {
			if name != "User-Agent" && name != "Content-Length" {
				got.Header[name] = strings.Join(values, "|")
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const oddKey = `k'"$HOME` + "`id`" + `\ ø`

func TestCurlReadsLikeTheDocumentation(t *testing.T) {
	q := view.Request{
		Method: "POST", URL: "https://gw-uio.intark.uh-it.no/krr", KeyHeader: "X-Gravitee-Api-Key", Body: "…",
		Headers: []view.Header{{"Content-Type", "application/json"}},
		CAFile:  "/etc/our ca.pem", CertFile: "/etc/client.pem", KeyFile: "/etc/client.key",
	}
	want := `curl --include \
  --request POST \
  --cacert '/etc/our ca.pem' \
  --cert '/etc/client.pem' \
  --key '/etc/client.key' \
  --header 'Accept: application/json' \
  --header 'Content-Type: application/json' \
  --header "X-Gravitee-Api-Key: $KEY" \
  --data-raw '…' \
  'https://gw-uio.intark.uh-it.no/krr'`
	if diff := cmp.Diff(want, q.Curl()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPowerShell(t *testing.T) {
	for name, c := range map[string]struct {
		request view.Request
		want    string
	}{
		"plain": {
			view.Request{Method: "GET", URL: "https://gw/lonn", KeyHeader: "X-Key"},
			"$headers = @{\n  'Accept' = 'application/json'\n  'X-Key' = $KEY\n}\n" +
				"Invoke-WebRequest -Method GET -Headers $headers -MaximumRedirection 0 -SkipHttpErrorCheck -Uri 'https://gw/lonn'",
		},
		"every kind of quote, and what a double quote would expand": {
			view.Request{Method: "POST", URL: "https://gw/it's", Body: "‘a’‚b‛$(id)`n", Headers: []view.Header{{"X-A", `"$HOME" 'x'`}, {"X-Empty", ""}}},
			"$headers = @{\n  'Accept' = 'application/json'\n  'X-A' = '\"$HOME\" ''x'''\n}\n" +
				"Invoke-WebRequest -Method POST -Headers $headers -MaximumRedirection 0 -SkipHttpErrorCheck " +
				"-Body '‘‘a’’‚‚b‛‛$(id)`n' -Uri 'https://gw/it''s'",
		},
		"client certificate": {
			view.Request{Method: "GET", URL: "https://gw/", CertFile: "c.pem", KeyFile: "k'.pem"},
			"$headers = @{\n  'Accept' = 'application/json'\n}\n" +
				"Invoke-WebRequest -Method GET -Headers $headers -MaximumRedirection 0 -SkipHttpErrorCheck -Certificate " +
				"([Security.Cryptography.X509Certificates.X509Certificate2]::CreateFromPemFile('c.pem', 'k''.pem')) -Uri 'https://gw/'",
		},
	} {
		if diff := cmp.Diff(c.want, c.request.PowerShell()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
