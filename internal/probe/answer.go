package probe

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// answer is what decides who wrote an answer. It never leaves this package.
type answer struct {
	status int
	head   bool // the request was HEAD: there is no body, only its length
	marks
	challengedByGateway bool // WWW-Authenticate names Gravitee
	challenge           [sha256.Size]byte
	text                text
	length              int64 // of the body as far as it was read; with HEAD of the one that was not sent
	digest              [sha256.Size]byte
}

// marks are the headers that a gateway puts on answers.
type marks struct {
	ids    bool // of transaction or request
	client bool // Client-Identifier, which comes with the acceptance of the key
}

func (m marks) marked() bool { return m.ids || m.client }

// newAnswer describes an answer of which so much of the body was read; nil: nothing was, or not all.
func newAnswer(resp *http.Response, method string, body []byte, names *GatewayHeaders) answer {
	a := answer{status: resp.StatusCode, head: method == http.MethodHead, marks: marksOf(resp.Header, names)}
	if body == nil {
		if isPage(resp.Header, nil) {
			a.text = textPage
		}
		return a
	}
	challenge := strings.Join(resp.Header.Values("WWW-Authenticate"), "\n")
	a.challengedByGateway, a.challenge = strings.Contains(challenge, `"gravitee.io"`), sha256.Sum256([]byte(challenge))
	a.length, a.digest = int64(len(body)), sha256.Sum256(body)
	if a.head {
		a.length = max(resp.ContentLength, 0)
		a.text = textOfLength(&a, resp.Header)
		return a
	}
	a.text = textOf(a.status, resp.Header, bytes.TrimSpace(body))
	return a
}

func marksOf(header http.Header, names *GatewayHeaders) marks {
	return marks{
		ids:    header.Get(names.TransactionID) != "" || header.Get(names.RequestID) != "",
		client: header.Get(names.ClientIdentifier) != "",
	}
}

// saysEnough says whether bytes alone decide what the answer means, whatever the API answers to a wrong key.
func (a *answer) saysEnough() bool {
	return a.status < http.StatusBadRequest || a.client || !a.marked() && (a.text == textPage || a.text == textNoContextPath)
}

// sameForm says whether a is what b is, but for the text.
func (a *answer) sameForm(b *answer) bool {
	return a.status == b.status && a.marks == b.marks && a.challenge == b.challenge && a.length == b.length
}

// inGatewaysShape says whether the body is one of the gateway's own failures.
func (a *answer) inGatewaysShape() bool {
	return a.text >= textRefused
}

func (a *answer) success() bool { return a.status >= 200 && a.status < 300 }

// text is what a body is.
type text uint8

const (
	textUnread text = iota
	textEmpty
	textPage // HTML, or the text of a default backend
	textOther
	textNoContextPath
	// Failures of the gateway: {"message":"…","http_status_code":…}.
	textRefused // the key
	textExpired
	textNotInPlan
	textUnready
	textDeadline
	textGateway // any other
)

// defaultBackend is what Kubernetes's default backend answers where no host or path is known.
const defaultBackend = "default backend - 404"

// noContextPath is the gateway's text/plain answer where it has no API, whatever was accepted.
const noContextPath = "No context-path matches the request URI."

// messages are the gateway's own, by status. What a policy says is none of them.
var messages = []struct {
	status  int
	message string
	begins  bool // the message goes on
	text    text
}{
	{401, "Unauthorized", false, textRefused},
	{401, "API Key is not valid or is expired / revoked.", false, textExpired},
	{401, "No API Key has been specified in headers (", true, textRefused},
	// With api.security.verbose401, from 4.9 on.
	{401, "The request did not include an authentication token", false, textRefused},
	{401, "The provided authentication token is invalid", false, textRefused},
	{401, "The provided credentials are not authorized", false, textRefused},
	{401, "Access has expired for the provided credentials", false, textRefused},
	{401, "No plan matched the request", false, textRefused},
	{403, "You're not allowed to access this resource", false, textNotInPlan},
	{405, "Method not allowed while accessing this resource", false, textNotInPlan},
	{429, "Rate limit blocked the query due to internal error", false, textUnready},
	{429, "Rate limit blocked ", true, textUnready},
	{500, "Internal Server Error", false, textGateway},
	{503, "Temporarily Unavailable", false, textUnready},
	{503, "temporarily_unavailable", false, textUnready},
	{504, "Request timeout", false, textDeadline},
}

func textOf(status int, header http.Header, body []byte) text {
	message, isGateway := gatewayMessage(body, status)
	switch {
	case len(body) == 0:
		return textEmpty
	case isGateway:
		return textOfMessage(status, message)
	case status == http.StatusNotFound && string(body) == noContextPath:
		return textNoContextPath
	case isPage(header, body):
		return textPage
	}
	return textOther
}

func textOfMessage(status int, message string) text {
	for _, m := range messages {
		if m.status == status && (message == m.message || m.begins && strings.HasPrefix(message, m.message)) {
			return m.text
		}
	}
	return textGateway
}

// gatewayMessage recognises {"message":"…","http_status_code":…} with exactly these keys.
func gatewayMessage(body []byte, status int) (message string, ok bool) {
	var object map[string]json.RawMessage
	err := json.Unmarshal(body, &object)
	if err != nil || len(object) != 2 || string(object["http_status_code"]) != strconv.Itoa(status) {
		return "", false
	}
	return message, json.Unmarshal(object["message"], &message) == nil && bytes.HasPrefix(object["message"], []byte(`"`))
}

func isPage(header http.Header, body []byte) bool {
	return strings.HasPrefix(header.Get("Content-Type"), "text/html") || bytes.HasPrefix(body, []byte("<")) ||
		bytes.HasPrefix(body, []byte(defaultBackend[:len("default backend - ")]))
}

// textOfLength is textOf for the answer to HEAD, of whose body only type and length are known.
func textOfLength(a *answer, header http.Header) text {
	kind := header.Get("Content-Type")
	switch {
	case strings.HasPrefix(kind, "text/html"):
		return textPage
	case a.status == http.StatusNotFound && a.length == int64(len(defaultBackend)) && strings.HasPrefix(kind, "text/plain"):
		return textPage
	case a.status == http.StatusNotFound && a.length == int64(len(noContextPath)):
		return textNoContextPath
	case a.length == 0:
		return textEmpty
	case !strings.HasPrefix(kind, "application/json"):
		return textOther
	}
	for _, m := range messages {
		if m.status == a.status && a.length == lengthOf(m.message, m.status) && !m.begins {
			return m.text
		}
	}
	if a.status == http.StatusTooManyRequests && a.length >= lengthOf(shortestLimit, a.status) && a.length <= lengthOf(longestLimit, a.status) {
		return textGateway
	}
	return textOther
}

// The limits' texts hold numbers: these are the extremes.
const (
	shortestLimit = "Quota exceeded ! You reach the limit of 1 requests per 1 days"
	longestLimit  = "Spike limit exceeded! You reached the limit of 9999999999 requests per 9999999999 seconds"
)

// lengthOf returns the length of the gateway's failure with such a message.
func lengthOf(message string, status int) int64 {
	return int64(len(`{"message":"` + message + `","http_status_code":` + strconv.Itoa(status) + "}"))
}
