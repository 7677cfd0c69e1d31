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

const cacheHeader = "X-Gravitee-Cache"

// request resolves everything of a but its URL.
func (r *resolver) request(a *api, key secret.Source) probe.Request {
	keyHeader := string(a.KeyHeader.or(defaultKeyHeader))
	if a.KeyHeader.good() {
		r.reserved(keyHeader, "", a.KeyHeader.at)
	}
	request := probe.Request{
		Method:  string(a.Request.Method.or(http.MethodGet)),
		Header:  http.Header{},
		Secrets: map[string]secret.Source{keyHeader: key},
		Body:    r.body(&a.Request),

		KeyHeader: keyHeader,
	}
	for id, value := range a.Request.Headers {
		r.plainHeader(request.Header, string(id), value, keyHeader)
	}
	for id, value := range a.Request.SecretHeaders {
		r.secretHeader(request, string(id), value, keyHeader)
	}
	if a.Request.BypassCache.or(false) {
		request.Header[cacheHeader] = []string{"BY_PASS"}
	}
	if json.Valid(request.Body) && !hasHeader(&a.Request, "Content-Type") {
		request.Header["Content-Type"] = []string{"application/json"}
	}
	return request
}

func (r *resolver) plainHeader(headers http.Header, id string, value field[headerLine], keyHeader string) {
	isAccept := strings.EqualFold(id, "Accept")
	if isAccept && value.or("application/json") == "application/json" || r.reserved(id, keyHeader, value.at) {
		return // every request carries the former
	}
	if slices.ContainsFunc([]string{"Authorization", "Proxy-Authorization", "Cookie"}, func(s string) bool { return strings.EqualFold(s, id) }) {
		r.warn(value.at, "%s is shown on pages: secret_headers hides it", id)
	}
	headers[id] = []string{string(value.value)}
}

func (r *resolver) secretHeader(request probe.Request, id string, value *secretHeader, keyHeader string) {
	if value.At.nowhere() || r.reserved(id, keyHeader, value.At) {
		return
	}
	for plain := range request.Header {
		if strings.EqualFold(plain, id) {
			r.fault(value.At, "%s stands in headers and in secret_headers", id)
		}
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

// reserved tells a header that is not the user's to set, and what to do instead.
func (r *resolver) reserved(id, keyHeader string, at position) bool {
	if strings.EqualFold(id, keyHeader) {
		r.fault(at, "%s carries the key: give it with key_file, key_env or key", id)
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

// reservedHeaders returns the headers that are not the user's to set, and what to do instead.
func reservedHeaders() []struct{ id, advice string } {
	return []struct{ id, advice string }{
		{"Host", "it follows from the gateway's URL"},
		{"Content-Length", "it follows from the body"},
		{"Transfer-Encoding", "it follows from the body"},
		{"Connection", "use connection: fresh or reuse"},
		{"Accept", "it is always application/json, the only value under which Gravitee answers errors as JSON"},
		{"X-Gravitee-Transaction-Id", "every request gets a fresh one"},
		{cacheHeader, "use bypass_cache: true"},
	}
}

func hasHeader(q *request, id string) bool {
	for h := range q.Headers {
		if strings.EqualFold(string(h), id) {
			return true
		}
	}
	for h := range q.SecretHeaders {
		if strings.EqualFold(string(h), id) {
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

// later returns the second of two positions that stand in one mapping.
func later(a, b position) position {
	if a.line > b.line {
		return a
	}
	return b
}

func (r *resolver) expect(a *api, timeout time.Duration) probe.Expect {
	e := &a.Expect
	headOnly := a.Request.Method.or("") == http.MethodHead
	if headOnly && bool(e.JSON.or(false)) {
		r.fault(e.JSON.at, "json: the answer to HEAD has no body")
	}
	if headOnly && e.JQ.set {
		r.fault(e.JQ.at, "jq: the answer to HEAD has no body")
	}
	if e.JQ.set && !bool(e.JSON.or(true)) {
		r.fault(later(e.JQ.at, e.JSON.at), "jq needs a JSON body, and json is false")
	}
	for _, list := range []field[[]field[status]]{e.Status, a.Unauthenticated.Status} {
		if list.good() && len(list.value) == 0 {
			r.fault(list.at, "status: an empty list can never be met")
		}
	}
	longest := time.Duration(e.MaxDuration.or(0))
	if longest >= timeout {
		r.warn(e.MaxDuration.at, "max_duration: %s is not shorter than the timeout of %s, and so never decides", model.Duration(longest), model.Duration(timeout))
	}
	limit := size(defaultMaxBody)
	if e.JQ.set {
		limit = defaultMaxBodyJQ
	}
	headers := map[string]*regexp.Regexp{}
	for id, value := range e.Headers {
		headers[string(id)] = value.value.Regexp
	}
	return probe.Expect{
		Status:      statuses(e.Status, http.StatusOK),
		JSON:        bool(e.JSON.or(flag(!headOnly))),
		JQ:          e.JQ.value.jq,
		Headers:     headers,
		MaxDuration: longest,
		MaxBody:     int64(a.MaxBodySize.or(limit)),
	}
}
