package platform

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
)

// dashboard is as much of a dashboard's JSON as its queries are made of.
type dashboard struct {
	UID        string
	Panels     []panel
	Templating struct{ List []variable }

	file string
}

type panel struct {
	ID      int
	Type    string
	Title   string
	Targets []question
	Panels  []panel // of a row that is folded up
}

// question is one query of a panel.
type question struct {
	RefID   string
	Expr    string
	Instant bool
	Range   bool
}

// variable is one of a dashboard's. Its query is text, or an object that holds it.
type variable struct {
	Name, Type string
	Query      any
	AllValue   string
	IncludeAll bool
}

func readDashboards(t *testing.T) (all []dashboard) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(project, "dashboards", "[^p]*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatal("there are no dashboards")
	}
	for _, path := range paths {
		d := dashboard{file: filepath.Base(path)}
		content, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(content, &d)
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, d)
	}
	return all
}

// flat returns the panels that are no rows, also those in rows.
func flat(panels []panel) (all []panel) {
	for _, p := range panels {
		if p.Type != "row" {
			all = append(all, p)
		}
		all = append(all, flat(p.Panels)...)
	}
	return all
}

// scope is what the names in a query stand for.
type scope map[string]string

// wholeRun has Grafana's own variables, for a range that holds everything.
func wholeRun(from, to time.Time) scope {
	whole := to.Sub(from).Round(time.Second)
	return scope{
		"__interval": step.String(), "__interval_ms": strconv.FormatInt(step.Milliseconds(), 10),
		"__rate_interval": "10s",
		"__range":         model.Duration(whole).String(), "__range_s": strconv.Itoa(int(whole.Seconds())), "__range_ms": strconv.FormatInt(whole.Milliseconds(), 10),
		"__from": strconv.FormatInt(from.UnixMilli(), 10), "__to": strconv.FormatInt(to.UnixMilli(), 10),
	}
}

var reference = regexp.MustCompile(`\$(?:(\w+)|\{(\w+)(?::\w+)?\})`)

// expand fills in what is known; $1 and the like in a replacement are left.
func (s scope) expand(text string) string {
	return reference.ReplaceAllStringFunc(text, func(whole string) string {
		name := strings.Trim(strings.SplitN(whole, ":", 2)[0], "${}")
		value, known := s[name]
		if !known {
			return whole
		}
		return value
	})
}

var labelValues = regexp.MustCompile(`^label_values\((?:(.*), *)?(\w+)\)$`)

// add gives v the value that All has, or the first where there is no All.
func (s scope) add(t *testing.T, c client, v variable) {
	t.Helper()
	options := v.options(t, c, s)
	switch {
	case v.Type == "datasource":
	case v.AllValue != "":
		s[v.Name] = v.AllValue
	case len(options) == 0:
		t.Errorf("variable %s has no values", v.Name)
	case !v.IncludeAll:
		s[v.Name] = options[0]
	default:
		s[v.Name] = "(" + strings.Join(options, "|") + ")"
	}
}

// special is what Grafana escapes in a value for a regular expression within a PromQL string.
var special = regexp.MustCompile(`[\\^$*{}\[\]+?.()|]`)

func (v variable) options(t *testing.T, c client, s scope) (options []string) {
	t.Helper()
	query, text := v.Query.(string)
	if !text {
		query, _ = v.Query.(object)["query"].(string)
	}
	if v.Type != "query" {
		for option := range strings.SplitSeq(query, ",") {
			options = append(options, strings.TrimSpace(option))
		}
		return options
	}
	parts := labelValues.FindStringSubmatch(query)
	if parts == nil {
		t.Fatalf("variable %s: %q asks for no values of a label", v.Name, query)
	}
	options, err := c.values(parts[2], s.expand(parts[1]))
	if err != nil {
		t.Errorf("variable %s: %v", v.Name, err)
	}
	slices.Sort(options)
	for i := range options {
		options[i] = special.ReplaceAllString(options[i], `\\$0`)
	}
	return options
}
