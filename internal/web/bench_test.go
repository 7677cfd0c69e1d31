package web_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

// sector is a world of n targets: institutions with twenty APIs each, their negative tests, three applications and
// two keys; one target in twenty fails.
func sector(n int) web.Options {
	errs := []error{probe.Fail(probe.ReasonConnect, "connection refused"), probe.Fail(probe.ReasonBackendTimeout, "HTTP status 504"), probe.Fail(probe.ReasonKeyRejected, "HTTP status 401")}
	targets := make([]state.Target, 0, n)
	for institution := 0; len(targets) < n; institution++ {
		name := fmt.Sprintf("institution-%04d", institution)
		for _, kind := range []struct {
			name   string
			format string
			count  int
		}{{"api", "api-number-%[2]d", 20}, {"auth", "api-number-%[2]d", 20}, {"key", "key-%[1]d-%[2]d", 2}, {"rabbitmq", "system-%[1]d-%[2]d", 3}} {
			for i := range min(kind.count, n-len(targets)) {
				var err error
				if len(targets)%20 == 7 {
					err = errs[len(targets)%len(errs)]
				}
				row := rowOf(name, kind.name, fmt.Sprintf(kind.format, institution, i), err, 12345)
				row.Last.Certificate = probe.Certificate{Expiry: time.Now().Add(90 * aDay), Verified: true}
				row = withKey(row, probe.KeyEnd{Source: probe.SourceConfig, At: time.Now().Add(time.Duration(i) * aDay)})
				targets = append(targets, row)
			}
		}
	}
	return world(targets...)
}

// bytesOf returns how long the answer to path is, compressed.
func bytesOf(t testing.TB, handler http.Handler, path string) int {
	t.Helper()
	r := httptest.NewRequest("GET", path, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	if w.Code != 200 || w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("%s: %d %v", path, w.Code, w.Header())
	}
	return w.Body.Len()
}

func TestTheWholeSectorIsASmallPage(t *testing.T) {
	const institutions = 40 // of 45 targets each
	for _, path := range []string{"/", "/api/v1/targets"} {
		n := bytesOf(t, web.Handler(sector(45*institutions)), path)
		t.Logf("%s: %d bytes", path, n)
		if n > 100_000 {
			t.Errorf("%s of %d institutions: %d bytes compressed, want at most 100,000", path, institutions, n)
		}
	}
}

// Ten times the targets may take ten times the work, not a hundred times.
func TestPagesGrowWithTheirTargets(t *testing.T) {
	for _, path := range []string{"/", "/api/v1/targets"} {
		allocs := func(n int) float64 {
			handler := web.Handler(sector(n))
			return testing.AllocsPerRun(1, func() { bytesOf(t, handler, path) })
		}
		few, many := allocs(1000), allocs(10_000)
		t.Logf("%s: %.0f and %.0f allocations", path, few, many)
		if many > 12*few {
			t.Errorf("%s: %.0f allocations for 1,000 targets, %.0f for 10,000", path, few, many)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		for _, path := range []string{"/", "/api/v1/targets"} {
			b.Run(fmt.Sprintf("%d%s", n, path), func(b *testing.B) {
				handler := web.Handler(sector(n))
				b.ReportAllocs()
				for b.Loop() {
					b.ReportMetric(float64(bytesOf(b, handler, path)), "bytes")
				}
			})
		}
	}
}
