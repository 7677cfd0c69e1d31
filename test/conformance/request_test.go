//go:build conformance

package conformance

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/testkit/recordings"
)

// request is how a recorded situation is asked for.
type request struct {
	method, path, body, key string // key empty: none
	closing                 bool   // it asks for the connection to be closed
}

var (
	backendStatus = regexp.MustCompile(`^(?:head-)?(?:keyless-)?backend-(\d{3})(-empty)?$`)
	keyState      = regexp.MustCompile(`key-(expired|revoked|paused|closed|subpaused|pending|ended|later)$|-(expired)-key$`)
)

// request returns the request of a situation to an API whose name ends in suffix.
func (v version) request(s recordings.Situation, suffix string) request {
	api := s.API + suffix
	r := request{method: s.Method, body: s.Body, path: "/" + api + pathOf(s.Name), closing: v.closing}
	if !s.Key {
		return r
	}
	r.key = "key-good-" + api
	state := keyState.FindStringSubmatch(s.Name)
	switch {
	case s.Name == "key-of-another-api":
		r.key = "key-good-filtered" + suffix
	case s.Name == "key-of-first-plan":
		r.key = "key-good-" + api + "-a"
	case s.Name == "key-of-second-plan":
		r.key = "key-good-" + api + "-b"
	case strings.Contains(s.Name, "unknown-key"), strings.Contains(s.Name, "wrong-key"):
		r.key = "ffffffff-0000-4000-8000-ffffffffffff"
	case state != nil:
		r.key = "key-" + state[1] + state[2] + "-" + api
	}
	return r
}

// pathOf returns what the request of a situation asks for below the API's path.
func pathOf(name string) string {
	status := backendStatus.FindStringSubmatch(name)
	switch {
	case status != nil && status[2] != "":
		return "/e" + status[1]
	case status != nil:
		return "/" + status[1]
	case name == "backend-html", name == "backend-empty":
		return "/" + strings.TrimPrefix(name, "backend-")
	case name == "backend-inner401":
		return "/inner401"
	case name == "filtered-allowed", name == "filtered-method":
		return "/allowed/x"
	}
	return "/"
}

// ask sends r as the exporter sends its requests, and returns the bytes of the answer: as far as it came, when the
// gateway keeps the connection open, and none where it does not answer at all.
func ask(t *testing.T, gateway string, r request, patience time.Duration) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", gateway)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nAccept: application/json\r\nUser-Agent: integra_exporter\r\nX-Gravitee-Transaction-Id: %s\r\n",
		r.method, r.path, gateway, recordings.TransactionID)
	if r.key != "" {
		head += "X-Gravitee-Api-Key: " + r.key + "\r\n"
	}
	if r.closing {
		head += "Connection: close\r\n"
	}
	if r.body != "" {
		head += fmt.Sprintf("Content-Length: %d\r\nContent-Type: application/json\r\n", len(r.body))
	}
	_, err = io.WriteString(conn, head+"\r\n"+r.body)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	text, err := readAnswer(bufio.NewReader(conn), r.method)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	return text
}
