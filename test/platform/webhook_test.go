package platform

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// target is whom an alert is about; a part that does not apply is empty.
type target struct{ Institution, Kind, Name string }

// alert is what tells one alert from another here: the same fault of two queues is one.
type alert struct {
	Name string
	target
}

func (a alert) String() string {
	return strings.TrimRight(a.Name+" "+strings.Join([]string{a.Institution, a.Kind, a.target.Name}, "/"), " /")
}

// notice is one alert of one notification.
type notice struct {
	Status              string // firing or resolved
	Labels, Annotations map[string]string
	Fingerprint         string

	receiver string
	at       time.Time
}

func (n notice) alert() alert {
	return alert{n.Labels["alertname"], target{n.Labels["institution"], n.Labels["kind"], n.Labels["target"]}}
}

// webhook takes Alertmanager's notifications, each receiver's at its own path,
// and keeps those that say something new.
type webhook struct {
	*httptest.Server
	secrets *secrets

	mu      sync.Mutex
	notices []notice
	last    map[string]string // status by receiver and fingerprint
}

func newWebhook(t *testing.T, s *secrets) *webhook {
	h := &webhook{secrets: s, last: map[string]string{}}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	return h
}

// ServeHTTP takes one notification.
func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var notification struct{ Alerts []notice }
	err := json.Unmarshal(body, &notification)
	if err != nil {
		http.Error(w, "not a notification", http.StatusBadRequest)
		return
	}
	h.secrets.search("a notification", string(body))
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range notification.Alerts {
		n.receiver, n.at = strings.TrimPrefix(r.URL.Path, "/"), time.Now()
		id := n.receiver + " " + n.Fingerprint
		if h.last[id] != n.Status {
			h.last[id] = n.Status
			h.notices = append(h.notices, n)
		}
	}
}

// all returns the notices so far, the oldest first.
func (h *webhook) all() []notice {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.notices)
}

// of returns the notices of an alert.
func (h *webhook) of(a alert) (found []notice) {
	for _, n := range h.all() {
		if n.alert() == a {
			found = append(found, n)
		}
	}
	return found
}

// open returns the alerts of which some receiver was last told that they fire.
func (h *webhook) open() map[alert]bool {
	state := map[string]notice{}
	for _, n := range h.all() {
		state[n.receiver+" "+n.Fingerprint] = n
	}
	open := map[alert]bool{}
	for n := range maps.Values(state) {
		if n.Status == "firing" {
			open[n.alert()] = true
		}
	}
	return open
}
