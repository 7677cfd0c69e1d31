package demo

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Dialect is a generation of Gravitee's Management API v1.
type Dialect int

// The dialects, named by a first version of Gravitee that speaks them.
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

// apiNames are the API manager's names of the APIs, by context path; those of the
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

// page returns one page of the subscriptions with one of these statuses.
func (m *management) page(statuses []string, page, size int) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	data := []any{}
	metadata := map[string]any{m.application: map[string]any{"name": "integra_exporter"}}
	for _, e := range m.all {
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

// keyEntities returns the keys of a subscription; nil: there is none of this id.
func (m *management) keyEntities(subscription string) (keys []any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.all {
		if e.id != subscription {
			continue
		}
		for _, k := range e.keys {
			keys = append(keys, m.keyEntity(e, k))
		}
	}
	return keys
}

func (m *management) contextPath(id string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.all {
		_, deployed := apiNames[e.api]
		if apiID(e.api) == id && deployed {
			return e.api, true
		}
	}
	return "", false
}

func (m *management) keyEntity(e *subscription, k *apiKey) map[string]any {
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

func (m *management) holders(k *apiKey) []any {
	var holders []any
	for _, e := range m.all {
		if slices.Contains(e.keys, k) {
			holders = append(holders, m.subscriptionEntity(e))
		}
	}
	return holders
}

func (m *management) subscriptionEntity(e *subscription) map[string]any {
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

func (s *subscription) status() string {
	if s.paused {
		return "PAUSED"
	}
	return "ACCEPTED"
}

// date adds epoch milliseconds. A zero time is left out, as Gravitee does with nulls.
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

// apiName returns the API manager's name of an API; those that fill adds have no other
// than their context path.
func apiName(contextPath string) string {
	name, ok := apiNames[contextPath]
	if !ok {
		return contextPath
	}
	return name
}

// apiID derives the id from the name, so that all plans of one API have the same.
func apiID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("00000000-0000-4000-8000-%x", sum[:6])
}
