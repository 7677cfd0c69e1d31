package probe

import (
	"reflect"
	"slices"

	"github.com/itchyny/gojq"
)

// repeats says whether anything in query multiplies what may be a string.
// gojq would repeat it up to 2 GiB in a single step, which nothing can stop.
func repeats(query *gojq.Query) bool {
	var times, doubtful, redefined bool
	eachQuery(reflect.ValueOf(query), func(q *gojq.Query) {
		multiplies := q.Op == gojq.OpMul || q.Op == gojq.OpUpdateMul
		times = times || multiplies
		doubtful = doubtful || multiplies && !(isNumber(q.Left) && isNumber(q.Right) && q.Op == gojq.OpMul)
		redefined = redefined || slices.ContainsFunc(q.FuncDefs, redefines)
	})
	return doubtful || times && redefined
}

// redefines says whether f gives a numeric function's name to something else.
func redefines(f *gojq.FuncDef) bool {
	return slices.ContainsFunc(append([]string{f.Name}, f.Args...), func(name string) bool {
		return slices.Contains(numeric, name)
	})
}

// eachQuery calls visit for every query in the syntax tree under v, whatever it stands in.
func eachQuery(v reflect.Value, visit func(*gojq.Query)) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		query, ok := v.Interface().(*gojq.Query)
		if ok {
			visit(query)
		}
		eachQuery(v.Elem(), visit)
	case reflect.Struct:
		for i := range v.NumField() {
			eachQuery(v.Field(i), visit)
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachQuery(v.Index(i), visit)
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
