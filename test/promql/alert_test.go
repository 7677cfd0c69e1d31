package promql_test

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/prometheus/model/rulefmt"
)

const runbooks = "https://github.com/integra-exporter/integra_exporter/blob/main/docs/runbooks/"

func TestAlertsSayWhatPeopleNeed(t *testing.T) {
	for _, r := range alerts(t) {
		if !slices.Contains([]string{"critical", "warning", "info"}, r.Labels["severity"]) {
			t.Errorf("%s has the severity %q", r.Alert, r.Labels["severity"])
		}
		for _, name := range []string{"summary", "description", "runbook_url", "dashboard_url"} {
			if r.Annotations[name] == "" {
				t.Errorf("%s has no %s", r.Alert, name)
			}
		}
		if strings.Contains(r.Annotations["summary"], "\n") {
			t.Errorf("%s's summary is more than a line", r.Alert)
		}
		if want := runbooks + r.Alert + ".md"; r.Annotations["runbook_url"] != want {
			t.Errorf("%s has the runbook %s, want %s", r.Alert, r.Annotations["runbook_url"], want)
		}
	}
}

func TestRunbooks(t *testing.T) {
	var pages []string
	for _, path := range files(t, "docs/runbooks/*.md") {
		name := strings.TrimSuffix(filepath.Base(path), ".md")
		if name != "README" {
			pages = append(pages, name)
		}
	}
	if diff := cmp.Diff(alertNames(t), pages); diff != "" {
		t.Errorf("alerts and pages of docs/runbooks (-alerts +pages):\n%s", diff)
	}
}

// A label that changes while the alert goes on would begin it anew. Labels come from
// the rule and from what its expression returns.
func TestAlertsHaveNoLabelThatChanges(t *testing.T) {
	in := &inference{series: known(t)}
	identity := labelled("job", "instance", "institution", "kind", "target", "address", "queue", "cause", "severity", "scope")
	for _, r := range alerts(t) {
		have := in.labels(parsed(t, query{r.Alert, r.Expr}))
		for name := range r.Labels {
			have[name] = true
		}
		for name := range have {
			if !identity[name] {
				t.Errorf("%s has the label %s", r.Alert, name)
			}
		}
	}
}

// An alert about a target must not tell replicas apart.
func TestTargetAlertsAreOneForAllReplicas(t *testing.T) {
	in := &inference{series: known(t)}
	for _, r := range alerts(t) {
		have := in.labels(parsed(t, query{r.Alert, r.Expr}))
		if have["institution"] && have["instance"] {
			t.Errorf("%s has an alert for each replica", r.Alert)
		}
		if have["institution"] && !have["job"] {
			t.Errorf("%s mixes jobs", r.Alert)
		}
	}
}

func TestAlertsFireForAWhile(t *testing.T) {
	atOnce := []string{"IntegraAccessNotRefused"}
	ranges := []string{"IntegraErrorBudgetBurningFast", "IntegraErrorBudgetBurningSlow", "IntegraExporterAbsent"}
	for _, r := range alerts(t) {
		if (r.For == 0) != slices.Contains(atOnce, r.Alert) {
			t.Errorf("%s has for: %v", r.Alert, r.For)
		}
		if (r.KeepFiringFor == 0) != slices.Contains(ranges, r.Alert) { // else a restart of the exporter resolves it
			t.Errorf("%s has keep_firing_for: %v", r.Alert, r.KeepFiringFor)
		}
	}
}

func TestDashboardLinks(t *testing.T) {
	variables := map[string][]string{}
	for _, d := range dashboards(t) {
		variables["/d/"+d.UID] = nil
		for _, v := range d.Templating.List {
			variables["/d/"+d.UID] = append(variables["/d/"+d.UID], "var-"+v.Name)
		}
	}
	for _, r := range alerts(t) {
		link, err := url.Parse(templates(r, "dashboard_url"))
		if err != nil {
			t.Fatal(err)
		}
		known, there := variables[link.Path]
		if !there || link.Host != "grafana.example.no" {
			t.Errorf("%s links to %s, which is no dashboard", r.Alert, link)
		}
		for name, values := range link.Query() {
			if !slices.Contains(known, name) || values[0] != "x" {
				t.Errorf("%s links with %s=%s, which %s does not know", r.Alert, name, values[0], link.Path)
			}
		}
	}
}

// templates returns an annotation with x in place of each label.
func templates(r rulefmt.Rule, annotation string) string {
	return regexp.MustCompile(`\{\{ \$labels\.\w+ \| urlquery \}\}`).ReplaceAllString(r.Annotations[annotation], "x")
}

// What a template asks of $labels must be among the alert's labels, else nothing stands there.
func TestTemplatesNameLabelsOfTheAlert(t *testing.T) {
	in := &inference{series: known(t)}
	for _, r := range alerts(t) {
		have := in.labels(parsed(t, query{r.Alert, r.Expr}))
		for annotation, text := range r.Annotations {
			for _, name := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(text, -1) {
				if !have[name[1]] {
					t.Errorf("%s's %s names the label %s, which the alert has not", r.Alert, annotation, name[1])
				}
			}
		}
	}
}

// docs/alerts.md lists every alert with its severity, in the order of the rules.
func TestDocumentedAlerts(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(root, "docs/alerts.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, r := range alerts(t) {
		want = append(want, r.Alert+" "+r.Labels["severity"]+" "+r.For.String())
	}
	for _, row := range regexp.MustCompile(`(?m)^\| \[(\w+)\]\(runbooks/(\w+)\.md\) \| (\w+) \|[^|]*\| (\w+) \|`).FindAllStringSubmatch(string(content), -1) {
		if row[1] != row[2] {
			t.Errorf("%s links to the page %s", row[1], row[2])
		}
		got = append(got, row[1]+" "+row[3]+" "+row[4])
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(slices.Compact(want), got); diff != "" {
		t.Errorf("alert, severity, for (-rules +docs/alerts.md):\n%s", diff)
	}
}
