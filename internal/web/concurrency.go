package web

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// AnswerTimeout is how long a client may take to read an answer.
	AnswerTimeout = 30 * time.Second
	// maxConcurrent is how many answers are built and sent at the same time: each may be megabytes.
	maxConcurrent = 16
	// queueTimeout is how long a request waits before it gets 503. It is shorter than a scrape's timeout, so the client reads why.
	queueTimeout = 5 * time.Second
	// stallTimeout is how long a client may read nothing while other requests wait.
	stallTimeout = time.Second
	// pieceSize is how much is written at a time: a client that takes less within stallTimeout counts as one that reads nothing.
	pieceSize = 32 << 10
)

// limitConcurrency returns a middleware. All handlers it wraps share one limit of maxConcurrent; a request that waits in
// vain gets 503.
func limitConcurrency() func(http.HandlerFunc) http.Handler {
	l := &limiter{slots: make(chan struct{}, maxConcurrent), answers: map[*answer]bool{}}
	return func(next http.HandlerFunc) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !l.acquire(r.Context()) {
				if r.Context().Err() == nil {
					writeText(w, http.StatusServiceUnavailable, "too many requests at once: try again later")
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

// limiter bounds how many answers are built and sent at once. While requests wait, it cuts off clients that do not read,
// so a few of them cannot hold up all others.
type limiter struct {
	slots chan struct{}

	mu      sync.Mutex
	answers map[*answer]bool
}

// acquire waits for a slot, and reports whether one became free in time.
func (l *limiter) acquire(ctx context.Context) bool {
	timeout, stalled := time.NewTimer(queueTimeout), time.NewTicker(stallTimeout)
	defer timeout.Stop()
	defer stalled.Stop()
	for {
		select {
		case l.slots <- struct{}{}:
			return true
		case <-stalled.C:
			l.cutStalled()
		case <-timeout.C:
			return false
		case <-ctx.Done():
			return false
		}
	}
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

func (l *limiter) add(a *answer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers[a] = true
}

func (l *limiter) release(a *answer) {
	l.mu.Lock()
	delete(l.answers, a)
	l.mu.Unlock()
	<-l.slots
}

// answer records since when a write has been waiting for the client.
type answer struct {
	http.ResponseWriter
	writing atomic.Pointer[time.Time] // nil: no write is waiting
}

// Write writes in pieces: a client on a slow line takes long to read a whole page, but reads.
func (a *answer) Write(p []byte) (written int, err error) {
	defer a.writing.Store(nil)
	for piece := range slices.Chunk(p, pieceSize) {
		a.writing.Store(new(time.Now()))
		n, err := a.ResponseWriter.Write(piece)
		written += n
		if err != nil {
			return written, err
		}
	}
	return written, nil
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
