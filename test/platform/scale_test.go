package platform

import (
	"strconv"
	"strings"
	"text/template/parse"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

// factor is how much faster time passes here than where the rules are meant for.
const factor = 60

// bounds are what a duration is not shortened below, and what it is cut to.
type bounds struct{ least, most time.Duration }

const (
	second = time.Second
	ever   = 1000 * time.Hour
)

// A wait outlasts a busy machine's hiccup, and a rate needs a few scrapes.
var (
	ofWait   = bounds{4 * second, ever}
	ofRange  = bounds{4 * second, ever}
	ofOffset = bounds{second, ever}
)

// shortened are the keys of rules and of Alertmanager's configuration that hold a
// duration. Alertmanager's own waiting for company is not what is tested.
var shortened = map[string]bounds{
	"for": ofWait, "keep_firing_for": ofWait, "interval": ofOffset, "resolve_timeout": {30 * second, ever},
	"group_wait": {second, 5 * second}, "group_interval": {second, 5 * second}, "repeat_interval": {second, ever},
}

// shorten returns a decoded YAML document with every duration in it divided by factor.
func shorten(document any) any {
	switch node := document.(type) {
	case []any:
		for i, item := range node {
			node[i] = shorten(item)
		}
	case map[string]any:
		for key, value := range node {
			node[key] = shortenField(key, value)
		}
	}
	return document
}

func shortenField(key string, value any) any {
	text, plain := value.(string)
	annotations, mapping := value.(map[string]any)
	switch {
	case plain && shortened[key].most > 0:
		return shortenDuration(text, shortened[key])
	case plain && key == "expr":
		return shortenExpression(text)
	case mapping && key == "annotations":
		for name, text := range annotations {
			annotations[name] = shortenTemplate(text.(string))
		}
		return annotations
	}
	return shorten(value)
}

// shortenDuration leaves zero, and what is no duration, as it is.
func shortenDuration(text string, to bounds) string {
	d, err := model.ParseDuration(text)
	if err != nil || d == 0 {
		return text
	}
	return model.Duration(min(max(time.Duration(d)/factor, to.least), to.most)).String()
}

// shortenExpression divides the ranges, subqueries and offsets of an expression.
// Numbers are left alone: a threshold of 21*86400 seconds stays one.
func shortenExpression(text string) string { return shortenTokens(text, text) }

// shortenTokens finds the durations in lexed and divides them in text, which is as long.
func shortenTokens(lexed, text string) string {
	lexer := parser.Lex(lexed)
	var result strings.Builder
	var before parser.ItemType
	copied := 0
	for {
		var item parser.Item
		lexer.NextItem(&item)
		switch item.Typ {
		case parser.EOF, parser.ERROR:
			return result.String() + text[copied:]
		case parser.DURATION:
			to := ofOffset
			if before == parser.LEFT_BRACKET {
				to = ofRange
			}
			result.WriteString(text[copied:item.Pos])
			result.WriteString(shortenDuration(item.Val, to))
			copied = int(item.Pos) + len(item.Val)
		}
		before = item.Typ
	}
}

// declared are the variables that Prometheus puts before every template.
const declared = `{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}`

// shortenTemplate divides the durations in the queries of an annotation. A
// template that does not parse is left to Prometheus, which says what is wrong.
func shortenTemplate(text string) string {
	tree := parse.New("annotation")
	tree.Mode = parse.SkipFuncCheck
	_, err := tree.Parse(declared+text, "", "", map[string]*parse.Tree{})
	if err != nil {
		return text
	}
	shortenNode(tree.Root)
	return strings.TrimPrefix(tree.Root.String(), declared)
}

func shortenNode(node parse.Node) {
	switch n := node.(type) {
	case *parse.ListNode:
		if n != nil {
			each(n.Nodes, shortenNode)
		}
	case *parse.ActionNode:
		shortenNode(n.Pipe)
	case *parse.IfNode:
		shortenBranch(n.BranchNode)
	case *parse.RangeNode:
		shortenBranch(n.BranchNode)
	case *parse.WithNode:
		shortenBranch(n.BranchNode)
	case *parse.PipeNode:
		for _, command := range n.Cmds {
			each(command.Args, shortenNode)
		}
	case *parse.StringNode:
		n.Text = shortenQuery(n.Text)
		n.Quoted = strconv.Quote(n.Text)
	}
}

func shortenBranch(n parse.BranchNode) {
	shortenNode(n.Pipe)
	shortenNode(n.List)
	shortenNode(n.ElseList)
}

func each(nodes []parse.Node, f func(parse.Node)) {
	for _, n := range nodes {
		f(n)
	}
}

// verbs make a query of what printf makes a query of, without changing a length.
var verbs = strings.NewReplacer("%q", `""`, "%s", "xx", "%v", "xx")

// shortenQuery shortens a string if it is a query, or becomes one by printf.
func shortenQuery(text string) string {
	filled := verbs.Replace(text)
	_, err := parser.NewParser(parser.Options{}).ParseExpr(filled)
	if err != nil {
		return text
	}
	return shortenTokens(filled, text)
}
