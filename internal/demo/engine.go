package demo

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Engine is a generation of Gravitee's gateway.
type Engine int

// The engines, named by a version of Gravitee that has them.
const (
	Engine320     Engine = iota // v3, of 3.20.3 and later
	Engine310                   // v3, of 3.10 to 3.20.2
	EngineJupiter               // of 3.20, where it is switched on
	Engine4                     // of 4.x, for an API of version 2
)

// engine says in what the answers of the engines differ.
type engine struct {
	name    string
	ids     bool   // the gateway's own answers carry ids
	client  bool   // whatever comes after the key is judged carries Client-Identifier
	chunked bool   // its own empty answers are chunked
	length  string // the spelling of Content-Length, where it passes an answer on
	noAPI   string // reason phrase of the 404 for an unknown path
	any     bool   // its own answers are JSON if Accept names it among others
	closes  func(*reply) bool

	unknownKey, endedKey, limitExceeded string
}

const (
	unauthorized = "Unauthorized"
	invalidKey   = "API Key is not valid or is expired / revoked."
	limit3       = "Rate limit exceeded ! You reach the limit of 2 requests per 1 minutes"
)

var engines = [...]engine{
	Engine320: {
		name: "3.20", length: "content-length", noAPI: "Not Found", any: true, closes: closesV3,
		unknownKey: unauthorized, endedKey: invalidKey, limitExceeded: limit3,
	},
	Engine310: {
		name: "3.10", ids: true, length: "content-length", noAPI: "Not Found", any: true, closes: closesV3,
		unknownKey: invalidKey, endedKey: invalidKey, limitExceeded: limit3,
	},
	EngineJupiter: {
		name: "jupiter", ids: true, client: true, chunked: true, length: "content-length", noAPI: "OK", closes: closesV3,
		unknownKey: unauthorized, endedKey: invalidKey, limitExceeded: limit3,
	},
	Engine4: {
		name: "4.x", ids: true, client: true, chunked: true, length: "Content-Length", noAPI: "Not Found", closes: closesV4,
		unknownKey: unauthorized, endedKey: unauthorized,
		limitExceeded: "Rate limit exceeded! You reached the limit of 2 requests per 1 minutes",
	},
}

func closesV3(a *reply) bool { return a.status != http.StatusServiceUnavailable }

func closesV4(a *reply) bool {
	return a.status >= http.StatusInternalServerError && a.from != byFailover || a.from == byTemplate
}

// origin is who made an answer.
type origin int

const (
	byRouter   origin = iota // in front of the gateway
	byRouting                // the gateway, which has no such API
	byGateway                // one of its own failures
	byTemplate               // the same, in the API's own words
	byFailover               // the same, after it tried every backend
	byBackend                // passed on
)

// reply is an answer before an engine puts it on the wire.
type reply struct {
	status int
	phrase string // empty: the usual one
	from   origin
	header []string // "Name: value"; of a router and a backend, all there is
	kind   string   // Content-Type of the gateway's own
	body   string
	cut    bool // the backend broke off: the gateway keeps the connection
}

// wire returns the lines of the header, in order, and the body as it goes over the wire.
func (e *engine) wire(r *request, a *reply) (lines []string, body string) {
	var ids []string
	if a.from != byRouter && a.from != byRouting && (e.ids || a.from == byFailover || a.from == byBackend) {
		ids = r.ids()
	}
	if e.client && (a.from == byBackend || r.client != "" && (a.from == byGateway || a.from == byFailover)) {
		lines = append(lines, clientHeader+": "+cmp.Or(r.client, r.Header.Get(transactionHeader), "keyless")) // without a key, the request's id
	}
	switch a.from {
	case byRouter:
		return a.header, a.body
	case byRouting:
		lines = append(lines, "Content-Length: "+strconv.Itoa(len(a.body)), "Content-Type: "+a.kind)
	case byBackend:
		lines = slices.Concat(lines, r.limits, a.header, ids)
	default:
		lines = slices.Concat(lines, r.limits, ids)
		if e.closes(a) {
			lines = append(lines, "Connection: close")
		}
		lines = append(lines, e.framing(r, a)...)
	}
	if r.Close { // takes the place of another, at the end
		lines = slices.DeleteFunc(lines, func(l string) bool { return strings.EqualFold(l, "Connection: close") })
		lines = append(lines, "connection: close")
	}
	return e.emptied(r, a, lines)
}

