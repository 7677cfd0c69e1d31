package config

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// Request describes a verification request for people: nothing in it is secret or private.
type Request struct {
	Method  string
	Path    string   // with the gateway's prefix and the query; "…" if private
	Headers []Header // by name, including the key's and other secret ones, but not those that every request carries
	Body    string   // "…", or empty if none is sent
}

// Header is a header with its value redacted.
type Header struct{ Name, Value string }

type (
	request struct {
		Method        field[method]                `yaml:"method" default:"GET" doc:"The HTTP method."`
		Path          field[path]                  `yaml:"path" doc:"Begins with one /, may hold a query. Percent-encode spaces and everything beyond ASCII: %20, %C3%B8."`
		Headers       map[header]field[headerLine] `yaml:"headers" doc:"By name, sent as written and shown on pages. Use secret_headers for values that must not be shown."`
		SecretHeaders map[header]*secretHeader     `yaml:"secret_headers" doc:"By name, never shown: each from a file or an environment variable."`
		Private       field[flag]                  `yaml:"private" default:"false" doc:"The path holds personal data and is never shown."`
		BypassCache   field[flag]                  `yaml:"bypass_cache" default:"false" doc:"Send X-Gravitee-Cache: BY_PASS, so that a cached answer cannot hide a dead backend."`
		Body          field[text]                  `yaml:"body" instead:"BodyFile" doc:"The body, which is never shown. Not together with body_file."`
		BodyFile      field[filename]              `yaml:"body_file" instead:"Body" doc:"File that holds the body. Not together with body."`
	}

	secretHeader struct {
		At   position
		File field[filename] `yaml:"file" doc:"File that holds the value and nothing else."`
		Env  field[variable] `yaml:"env" doc:"Environment variable that holds the value."`
	}

	expect struct {
		Status      field[[]field[status]]    `yaml:"status" default:"[200]" doc:"The statuses that count as success."`
		JSON        field[flag]               `yaml:"json" doc:"The body must be JSON. By default true; false for HEAD, and where only 204 and 304 are expected."`
		JQ          field[expression]         `yaml:"jq" doc:"A jq expression that must yield true, such as length > 0."`
		Headers     map[header]field[pattern] `yaml:"headers" doc:"By name: a regular expression (RE2) that the header must match."`
		MaxDuration field[span]               `yaml:"max_duration" doc:"A slower answer is a failure with a reason of its own. Set it below the timeout."`
	}
)

const (
	cacheHeader       = "X-Gravitee-Cache"
	transactionHeader = "X-Gravitee-Transaction-Id"
	freshID           = "every request gets a fresh one"
	defaultMaxBody    = 10 << 20
	defaultMaxBodyJQ  = 1 << 20
)

// request resolves everything of a but its URL; gateway names the headers of the gateway that it is sent to.
func (r *resolver) request(a *api, gateway *graviteeHeaders, key secret.Source) probe.Request {
	keyHeader := string(a.KeyHeader.or(defaultKeyHeader))
	own := ownHeaders{keyHeader, string(gateway.TransactionID.or(transactionHeader))}
	r.distinct(a, gateway, own)
	request := probe.Request{
		Method:  string(a.Request.Method.or(http.MethodGet)),
		Header:  http.Header{},
		Secrets: map[string]secret.Source{keyHeader: key},
		Body:    r.body(&a.Request),

		KeyHeader: keyHeader,
		Names:     gateway.names(),
	}
	for id, value := range a.Request.Headers {
		r.plainHeader(request.Header, string(id), value, own)
	}
	for id, value := range a.Request.SecretHeaders {
		r.secretHeader(request, string(id), value, own)
	}
	if a.Request.BypassCache.or(false) {
		request.Header[cacheHeader] = []string{"BY_PASS"}
	}
	typed := hasHeader(request.Header, "Content-Type") || hasHeader(request.Secrets, "Content-Type")
	if json.Valid(request.Body) && !typed {
		request.Header["Content-Type"] = []string{"application/json"}
	}
	return request
}

