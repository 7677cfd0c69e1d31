package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/itchyny/gojq"
)

// JQ is a compiled jq expression. It has no access to environment, files or other input.
type JQ struct{ code *gojq.Code }

// CompileJQ compiles expr and refuses what could grow without bound in one
// step. Its error is our own sentence.
func CompileJQ(expr string) (*JQ, error) {
	query, err := gojq.Parse(expr)
	if err != nil {
		return nil, errors.New("not a jq expression")
	}
	refused := unaffordable(query)
	if refused != "" {
		return nil, errors.New(refused)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, errors.New("uses a function or variable that is not there (input, files and modules are not)")
	}
	return &JQ{code: code}, nil
}

// holds evaluates the expression on body while it holds one of places. The
// evaluation is left behind when ctx ends: a single step of gojq may take
// long and cannot be interrupted. It keeps its place until it is over.
func (j *JQ) holds(ctx context.Context, body []byte, shared *Shared) error {
	select {
	case shared.jq <- struct{}{}:
	case <-ctx.Done():
		return Fail(ReasonResources, "no place for jq in time: other expressions take too long")
	}
	body = bytes.Clone(body) // the caller's buffer goes back when it stops waiting
	verdict := make(chan error, 1)
	go func() {
		defer func() {
			if recover() != nil { // its value could quote the body
				verdict <- Fail(ReasonPanic, "in the jq expression")
			}
			<-shared.jq
		}()
		verdict <- j.evaluate(ctx, body, &shared.held)
	}()
	select {
	case err := <-verdict:
		return err
	case <-ctx.Done():
		return Fail(ReasonExpectation, "the jq expression did not end in time")
	}
}

// evaluate runs the expression; it must yield at least one value, and only true.
func (j *JQ) evaluate(ctx context.Context, body []byte, others *atomic.Int64) error {
	var input any
	err := json.Unmarshal(body, &input)
	if err != nil {
		return Fail(ReasonNotJSON, "")
	}
	metered := newMeter(ctx, others)
	values := j.code.RunWithContext(metered, input)
	yielded := false
	for {
		value, more := values.Next()
		switch {
		case !more && yielded:
			return nil
		case !more:
			return Fail(ReasonExpectation, "the jq expression yields nothing")
		case metered.full:
			return Fail(ReasonExpectation, "the jq expression needs too much memory")
		case ctx.Err() != nil:
			return Fail(ReasonExpectation, "the jq expression did not end in time")
		case value != true:
			return Fail(ReasonExpectation, "%s", notTrue(value))
		}
		yielded = true
	}
}

func notTrue(value any) string {
	_, failed := value.(error) // its text could quote the body
	if failed {
		return "the jq expression fails on this answer"
	}
	return "the jq expression does not yield true"
}

const (
	meterInterval = 500 * time.Microsecond
	meterPause    = 20 * time.Millisecond // after a collection, which is dear
	meterBytes    = 48 << 20              // what an evaluation may add to the heap
)

// meter is a context that also ends when the heap has grown too much. gojq
// asks Done before every step, from one goroutine.
type meter struct {
	context.Context
	sample  [1]metrics.Sample
	limit   int64
	due     time.Time // of the next look at the heap
	collect time.Time // no sooner, unless the heap grows fast
	full    bool
	others  *atomic.Int64 // bytes of the heap that answers hold, of this probe and all others
	ended   chan struct{}
}

func newMeter(ctx context.Context, others *atomic.Int64) *meter {
	m := &meter{Context: ctx, others: others, ended: make(chan struct{})}
	close(m.ended)
	m.sample[0].Name = "/memory/classes/heap/objects:bytes"
	m.limit = m.heap() + meterBytes
	return m
}

// Done implements context.Context.
func (m *meter) Done() <-chan struct{} {
	if !m.full && time.Now().After(m.due) {
		m.look()
	}
	if m.full {
		return m.ended
	}
	return m.Context.Done()
}

func (m *meter) look() {
	now, heap := time.Now(), m.heap()
	m.due = now.Add(meterInterval)
	if heap < m.limit || now.Before(m.collect) && heap < m.limit+meterBytes {
		return
	}
	runtime.GC() // what only waits to be collected does not count
	m.full = m.heap() > m.limit
	m.collect = time.Now().Add(meterPause)
}

// Err implements context.Context.
func (m *meter) Err() error {
	if m.full {
		return context.Canceled
	}
	return m.Context.Err()
}

// heap returns the bytes of the heap's objects, without answers being read: those of other probes too.
func (m *meter) heap() int64 {
	metrics.Read(m.sample[:])
	return int64(m.sample[0].Value.Uint64()) - m.others.Load()
}
