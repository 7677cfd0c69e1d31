package collector_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/collector"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

// The client certificate beside an API's key has its own end, and leaves the key unknown.
func TestClientCertificateIsNoDateOfTheKey(t *testing.T) {
	row := state.Target{Target: probe.Target{Institution: "uio", Kind: probe.KindAPI, Name: "org"}, Runs: 1}
	row.Key.Info = state.KeyInfo{Used: true, Ends: []probe.KeyEnd{{Source: probe.SourceCertificate, At: time.Unix(4e9, 0)}}}
	w := httptest.NewRecorder()
	collector.ProbeHandler(collector.NewProbe(row)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/probe", http.NoBody))
	for _, want := range []string{`source="certificate"} 4e+09`, `state="unknown"} 1`, `state="dated"} 0`} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("without %s:\n%s", want, w.Body)
		}
	}
}