func (r *resolver) plainHeader(headers http.Header, id string, value field[headerLine], own ownHeaders) {
	isAccept := strings.EqualFold(id, "Accept")
	if isAccept && value.or("application/json") == "application/json" || r.reserved(id, own, value.at) {
		return // every request carries that Accept anyway
	}
	if slices.ContainsFunc([]string{"Authorization", "Proxy-Authorization", "Cookie"}, func(s string) bool { return strings.EqualFold(s, id) }) {
		r.warn(value.at, "%s is shown on pages: use secret_headers to hide it", id)
	}
	headers[id] = []string{string(value.value)}
}

func (r *resolver) secretHeader(request probe.Request, id string, value *secretHeader, own ownHeaders) {
	if value.At.nowhere() || r.reserved(id, own, value.At) {
		return
	}
	if hasHeader(request.Header, id) {
		r.fault(value.At, "%s is set in both headers and secret_headers", id)
	}
	switch {
	case value.File.set == value.Env.set:
		r.fault(value.At, "%s: give exactly one of file and env", id)
	case value.File.good():
		request.Secrets[id] = r.sendable(r.readable(value.File, "file"), value.File.at, "file")
	case value.Env.good():
		request.Secrets[id] = r.sendable(r.variable(value.Env, "env"), value.Env.at, "env")
	}
}

// ownHeaders are the names under which the exporter sends what is its own.
type ownHeaders struct{ key, transaction string }

// distinct reports a name of the exporter's own headers that is taken: the key would be shown as the id of a request.
func (r *resolver) distinct(a *api, gateway *graviteeHeaders, own ownHeaders) {
	if a.KeyHeader.good() {
		r.reserved(own.key, ownHeaders{transaction: own.transaction}, a.KeyHeader.at)
	}
	at := gateway.TransactionID.at
	switch {
	case !gateway.TransactionID.good() || strings.EqualFold(own.transaction, transactionHeader):
	case !a.KeyHeader.good() && strings.EqualFold(own.transaction, own.key):
		r.fault(at, "transaction_id: %s carries the key: give the name of another header", own.key)
	default:
		r.reserved(own.transaction, ownHeaders{}, at)
	}
}

// reserved reports a header that the user cannot set, with what to do instead.
func (r *resolver) reserved(id string, own ownHeaders, at position) bool {
	if strings.EqualFold(id, own.key) {
		r.fault(at, "%s carries the key: give it with key_file, key_env or key", id)
		return true
	}
	if strings.EqualFold(id, own.transaction) {
		r.fault(at, "%s cannot be set: %s", own.transaction, freshID)
		return true
	}
	for _, row := range reservedHeaders() {
		if strings.EqualFold(id, row.id) {
			r.fault(at, "%s cannot be set: %s", row.id, row.advice)
			return true
		}
	}
	return false
}

func (g *graviteeHeaders) names() probe.GatewayHeaders {
	return probe.GatewayHeaders{
		TransactionID: string(g.TransactionID.or("")), RequestID: string(g.RequestID.or("")), ClientIdentifier: string(g.ClientIdentifier.or("")),
	}
}

// reservedHeaders returns the headers that the user cannot set, with what to do instead.
func reservedHeaders() []struct{ id, advice string } {
	return []struct{ id, advice string }{
		{"Host", "it follows from the gateway's URL"},
		{"Content-Length", "it follows from the body"},
		{"Transfer-Encoding", "it follows from the body"},
		{"Connection", "use connection: fresh or reuse"},
		{"Accept", "it is always application/json, the only value under which Gravitee answers errors as JSON"},
		{transactionHeader, freshID},
		{cacheHeader, "use bypass_cache: true"},
	}
}

func hasHeader[V any](headers map[string]V, id string) bool {
	for h := range headers {
		if strings.EqualFold(h, id) {
			return true
		}
	}
	return false
}

