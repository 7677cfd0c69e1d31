package demo

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Dialect is a generation of Gravitee's Management API v1.
type Dialect int

// The dialects, by the first version that speaks them and this demo shows.
const (
	Gravitee320 Dialect = iota // keys have ids and may be shared
	Gravitee315                // keys have ids
	Gravitee310                // keys have no id, and another address
	Gravitee4                  // as 3.20, and more fields
)

type dialect struct {
	keys   string // last step of the address of a subscription's keys
	id     bool
	shared bool
	more   map[string]any
}

var dialects = [...]dialect{
	Gravitee320: {keys: "apikeys", id: true, shared: true},
	Gravitee315: {keys: "apikeys", id: true},
	Gravitee310: {keys: "keys"},
	Gravitee4:   {keys: "apikeys", id: true, shared: true, more: map[string]any{"environmentId": "DEFAULT", "federated": false}},
}

// list answers with one page of the application's subscriptions, as asked for.
func (m *management) list(w http.ResponseWriter, r *http.Request) {
	if !m.known(w, r) {
		return
	}
	query := r.URL.Query()
	page, size := number(query.Get("page"), 1), number(query.Get("size"), 20)
	if page < 1 || size < 1 || size > 100 {
		m.fail(w, http.StatusBadRequest, "", "Page size should not be more than 100")
		return
	}
	status := query.Get("status")
	if status == "" {
		status = "ACCEPTED"
	}
	m.write(w, m.page(strings.Split(status, ","), page, size))
}

func (m *management) page(statuses []string, page, size int) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	data := []any{}
	metadata := map[string]any{m.application: map[string]any{"name": "integra_exporter"}}
	for _, e := range m.entries {
		if slices.Contains(statuses, e.status()) {
			data = append(data, m.subscriptionEntity(e))
			metadata[apiID(e.api)] = map[string]any{"name": apiName(e.api)}
			metadata[e.plan] = map[string]any{"name": e.plan}
		}
	}
	from, to := min((page-1)*size, len(data)), min(page*size, len(data))
	return map[string]any{
		"data": data[from:to], "metadata": metadata,
		"page": map[string]any{
			"current": page, "per_page": size, "size": to - from,
			"total_pages": (len(data) + size - 1) / size, "total_elements": len(data),
		},
	}
}

// keysOf answers with all keys of one subscription, newest first.
func (m *management) keysOf(w http.ResponseWriter, r *http.Request) {
	if !m.known(w, r) {
		return
	}
	keys := m.keyEntities(r.PathValue("subscription"))
	if keys == nil {
		m.fail(w, http.StatusNotFound, "subscription.notFound", "Subscription ["+r.PathValue("subscription")+"] can not be found.")
		return
	}
	m.write(w, keys)
}

func (m *management) keyEntities(subscription string) (keys []any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.entries {
		if e.id != subscription {
			continue
		}
		for _, k := range e.keys {
			keys = append(keys, m.keyEntity(e, k))
		}
	}
	return keys
}

func (e *entry) status() string {
	if e.paused {
		return "PAUSED"
	}
	return "ACCEPTED"
}

func (m *management) subscriptionEntity(e *entry) map[string]any {
	created := e.keys[len(e.keys)-1].created
	entity := map[string]any{
		"id": e.id, "api": apiID(e.api), "plan": e.plan, "application": m.application, "status": e.status(),
		"processed_by": "00000000-0000-4000-8000-000000000001", "subscribed_by": "00000000-0000-4000-8000-000000000002",
	}
	m.date(entity, "ending_at", e.ends)
	for _, name := range []string{"created_at", "updated_at", "processed_at", "starting_at"} {
		m.date(entity, name, created)
	}
	return entity
}

func (m *management) keyEntity(e *entry, k *issued) map[string]any {
	entity := map[string]any{
		"key": k.value, "revoked": !k.revoked.IsZero(), "paused": e.paused, "expired": k.expired(time.Now()),
	}
	for name, value := range m.dialect.more {
		entity[name] = value
	}
	if m.dialect.id {
		entity["id"], entity["api"] = k.id, apiID(e.api)
	}
	if m.dialect.shared {
		entity["subscriptions"] = m.holders(k)
		entity["application"] = map[string]any{"id": m.application, "name": "integra_exporter"}
		delete(entity, "api")
	} else {
		entity["subscription"], entity["plan"], entity["application"] = e.id, e.plan, m.application
	}
	m.date(entity, "expire_at", k.expires)
	m.date(entity, "created_at", k.created)
	m.date(entity, "updated_at", k.created)
	m.date(entity, "revoked_at", k.revoked)
	return entity
}

func (m *management) holders(k *issued) []any {
	var holders []any
	for _, e := range m.entries {
		if slices.Contains(e.keys, k) {
			holders = append(holders, m.subscriptionEntity(e))
		}
	}
	return holders
}

// date adds epoch milliseconds; what is not is left out, as all nulls are.
func (m *management) date(entity map[string]any, name string, at time.Time) {
	switch {
	case at.IsZero():
	case m.fault == ManagementEpochAsText:
		entity[name] = strconv.FormatInt(at.UnixMilli(), 10)
	case m.fault == ManagementNonsenseDates:
		entity[name] = "soon"
	default:
		entity[name] = at.UnixMilli()
	}
}

// apiID is made of the name, so that the plans of one API agree on it.
func apiID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("00000000-0000-4000-8000-%x", sum[:6])
}

func number(s string, otherwise int) int {
	if s == "" {
		return otherwise
	}
	n, _ := strconv.Atoi(s) // 0 is refused
	return n
}

// fail answers as Gravitee's management does for an error.
func (m *management) fail(w http.ResponseWriter, status int, code, message string) {
	entity := map[string]any{"message": message, "http_status": status}
	if code != "" {
		entity["technicalCode"] = code
	}
	body, _ := json.MarshalIndent(entity, "", "  ") // strings and a number: cannot fail
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
