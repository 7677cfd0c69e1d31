//go:build conformance

package conformance

import (
	"bufio"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// readAnswer reads one answer, byte for byte as it comes.
func readAnswer(in *bufio.Reader, method string) (string, error) {
	var text strings.Builder
	length, chunked := -1, false
	for {
		line, err := in.ReadString('\n')
		text.WriteString(line)
		if err != nil {
			return text.String(), err
		}
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch strings.ToLower(name) {
		case "content-length":
			length, _ = strconv.Atoi(strings.TrimSpace(value))
		case "transfer-encoding":
			chunked = true
		}
		if line == "\r\n" {
			break
		}
	}
	status := statusOf(text.String())
	switch {
	case method == http.MethodHead || status == http.StatusNoContent || length == 0:
		return text.String(), nil
	case chunked:
		err := readChunks(in, &text)
		return text.String(), err
	}
	_, err := io.CopyN(&text, in, int64(max(length, 0)))
	return text.String(), err
}

func readChunks(in *bufio.Reader, to *strings.Builder) error {
	for {
		line, err := in.ReadString('\n')
		to.WriteString(line)
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(strings.TrimSpace(line), 16, 32)
		if err != nil {
			return err
		}
		_, err = io.CopyN(to, in, size+2)
		if err != nil || size == 0 {
			return err
		}
	}
}

// statusOf returns the status code of an answer; 0: it has none.
func statusOf(answer string) int {
	_, rest, _ := strings.Cut(answer, " ")
	code, _ := strconv.Atoi(rest[:min(3, len(rest))])
	return code
}

// volatile are the parts of an answer that differ from one to the next: ids, dates, and when a limit begins anew.
var volatile = regexp.MustCompile(`(?i)(?m)^((?:date|x-gravitee-request-id|x-gravitee-client-identifier|x-[a-z-]+-reset):) .*\r$`)

// withoutVolatile returns answer with those parts, and the ports of a run, left out.
func withoutVolatile(answer string) string {
	answer = volatile.ReplaceAllString(answer, "$1 …\r")
	return regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(answer, "127.0.0.1:…")
}
