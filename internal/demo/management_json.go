package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
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
	four   bool // 4.x: more fields, stricter addresses, another wording
}

var dialects = [...]dialect{
	Gravitee320: {keys: "apikeys", id: true, shared: true},
	Gravitee315: {keys: "apikeys", id: true},
	Gravitee310: {keys: "keys"},
	Gravitee4:   {keys: "apikeys", id: true, shared: true, four: true},
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

// object is a JSON object whose fields keep their order. A field whose value is nil is left out, as Gravitee does.
type object []field

type field struct {
	name  string
	value any
}

// encode writes v as Jackson does when it indents.
func encode(v any, indent string) string {
	within := indent + "  "
	switch v := v.(type) {
	case object:
		var lines []string
		for _, f := range v {
			if f.value != nil {
				lines = append(lines, within+strconv.Quote(f.name)+" : "+encode(f.value, within))
			}
		}
		if len(lines) == 0 {
			return "{ }"
		}
		return "{\n" + strings.Join(lines, ",\n") + "\n" + indent + "}"
	case []any:
		if len(v) == 0 {
			return "[ ]"
		}
		var items []string
		for _, item := range v {
			items = append(items, encode(item, indent))
		}
		return "[ " + strings.Join(items, ", ") + " ]"
	}
	text, _ := json.Marshal(v) // strings, numbers and booleans: cannot fail
	return string(text)
}

// page returns one page of the subscriptions with one of these statuses.
func (m *management) page(statuses []string, page, size int) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := slices.DeleteFunc(slices.Clone(m.all), func(e *subscription) bool { return !slices.Contains(statuses, e.status()) })
	from, to := min((page-1)*size, len(all)), min(page*size, len(all))
	data, metadata, known := []any{}, object{}, map[string]bool{}
	describe := func(id string, of object) {
		if !known[id] {
			metadata = append(metadata, field{id, of})
		}
		known[id] = true
	}
	for _, e := range all[from:to] {
		data = append(data, m.subscriptionEntity(e))
		describe(apiID(e.api), object{
			{"apiPrimaryOwner", m.in4("admin")}, {"apiVersion", m.in4("1")}, {"definitionVersion", m.in4("2.0.0")}, {"name", apiName(e.api)},
		})
		describe(planID(e.plan), object{{"planMode", m.in4("STANDARD")}, {"securityType", "API_KEY"}, {"name", e.plan}})
		describe(m.application, object{{"name", applicationName}})
	}
	return object{{"data", data}, {"metadata", metadata}, {"page", object{
		{"current", page},
		{"size", to - from},
		{"per_page", size},
		{"total_pages", (len(all) + size - 1) / size},
		{"total_elements", len(all)},
	}}}
}

