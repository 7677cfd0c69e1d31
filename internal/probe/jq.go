package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"runtime/metrics"
	"slices"
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
	numbers := json.NewDecoder(bytes.NewReader(body))
	numbers.UseNumber() // JSON knows no largest number
	err := numbers.Decode(&input)
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

// The sentences for what CompileJQ refuses.
const (
	saysRepeats = "* is allowed only between numbers, because times a string repeats it: write (… | tonumber) * …"
	saysGrows   = "uses %s, which can need gigabytes in one step that nothing can stop"
	saysAssigns = "an expectation changes nothing: = and |= and their kin are not available"
)

// growing are the functions and formats that can make much of little in a
// single step of gojq, where neither time nor memory can be watched.
var growing = []string{"transpose", "flatten", "join", "implode", "setpath", "tojson", "@json"}

// unaffordable says what of query a probe cannot afford; empty: nothing.
func unaffordable(query *gojq.Query) string {
	var times, doubtful, redefined, assigns bool
	grows := ""
	eachNode(reflect.ValueOf(query), func(node any) {
		switch n := node.(type) {
		case *gojq.Query:
			multiplies := n.Op == gojq.OpMul || n.Op == gojq.OpUpdateMul
			times = times || multiplies
			doubtful = doubtful || multiplies && !(isNumber(n.Left) && isNumber(n.Right))
			assigns = assigns || n.Op >= gojq.OpAssign && n.Op <= gojq.OpUpdateAlt
		case *gojq.FuncDef:
			redefined = redefined || redefines(n)
		case *gojq.Func:
			grows = growingOr(n.Name, grows)
		case *gojq.Term:
			grows = growingOr(n.Format, grows)
		}
	})
	switch {
	case doubtful || times && redefined:
		return saysRepeats
	case assigns:
		return saysAssigns
	case grows != "":
		return fmt.Sprintf(saysGrows, grows)
	}
	return ""
}

func growingOr(name, otherwise string) string {
	if slices.Contains(growing, name) {
		return name
	}
	return otherwise
}

// redefines says whether f gives a numeric function's name to something else.
func redefines(f *gojq.FuncDef) bool {
	return slices.ContainsFunc(append([]string{f.Name}, f.Args...), func(name string) bool {
		return slices.Contains(numeric, name)
	})
}

// eachNode calls visit for every pointer in the syntax tree under v.
func eachNode(v reflect.Value, visit func(any)) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			visit(v.Interface())
			eachNode(v.Elem(), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			eachNode(v.Field(i), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachNode(v.Index(i), visit)
		}
	}
}

// numeric are the functions that yield numbers only.
var numeric = []string{"length", "tonumber", "utf8bytelength", "floor", "ceil", "round", "sqrt", "now"}

// isNumber says whether q can yield nothing but numbers.
func isNumber(q *gojq.Query) bool {
	switch {
	case q == nil:
		return false
	case q.Op == gojq.OpPipe:
		return isNumber(q.Right)
	case slices.Contains([]gojq.Operator{gojq.OpAdd, gojq.OpSub, gojq.OpMul, gojq.OpDiv, gojq.OpMod}, q.Op):
		return isNumber(q.Left) && isNumber(q.Right)
	case q.Term == nil || len(q.Term.SuffixList) > 0:
		return false
	}
	switch q.Term.Type {
	case gojq.TermTypeNumber:
		return true
	case gojq.TermTypeQuery:
		return isNumber(q.Term.Query)
	case gojq.TermTypeFunc:
		return slices.Contains(numeric, q.Term.Func.Name)
	}
	return false
}
