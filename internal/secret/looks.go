package secret

import (
	"path/filepath"
	"regexp"
	"strings"
)

// LooksLikeKey reports whether text, found where the name of a file or of a
// variable belongs, is more likely the secret itself: a UUID, a JWT, or 16 and
// more characters of hex or base64 that are no words with numbers behind them.
// Such a name is never repeated.
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

// ShownPath returns path as it may be repeated: without a last part that looks like a key.
func ShownPath(path string) string {
	dir, base := filepath.Split(path)
	if LooksLikeKey(base) {
		return dir + "…"
	}
	return path
}
