package promql_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// query is an expression that somebody wrote down, and where.
type query struct{ where, expr string }

// sources are where queries stand.
var sources = map[string]func(*testing.T) []query{"rules": ruleQueries, "dashboards": dashboardQueries}

// ruleQueries returns the expressions of rules, and those in their annotations.
func ruleQueries(t *testing.T) []query {
	t.Helper()
	var all []query
	for _, r := range rules(t) {
		all = append(all, query{r.Alert + r.Record, r.Expr})
		all = append(all, lookups(r)...)
	}
	return all
}

// lookups returns the queries in a rule's annotations: printf "…" … | query.
func lookups(r rulefmt.Rule) []query {
	var found []query
	for _, name := range slices.Sorted(maps.Keys(r.Annotations)) {
		for _, call := range regexp.MustCompile(`printf "((?:[^"\\]|\\.)*)"[^|{}]*\| query`).FindAllStringSubmatch(r.Annotations[name], -1) {
			expr := strings.ReplaceAll(call[1], `\"`, `"`)
			expr = regexp.MustCompile(`%(\[\d\])?s`).ReplaceAllString(expr, `job="x",institution="x"`)
			expr = regexp.MustCompile(`%(\[\d\])?q`).ReplaceAllString(expr, `"$$x"`)
			found = append(found, query{r.Alert + "'s " + name, expr})
		}
	}
	return found
}

// A query for a series or label that is not there finds nothing, and nobody notices.
func TestQueriesNameWhatIsThere(t *testing.T) {
	series := known(t)
	for source, queries := range sources {
		t.Run(source, func(t *testing.T) {
			for _, q := range queries(t) {
				in := &inference{series: series}
				in.labels(parsed(t, q))
				for _, f := range in.faults {
					t.Errorf("%s: %s", q.where, f)
				}
			}
		})
	}
}

func TestLookupsAreFound(t *testing.T) {
	for _, r := range alerts(t) {
		written := 0
		for _, text := range r.Annotations {
			written += strings.Count(text, "| query")
		}
		if found := len(lookups(r)); found != written {
			t.Errorf("%s: %d of %d queries in its annotations have been found", r.Alert, found, written)
		}
	}
}

// What the other tests of this package rely on.
func TestInferenceFinds(t *testing.T) {
	series := map[string]labelSet{
		"a": labelled("job", "x"), "b": labelled("job", "x", "y"), "h_bucket": labelled("job", "le"),
	}
	for _, c := range []struct {
		expr   string
		labels labelSet
		faults int
	}{
		{`a`, labelled("job", "x"), 0},
		{`c`, labelled(), 1},
		{`a{y="1"}`, labelled("job", "x"), 1},
		{`sum by (y) (a)`, labelled("y"), 1},
		{`sum without (x) (a)`, labelled("job"), 0},
		{`topk(1, a)`, labelled("job", "x"), 0},
		{`count_values("v", a)`, labelled("v"), 0},
		{`histogram_quantile(0.9, rate(h_bucket[5m]))`, labelled("job"), 0},
		{`label_replace(a, "z", "$1", "x", "(.*)")`, labelled("job", "x", "z"), 0},
		{`a * on (job, x) group_left (y) b`, labelled("job", "x", "y"), 0},
		{`a * on (job, x) group_left (z) b`, labelled("job", "x", "z"), 1},
		{`a * on (y) b`, labelled("y"), 1},
		{`b unless ignoring (y) a`, labelled("job", "x", "y"), 0},
		{`b unless a`, labelled("job", "x", "y"), 1},
		{`a > 3`, labelled("job", "x"), 0},
		{`time() - a > b`, labelled("job", "x"), 1},
		{`a or b`, labelled("job", "x", "y"), 0},
		{`max_over_time(sum by (job) (b)[5m:])`, labelled("job"), 0},
		{`-(absent(a{x="1"}))`, labelled(), 0},
	} {
		in := &inference{series: series}
		got := in.labels(parsed(t, query{"here", c.expr}))
		if !maps.Equal(got, c.labels) || len(in.faults) != c.faults {
			t.Errorf("%s: labels %v, want %v; faults %q, want %d", c.expr, got, c.labels, in.faults, c.faults)
		}
	}
}

// parsed returns the expression; one that cannot be parsed is an error, and a number.
func parsed(t *testing.T, q query) parser.Expr {
	t.Helper()
	e, err := parser.NewParser(parser.Options{}).ParseExpr(q.expr)
	if err != nil {
		t.Errorf("%s: %v in: %s", q.where, err, q.expr)
		return &parser.NumberLiteral{}
	}
	return e
}

// matched returns what the matchers of a query ask of a label.
func matched(t *testing.T, q query, label string) []string {
	t.Helper()
	var values []string
	parser.Inspect(parsed(t, q), func(n parser.Node, _ []parser.Node) error {
		selector, is := n.(*parser.VectorSelector)
		if !is {
			return nil
		}
		for _, m := range selector.LabelMatchers {
			if m.Name == label {
				values = append(values, strings.Split(m.Value, "|")...)
			}
		}
		return nil
	})
	return values
}
