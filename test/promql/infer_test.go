package promql_test

import (
	"fmt"
	"maps"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

type labelSet map[string]bool

func labelled(names ...string) labelSet {
	set := labelSet{}
	for _, n := range names {
		set[n] = true
	}
	return set
}

func (s labelSet) and(others labelSet) labelSet {
	union := maps.Clone(s)
	maps.Copy(union, others)
	return union
}

func (s labelSet) without(names []string) labelSet {
	rest := maps.Clone(s)
	maps.DeleteFunc(rest, func(name string, _ bool) bool { return slices.Contains(names, name) })
	return rest
}

// inference finds out which labels the result of an expression has, from the
// labels of the series it names, and what in it can never match.
type inference struct {
	series map[string]labelSet
	faults []string
}

func (in *inference) fault(format string, args ...any) {
	in.faults = append(in.faults, fmt.Sprintf(format, args...))
}

// need complains about names which are not among the labels of what.
func (in *inference) need(names []string, have labelSet, what parser.Expr) {
	for _, n := range names {
		if !have[n] {
			in.fault("no label %s in %s", n, what)
		}
	}
}

// labels returns the labels that the result of e can have.
func (in *inference) labels(e parser.Expr) labelSet {
	switch e := e.(type) {
	case *parser.VectorSelector:
		return in.selector(e)
	case *parser.MatrixSelector:
		return in.labels(e.VectorSelector)
	case *parser.SubqueryExpr:
		return in.labels(e.Expr)
	case *parser.ParenExpr:
		return in.labels(e.Expr)
	case *parser.UnaryExpr:
		return in.labels(e.Expr)
	case *parser.AggregateExpr:
		return in.aggregate(e)
	case *parser.Call:
		return in.call(e)
	case *parser.BinaryExpr:
		return in.binary(e)
	}
	return labelSet{} // numbers and strings
}

func (in *inference) selector(e *parser.VectorSelector) labelSet {
	have, known := in.series[e.Name]
	if !known {
		in.fault("there is no series %q", e.Name)
	}
	have = maps.Clone(have)
	for _, m := range e.LabelMatchers {
		if known && m.Name != "__name__" && !have[m.Name] {
			in.fault("%s has no label %s", e.Name, m.Name)
		}
		if m.Type == labels.MatchEqual && m.Value == "" {
			delete(have, m.Name)
		}
	}
	return have
}

func (in *inference) aggregate(e *parser.AggregateExpr) labelSet {
	have := in.labels(e.Expr)
	in.need(e.Grouping, have, e.Expr)
	switch {
	case e.Op == parser.TOPK || e.Op == parser.BOTTOMK:
		return have
	case e.Without:
		return have.without(e.Grouping)
	case e.Op == parser.COUNT_VALUES:
		return labelled(append([]string{e.Param.(*parser.StringLiteral).Val}, e.Grouping...)...)
	}
	return labelled(e.Grouping...)
}

func (in *inference) call(e *parser.Call) labelSet {
	have := labelSet{}
	for _, arg := range e.Args {
		have = have.and(in.labels(arg))
	}
	switch e.Func.Name {
	case "histogram_quantile", "histogram_fraction":
		return have.without([]string{"le"})
	case "label_replace", "label_join":
		return have.and(labelled(e.Args[1].(*parser.StringLiteral).Val))
	case "absent", "absent_over_time", "scalar", "vector", "time":
		return labelSet{}
	}
	return have
}

func (in *inference) binary(e *parser.BinaryExpr) labelSet {
	left, right := in.labels(e.LHS), in.labels(e.RHS)
	if e.VectorMatching == nil { // a number on one side
		return left.and(right)
	}
	m := e.VectorMatching
	in.matching(e, left, right)
	switch {
	case e.Op == parser.LOR:
		return left.and(right)
	case m.Card == parser.CardManyToMany, m.Card == parser.CardManyToOne:
		return left.and(labelled(m.Include...))
	case m.Card == parser.CardOneToMany:
		return right.and(labelled(m.Include...))
	case m.On:
		return labelled(m.MatchingLabels...)
	}
	return left.without(m.MatchingLabels)
}

// matching complains where the two sides can have no labels in common values.
func (in *inference) matching(e *parser.BinaryExpr, left, right labelSet) {
	m := e.VectorMatching
	many, one := left, right
	oneSide := e.RHS
	if m.Card == parser.CardOneToMany {
		many, one, oneSide = right, left, e.LHS
	}
	in.need(m.Include, one, oneSide)
	if m.On {
		in.need(m.MatchingLabels, many, e)
		in.need(m.MatchingLabels, one, e)
		return
	}
	same := maps.Equal(left.without(m.MatchingLabels), right.without(m.MatchingLabels))
	if !same && e.Op != parser.LOR && m.Card != parser.CardManyToOne && m.Card != parser.CardOneToMany {
		in.fault("the sides of %s have different labels", e)
	}
}
