package probe

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
)

// Shared is what all probers of a process have in common: buffers, and the
// places for decoding with jq. Safe for concurrent use.
type Shared struct {
	UserAgent string // sent with each request
	buffers   sync.Pool
	held      atomic.Int64 // bytes of the buffers in use
	jq        chan struct{}
}

// buffer holds an answer and counts itself while it does.
type buffer struct {
	bytes.Buffer
	held *atomic.Int64
}

// grow is Grow, counted.
func (b *buffer) grow(n int) {
	before := b.Cap()
	b.Grow(n)
	b.held.Add(int64(b.Cap() - before))
}

// maxDecodes is how many answers may be decoded for jq at once: decoding takes twenty times a body's size.
const maxDecodes = 2

// NewShared returns a Shared for one process.
func NewShared() *Shared {
	s := &Shared{UserAgent: "integra_exporter", jq: make(chan struct{}, maxDecodes)}
	s.buffers.New = func() any { return &buffer{held: &s.held} }
	return s
}

// pooledBytes is the largest buffer that is kept: one big answer must not stay for ever.
const pooledBytes = 256 << 10

func (s *Shared) buffer() *buffer {
	b := s.buffers.Get().(*buffer)
	s.held.Add(int64(b.Cap()))
	return b
}

func (s *Shared) put(b *buffer) {
	s.held.Add(-int64(b.Cap()))
	if b.Cap() > pooledBytes {
		return
	}
	clear(b.Bytes()) // an answer must not wait in memory for the next one
	b.Reset()
	s.buffers.Put(b)
}

var errTooLarge = errors.New("more than the limit")

// readBody reads at most limit bytes of resp's body into b, after decompression.
// A body that goes on is errTooLarge, with limit bytes read.
func readBody(resp *http.Response, b *buffer, limit int64) error {
	var body io.Reader = resp.Body
	if strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		unzipped, err := gzip.NewReader(body)
		if errors.Is(err, io.EOF) {
			return nil // nothing at all, as with HEAD
		}
		if err != nil {
			return err
		}
		body = unzipped
	}
	return readUpTo(b, body, limit)
}

// firstBytes holds most answers.
const firstBytes = 16 << 10

// readUpTo lets b grow fourfold but not past limit: doubled, what is left
// behind on the way would come to twice the largest body.
func readUpTo(b *buffer, r io.Reader, limit int64) error {
	for size := int64(firstBytes); ; size *= 4 {
		size = min(size, limit+1)
		step := size - int64(b.Len())
		b.grow(int(step) + bytes.MinRead)
		n, err := b.ReadFrom(io.LimitReader(r, step))
		switch {
		case err != nil || n < step:
			return err
		case size > limit:
			b.Truncate(int(limit))
			return errTooLarge
		}
	}
}

// unreadable is the cause of an error while reading the body.
func unreadable(ctx context.Context, err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return context.Canceled
	case isTimeout(ctx, err):
		return timedOut(PhaseTransfer)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return Fail(ReasonInvalidResponse, "the answer says it is gzip, but it is not")
	}
	return Fail(ReasonBody, "the answer was cut off")
}