func (r *resolver) body(q *request) []byte {
	if q.Method.or("") == http.MethodHead && (q.Body.set || q.BodyFile.set) {
		r.fault(q.Method.at, "method: HEAD takes no body: leave out body and body_file, or use another method")
		return nil
	}
	if q.Body.set && q.BodyFile.set {
		r.fault(later(q.Body.at, q.BodyFile.at), "body and body_file exclude each other")
		return nil
	}
	if q.BodyFile.set {
		return r.read(q.BodyFile, "body_file")
	}
	return []byte(q.Body.or(""))
}

func (r *resolver) expect(a *api, timeout time.Duration) probe.Expect {
	e := &a.Expect
	bodiless := bodilessAnswer(a)
	if bodiless != "" && bool(e.JSON.or(false)) {
		r.fault(e.JSON.at, "json: %s has no body", bodiless)
	}
	if bodiless != "" && e.JQ.set {
		r.fault(e.JQ.at, "jq: %s has no body", bodiless)
	}
	if e.JQ.set && !bool(e.JSON.or(true)) {
		r.fault(later(e.JQ.at, e.JSON.at), "jq needs a JSON body, and json is false")
	}
	for _, list := range []field[[]field[status]]{e.Status, a.Unauthenticated.Status} {
		if list.good() && len(list.value) == 0 {
			r.fault(list.at, "status: no status can match an empty list")
		}
	}
	longest := time.Duration(e.MaxDuration.or(0))
	if longest >= timeout {
		r.warn(e.MaxDuration.at, "max_duration: %s is not shorter than the timeout of %s, so it has no effect", model.Duration(longest), model.Duration(timeout))
	}
	limit := size(defaultMaxBody)
	if e.JQ.set {
		limit = defaultMaxBodyJQ
	}
	headers := map[string]*regexp.Regexp{}
	for id, value := range e.Headers {
		if hopByHop(string(id)) {
			r.fault(value.at, "expect.headers: %s is of one connection, and no part of the answer: leave it out", string(id))
		}
		headers[string(id)] = value.value.Regexp
	}
	return probe.Expect{
		Status:      statuses(e.Status, http.StatusOK),
		JSON:        bool(e.JSON.or(flag(bodiless == ""))),
		JQ:          e.JQ.value.jq,
		Headers:     headers,
		MaxDuration: longest,
		MaxBody:     int64(a.MaxBodySize.or(limit)),
	}
}

// hopByHop says whether a header says something of a connection alone.
func hopByHop(name string) bool {
	return slices.ContainsFunc([]string{
		"Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
	}, func(h string) bool { return strings.EqualFold(h, name) })
}

// bodilessAnswer names the answer where it can have no body; empty: it may have one.
func bodilessAnswer(a *api) string {
	list := a.Expect.Status
	empty := func(s field[status]) bool {
		return s.value == http.StatusNoContent || s.value == http.StatusNotModified
	}
	switch {
	case a.Request.Method.or("") == http.MethodHead:
		return "the answer to HEAD"
	case list.good() && len(list.value) > 0 && !slices.ContainsFunc(list.value, func(s field[status]) bool { return !empty(s) }):
		return "an answer with status 204 or 304"
	}
	return ""
}

// later returns the later of two positions in one mapping: that is where the reader meets a contradiction.
func later(a, b position) position {
	if a.line > b.line {
		return a
	}
	return b
}

func statuses(list field[[]field[status]], otherwise int) []int {
	if !list.good() {
		return []int{otherwise}
	}
	result := make([]int, len(list.value))
	for i, s := range list.value {
		result[i] = int(s.value)
	}
	return result
}

// requestVersion covers the request and its connection, but not the content of files that are read again at every run.
func requestVersion(request probe.Request, options probe.TransportOptions, tlsDigest string) string {
	secrets := map[string]string{}
	for id, source := range request.Secrets {
		secrets[id] = origin(source)
	}
	return version(
		request.Names, request.Method, request.URL.String(), request.Header, secrets, request.Body, options, tlsDigest,
	)
}
