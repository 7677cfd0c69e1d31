package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/secret"
)

const hiddenText = "…"

// redactRequest returns what pages may show of a request: no secret, no body, and no path if that is private.
func redactRequest(request probe.Request, private bool) Request {
	shown := Request{Method: request.Method, Path: request.URL.RequestURI()}
	if private {
		shown.Path = hiddenText
	}
	if len(request.Body) > 0 {
		shown.Body = hiddenText
	}
	for id, values := range request.Header {
		shown.Headers = append(shown.Headers, Header{id, values[0]})
	}
	for id := range request.Secrets {
		shown.Headers = append(shown.Headers, Header{id, secret.Placeholder})
	}
	slices.SortFunc(shown.Headers, func(a, b Header) int { return cmp.Compare(a.Name, b.Name) })
	return shown
}

// quoteFirstWord returns the first word of text in quotes: enough to find it in the file.
func quoteFirstWord(text string) string {
	word, _, more := strings.Cut(text, " ")
	if more && printable(word) {
		return fmt.Sprintf("%q", word+" …")
	}
	return quote(text)
}

// quote returns text in quotes, or "this" where a message must not repeat it.
func quote(text string) string {
	if !printable(text) {
		return "this"
	}
	return fmt.Sprintf("%q", text)
}

// redactKey returns the key of a mapping as messages may repeat it, else "…".
func redactKey(key string) string {
	if !printable(key) {
		return hiddenText
	}
	return key
}

// printable reports whether text is a short single word. Anything else may be
// the next line of the file, with a secret on it, that slipped into this value.
func printable(text string) bool {
	return text != "" && len(text) <= 40 && !secret.LooksLikeKey(text) &&
		!strings.ContainsFunc(text, func(r rune) bool { return r == ':' || unicode.IsSpace(r) || !unicode.IsPrint(r) })
}
