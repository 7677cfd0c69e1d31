package platform

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// front stands between Prometheus and the exporter. Frozen, it repeats what the
// exporter said last: to Prometheus, an exporter that is up and no longer works.
type front struct {
	*httptest.Server
	url    string
	client *http.Client

	mu     sync.Mutex
	frozen bool
	header http.Header
	body   []byte
}

func newFront(t *testing.T, address string) *front {
	f := &front{url: "http://" + address + "/metrics"}
	// Compression is between Prometheus and the exporter.
	f.client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableCompression: true}}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *front) freeze(frozen bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.frozen = frozen
}

// ServeHTTP answers one scrape.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.frozen {
		err := f.fetch(r)
		if err != nil {
			http.Error(w, "the exporter does not answer", http.StatusBadGateway)
			return
		}
	}
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		w.Header().Set(name, f.header.Get(name))
	}
	_, _ = w.Write(f.body)
}

func (f *front) fetch(r *http.Request) error {
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, f.url, http.NoBody)
	if err != nil {
		return err
	}
	for _, name := range []string{"Accept", "Accept-Encoding"} {
		request.Header[name] = r.Header[name]
	}
	response, err := f.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil {
		f.header, f.body = response.Header, body
	}
	return err
}
