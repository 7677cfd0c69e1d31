package probe

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/itchyny/gojq"
)

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
