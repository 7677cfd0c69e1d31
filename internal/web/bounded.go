package web

import (
	"net/http"
	"time"
)

const (
	// AnswerTimeout is how long a client may take to read an answer.
	AnswerTimeout = 30 * time.Second
	// atOnce is how many answers are made and sent at once: each may be megabytes.
	atOnce = 16
	// turnTimeout is how long a request waits for its turn: less than a scrape's timeout, so that it is told why.
	turnTimeout = 5 * time.Second
)

// bounded returns what makes handlers take turns: all that it is given share atOnce of them. Who waits in vain gets 503.
func bounded() func(http.HandlerFunc) http.Handler {
	turns := make(chan struct{}, atOnce)
	return func(next http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			late := time.NewTimer(turnTimeout)
			defer late.Stop()
			select {
			case turns <- struct{}{}:
				defer func() { <-turns }()
				next(w, r)
			case <-late.C:
				say(w, http.StatusServiceUnavailable, "too many requests at once: try again later")
			case <-r.Context().Done():
			}
		})
	}
}