// in4 is value where the dialect has the field, else nil.
func (m *management) in4(value any) any {
	if m.dialect.four {
		return value
	}
	return nil
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

func (m *management) keyEntity(e *subscription, k *apiKey) object {
	var entity object
	if m.dialect.id {
		entity = append(entity, field{"id", k.id})
	}
	entity = append(entity, field{"key", k.value})
	if m.dialect.shared {
		entity = append(entity, field{"subscriptions", m.holders(k)}, field{"environmentId", m.in4("DEFAULT")}, field{"application", m.applicationEntity()})
	} else {
		entity = append(entity, field{"subscription", e.id}, field{"plan", planID(e.plan)}, field{"application", m.application})
		if m.dialect.id {
			entity = append(entity, field{"api", apiID(e.api)})
		}
	}
	hash := sha256.Sum256([]byte(k.value))
	changed := k.created
	if !k.revoked.IsZero() {
		changed = k.revoked
	}
	return append(entity, object{
		{"revoked", !k.revoked.IsZero()},
		{"paused", !m.dialect.shared && e.paused},
		{"expired", k.expired(time.Now())},
		{"hash", m.in4(hex.EncodeToString(hash[:16]))},
		{"federated", m.in4(false)},
		{"expire_at", m.date(k.expires)},
		{"created_at", m.date(k.created)},
		{"updated_at", m.date(changed)},
		{"revoked_at", m.date(k.revoked)},
	}...)
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

const (
	applicationName = "integra_exporter"
	adminID         = "00000000-0000-4000-8000-000000000001"
	userID          = "00000000-0000-4000-8000-000000000002"
)

func (m *management) applicationEntity() object {
	created := m.date(time.Now().Add(-keysAge))
	owner := object{{"id", userID}, {"displayName", "user"}, {"type", "USER"}}
	settings := object{{"app", object{{"type", "x"}}}}
	entity := object{
		{"id", m.application},
		{"name", applicationName},
		{"description", applicationName},
		{"environmentId", m.in4("DEFAULT")},
		{"groups", []any{}},
		{"status", "ACTIVE"},
		{"type", "SIMPLE"},
		{"origin", "MANAGEMENT"},
		{"created_at", created},
		{"updated_at", created},
	}
	last := object{{"disable_membership_notifications", false}, {"api_key_mode", "EXCLUSIVE"}}
	if m.dialect.four {
		return append(append(entity, last...), field{"owner", owner}, field{"settings", settings})
	}
	return append(append(entity, field{"owner", owner}, field{"settings", settings}), last...)
}

func (m *management) subscriptionEntity(e *subscription) object {
	created := e.keys[len(e.keys)-1].created
	processor := "system" // who accepts by itself
	if m.dialect.four {
		processor = adminID
	}
	return object{
		{"id", e.id},
		{"api", apiID(e.api)},
		{"plan", planID(e.plan)},
		{"application", m.application},
		{"status", e.status()},
		{"origin", m.in4("MANAGEMENT")},
		{"metadata", object{}},
		{"consumerStatus", "STARTED"},
		{"processed_at", m.date(created)},
		{"processed_by", processor},
		{"subscribed_by", userID},
		{"starting_at", m.date(latest(created, e.begins))},
		{"ending_at", m.date(e.ends)},
		{"created_at", m.date(created)},
		{"updated_at", m.date(latest(created, e.changed))},
		{"paused_at", m.pausedAt(e)},
	}
}

func (m *management) pausedAt(e *subscription) any {
	if !e.paused {
		return nil
	}
	return m.date(latest(e.keys[0].created, e.changed))
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (s *subscription) status() string {
	switch {
	case !s.closed.IsZero():
		return "CLOSED"
	case s.paused:
		return "PAUSED"
	}
	return "ACCEPTED"
}

// apisOf returns the published APIs that the application subscribes to, as the portal shows them to its members.
func (m *management) published(base string) []any {
	m.mu.Lock()
	defer m.mu.Unlock()
	apis, seen := []any{}, map[string]bool{}
	for _, e := range m.all {
		name, deployed := apiNames[e.api]
		if !deployed || seen[e.api] {
			continue
		}
		seen[e.api] = true
		created := time.Now().Add(-keysAge)
		picture := fmt.Sprintf("%s/apis/%s/picture?hash=%d", base, apiID(e.api), created.UnixMilli())
		apis = append(apis, object{
			{"id", apiID(e.api)},
			{"name", name},
			{"version", "1"},
			{"description", name},
			{"visibility", "PRIVATE"},
			{"state", "STARTED"},
			{"categories", []any{}},
			{"labels", []any{}},
			{"numberOfRatings", 0},
			{"tags", []any{}},
			{"created_at", m.date(created)},
			{"updated_at", m.date(created)},
			{"owner", object{{"id", adminID}, {"displayName", "admin"}, {"type", "USER"}}},
			{"picture_url", picture},
			{"virtual_hosts", []any{object{{"path", e.api}}}},
			{"lifecycle_state", "PUBLISHED"},
			{"context_path", e.api},
			{"healthcheck_enabled", false},
			{"definition_context", m.definitionContext()},
			{"gravitee", "2.0.0"},
		})
	}
	return apis
}

func (m *management) definitionContext() object {
	if !m.dialect.four {
		return object{{"origin", "management"}, {"mode", "fully_managed"}}
	}
	return object{
		{"origin", "management"},
		{"mode", "fully_managed"},
		{"syncFrom", "MANAGEMENT"},
		{"originManagement", true},
		{"syncFromKubernetes", false},
		{"syncFromManagement", true},
		{"originKubernetes", false},
	}
}

// date is epoch milliseconds, or what the fault in force makes of it; nil for a zero time.
func (m *management) date(at time.Time) any {
	switch {
	case at.IsZero():
		return nil
	case m.fault == ManagementEpochAsText:
		return strconv.FormatInt(at.UnixMilli(), 10)
	case m.fault == ManagementNonsenseDates:
		return "soon"
	}
	return at.UnixMilli()
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

func planID(name string) string { return apiID("plan " + name) }

// apiID derives the id from the name, so that all plans of one API have the same.
func apiID(name string) string {
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("00000000-0000-4000-8000-%x", sum[:6])
}
