package promql_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// variables is what Grafana puts in their place, longest names first.
var variables = []string{
	"$__rate_interval", "5m", "$__interval_ms", "60000", "$__interval", "1m", "$__range_ms", "3600000",
	"$__range_s", "3600", "$__range", "1h", "$__from", "0", "$__to", "0",
}

// dashboard is what of a dashboard's JSON this package looks at.
type dashboard struct {
	UID        string
	Panels     []panel
	Templating struct {
		List []struct {
			Name, Type string
			Query      json.RawMessage
		}
	}
	Annotations struct{ List []struct{ Name, Expr string } }
}

type panel struct {
	Title   string
	Targets []struct{ RefID, Expr string }
	Panels  []panel // of a row
}

// dashboards returns those in dashboards/ by the name of their file.
func dashboards(t *testing.T) map[string]dashboard {
	t.Helper()
	all := map[string]dashboard{}
	for _, path := range files(t, "dashboards/[^p]*.json") {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		err = json.Unmarshal(content, &d)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all[filepath.Base(path)] = d
	}
	return all
}

func TestDashboardsAreThere(t *testing.T) {
	all := dashboards(t)
	for _, name := range []string{"overview", "target", "rabbitmq", "keys", "exporter"} {
		d := all[name+".json"]
		if d.UID != "integra-"+name {
			t.Errorf("%s.json has the uid %q", name, d.UID)
		}
		if len(panelQueries(name, d.Panels)) < 5 {
			t.Errorf("%s.json has fewer than five queries: have they been found?", name)
		}
	}
}

func dashboardQueries(t *testing.T) []query {
	t.Helper()
	var all []query
	for file, d := range dashboards(t) {
		all = append(all, panelQueries(file, d.Panels)...)
		for _, a := range d.Annotations.List {
			if a.Expr != "" {
				all = append(all, query{file + ", annotation " + a.Name, a.Expr})
			}
		}
		for _, v := range d.Templating.List {
			if v.Type == "query" {
				all = append(all, query{file + ", variable " + v.Name, variableQuery(v.Query)})
			}
		}
	}
	for i := range all {
		all[i].expr = expanded(all[i].expr)
	}
	return all
}

func panelQueries(file string, panels []panel) []query {
	var all []query
	for _, p := range panels {
		all = append(all, panelQueries(file, p.Panels)...)
		for _, target := range p.Targets {
			all = append(all, query{fmt.Sprintf("%s, panel %q %s", file, p.Title, target.RefID), target.Expr})
		}
	}
	return all
}

// variableQuery returns the expression behind a variable: label_values(EXPR, LABEL), so
// that its label is looked for too, or query_result(EXPR), as a string or as {"query": …}.
func variableQuery(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		var object struct{ Query string }
		_ = json.Unmarshal(raw, &object) // what cannot be read is an empty query, a fault
		text = object.Query
	}
	values := regexp.MustCompile(`^label_values\((.+), *(\w+)\)$`).FindStringSubmatch(text)
	if values != nil {
		return fmt.Sprintf("count by (%s) (%s)", values[2], values[1])
	}
	return strings.TrimSuffix(strings.TrimPrefix(text, "query_result("), ")")
}

// expanded puts something in place of every variable: a duration for Grafana's own, a name for the others.
func expanded(expr string) string {
	braces := regexp.MustCompile(`\$\{(\w+)(:\w+)?\}`).ReplaceAllString(expr, "$$$1")
	return regexp.MustCompile(`\$([a-z]\w*)`).ReplaceAllString(strings.NewReplacer(variables...).Replace(braces), ".*")
}
