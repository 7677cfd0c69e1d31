package web

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// AnswerTimeout is how long a client may take to read an answer.
	AnswerTimeout = 30 * time.Second
	// atOnce is how many answers are made and sent at once: each may be megabytes.
	atOnce = 16
	// turnTimeout is how long a request waits for its turn: less than a scrape's timeout, so that it is told why.
	turnTimeout = 5 * time.Second
	// stallTimeout is how long a client may read nothing while other requests wait.
	stallTimeout = time.Second
)

// bounded returns what makes handlers take turns: all that it is given share atOnce of them. A request that waits in vain
// gets 503.
func bounded() func(http.HandlerFunc) http.Handler {
	l := &limiter{turns: make(chan struct{}, atOnce), answers: map[*answer]bool{}}
	return func(next http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !l.acquire(r.Context()) {
				if r.Context().Err() == nil {
					say(w, http.StatusServiceUnavailable, "too many requests at once: try again later")
				}
				return
			}
			a := &answer{ResponseWriter: w}
			defer l.release(a)
			l.add(a)
			next(a, r)
		})
	}
}

// limiter bounds how many answers are made and sent at once. While requests wait, a client that does not read loses its
// turn, so a few of them cannot hold up all others.
type limiter struct {
	turns chan struct{}

	mu      sync.Mutex
	answers map[*answer]bool
}

// acquire waits for a turn, and reports whether there is one in time.
func (l *limiter) acquire(ctx context.Context) bool {
	late, stalled := time.NewTimer(turnTimeout), time.NewTicker(stallTimeout)
	defer late.Stop()
	defer stalled.Stop()
	for {
		select {
		case l.turns <- struct{}{}:
			return true
		case <-stalled.C:
			l.cutStalled()
		case <-late.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
}

func (l *limiter) add(a *answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers[a] = true
}

func (l *limiter) release(a *answer) {
	l.mu.Lock()
	delete(l.answers, a)
	l.mu.Unlock()
	<-l.turns
}

func (l *limiter) cutStalled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for a := range l.answers {
		since := a.writing.Load()
		if since != nil && time.Since(*since) >= stallTimeout {
			_ = http.NewResponseController(a.ResponseWriter).SetWriteDeadline(time.Now())
		}
	}
}

// answer knows since when a write of it waits for the client.
type answer struct {
	http.ResponseWriter
	writing atomic.Pointer[time.Time] // nil: none does
}

func (a *answer) Write(p []byte) (int, error) {
	a.writing.Store(new(time.Now()))
	defer a.writing.Store(nil)
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
