package secret

import (
	"path/filepath"
	"regexp"
	"strings"
)

// RedactPath returns path with "…" for its last part where that looks like a key.
func RedactPath(path string) string {
	dir, base := filepath.Split(path)
	if LooksLikeKey(base) {
		return dir + "…"
	}
	return path
}

// LooksLikeKey reports whether text, given as the name of a file or a variable,
// is more likely the secret itself: a UUID, a JWT, or at least 16 characters of
// hex or base64 that are not words followed by numbers.
// Messages never repeat such a name.
func LooksLikeKey(text string) bool {
	const (
		hex    = `^[0-9A-Fa-f-]{16,}$`
		words  = `^[A-Za-z]+[0-9]{0,2}([_-]([A-Za-z]+[0-9]{0,2}|[0-9]{1,4}))+$`
		base64 = `^[A-Za-z0-9+=_-]{16,}$`
	)
	switch {
	case len(text) < 16:
		return false
	case strings.HasPrefix(text, "eyJ"): // a JWT has dots
		return true
	case regexp.MustCompile(hex).MatchString(text):
		return true
	case regexp.MustCompile(words).MatchString(text):
		return false
	}
	return strings.ContainsAny(text, "0123456789") && regexp.MustCompile(base64).MatchString(text)
}
