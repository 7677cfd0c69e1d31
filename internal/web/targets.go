package web

import (
	"github.com/integra-exporter/integra_exporter/internal/view"

	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
)

// targets answers with a view.Document for every target that the query asks for.
func (s *site) targets(w http.ResponseWriter, r *http.Request) {
	f, err := filterOf(r)
	if err != nil {
		say(w, http.StatusBadRequest, err.Error())
		return
	}
	var body bytes.Buffer
	err = view.WriteDocuments(&body, f.narrow(s.Targets()))
	if err != nil {
		say(w, http.StatusInternalServerError, "the answer could not be made")
		return
	}
	sum := sha256.Sum256(body.Bytes())
	tag := `W/"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"` // weak: compressed or not
	w.Header().Set("ETag", tag)
	w.Header().Set("Cache-Control", "no-cache") // may be kept, but is asked for again
	if hasTag(r, tag) {
		w.Header().Add("Vary", "Accept-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	send(w, r, http.StatusOK, body.Bytes())
}

// hasTag says whether the reader holds what tag names.
func hasTag(r *http.Request, tag string) bool {
	for _, held := range strings.Split(strings.Join(r.Header.Values("If-None-Match"), ","), ",") {
		held = strings.TrimSpace(held)
		if held == "*" || strings.TrimPrefix(held, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}