// ids are the header lines that name this request.
func (r *request) ids() []string {
	id := uuid.NewString()
	return []string{transactionHeader + ": " + cmp.Or(r.Header.Get(transactionHeader), id), requestHeader + ": " + id}
}

// framing are the lines that say how long an answer of the gateway's own is, where they do not come last.
func (e *engine) framing(r *request, a *reply) []string {
	length, kind := "Content-Length: "+strconv.Itoa(len(a.body)), "Content-Type: "+a.kind
	switch {
	case a.body != "" && a.from == byTemplate:
		return []string{kind, length}
	case a.body != "":
		return []string{length, kind}
	case e.chunked && r.Method != http.MethodHead:
		return []string{"transfer-encoding: chunked"}
	}
	return nil
}

// emptied finishes an answer of the gateway's own that has no body.
func (e *engine) emptied(r *request, a *reply, lines []string) ([]string, string) {
	if a.body != "" || a.from != byGateway && a.from != byFailover || r.Method == http.MethodHead {
		return lines, a.body
	}
	if e.chunked {
		return lines, "0\r\n\r\n"
	}
	return append(lines, "content-length: 0"), ""
}

// backendHeader is that of the recorded backend.
func (e *engine) backendHeader(status int, contentType, body string) []string {
	lines := []string{"Server: BaseHTTP/0.6 Python/3.11.7", "Date: " + time.Now().UTC().Format(http.TimeFormat), "Content-Type: " + contentType}
	if status != http.StatusNoContent {
		lines = append(lines, e.length+": "+strconv.Itoa(len(body)))
	}
	return lines
}

// innerHeader is that of a second gateway behind this one.
func (e *engine) innerHeader(length int) []string {
	if e.length == "content-length" {
		return []string{"Content-Type: " + jsonType, "content-length: " + strconv.Itoa(length)}
	}
	return []string{"Connection: close", "Content-Length: " + strconv.Itoa(length), "Content-Type: " + jsonType}
}

// send puts a on the wire: as bytes over HTTP/1.1, since net/http would add a Date and sort, as it comes over HTTP/2.
func (r *request) send(a *reply) {
	lines, body := r.engine.wire(r, a)
	if r.Method == http.MethodHead {
		body = ""
	}
	raw, isRaw := r.w.(*rawWriter)
	if r.ProtoMajor == 2 || !isRaw {
		r.write(a.status, lines, strings.TrimSuffix(body, "0\r\n\r\n"), a.cut)
		return
	}
	phrase := cmp.Or(a.phrase, http.StatusText(a.status))
	closes := r.Close || slices.ContainsFunc(lines, func(l string) bool { return strings.EqualFold(l, "Connection: close") })
	raw.send("HTTP/1.1 "+strconv.Itoa(a.status)+" "+phrase+"\r\n"+strings.Join(lines, "\r\n")+"\r\n\r\n"+body, map[bool]fate{true: closed, false: kept}[closes], a.cut)
}

// write sends the same through net/http.
func (r *request) write(status int, lines []string, body string, cut bool) {
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		if !strings.EqualFold(name, "Connection") && !strings.EqualFold(name, "Transfer-Encoding") {
			r.w.Header().Add(name, value)
		}
	}
	if r.w.Header()["Date"] == nil {
		r.w.Header()["Date"] = nil // none is made up
	}
	r.w.WriteHeader(status)
	_, _ = r.w.Write([]byte(body)) // the client may have left
	if cut {
		_ = http.NewResponseController(r.w).Flush()
		panic(http.ErrAbortHandler)
	}
}
