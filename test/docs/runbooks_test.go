package docs_test

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

const runbooks = "docs/runbooks"

// allRunbooks returns the runbooks by name of the alert.
func allRunbooks(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root+runbooks, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, file := range files {
		found[strings.TrimSuffix(filepath.Base(file), ".md")] = read(t, strings.TrimPrefix(file, root))
	}
	delete(found, "README")
	if len(found) == 0 {
		t.Fatal("no runbook found in " + runbooks)
	}
	return found
}

// An alert says these sentences, and who follows its link must find the same ones.
func TestRunbookExplainsEveryReason(t *testing.T) {
	t.Parallel()
	want, got := map[string][]string{}, map[string][]string{}
	for _, e := range probe.Explanations() {
		layer := "Layer " + string(e.Layer)
		want[layer] = append(want[layer], string(e.Reason)+"\n"+e.Meaning+"\n"+e.Next)
	}
	row := regexp.MustCompile("(?m)^\\| <a id=\"[^\"]+\"></a>`([a-z_]+)` \\| (.+) \\| (.+) \\|$")
	page := allRunbooks(t)["IntegraTargetFailing"]
	for _, part := range strings.Split(page, "\n## ")[1:] {
		heading, text, _ := strings.Cut(part, "\n")
		for _, match := range row.FindAllStringSubmatch(text, -1) {
			got[heading] = append(got[heading], strings.Join(match[1:], "\n"))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table of reasons (-) and IntegraTargetFailing.md (+) differ:\n%s", diff)
	}
	for _, e := range probe.Explanations() {
		if !strings.Contains(page, `<a id="`+string(e.Reason)+`"></a>`) {
			t.Errorf("IntegraTargetFailing.md has no anchor #%s", e.Reason)
		}
	}
}

func TestRunbooksHaveTheSameHeadings(t *testing.T) {
	t.Parallel()
	want := []string{
		"## What it means", "## Confirm", "## Likely causes, in order", "## What to do", "## Whom to ask", "## It is over when",
	}
	for name, page := range allRunbooks(t) {
		if !strings.HasPrefix(page, "# "+name+"\n") {
			t.Errorf("%s.md does not begin with its name", name)
		}
		got := regexp.MustCompile(`(?m)^## .*$`).FindAllString(page, -1)
		got = slices.DeleteFunc(got, func(h string) bool { return strings.HasPrefix(h, "## Layer ") })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("headings of %s.md (-want +got):\n%s", name, diff)
		}
		for _, heading := range got {
			_, below, _ := strings.Cut(page, heading+"\n")
			below, _, _ = strings.Cut(below, "\n## ")
			if strings.TrimSpace(below) == "" {
				t.Errorf("%s.md says nothing below %q", name, heading)
			}
		}
	}
}

var severities = map[string]string{
	"Critical: somebody is called": "Critical", "Warning: in working hours": "Warning", "Info: to plan": "Info",
}

// The index lists each page once, under the severity that the page says.
func TestRunbookIndex(t *testing.T) {
	t.Parallel()
	want, got := map[string]string{}, map[string]string{}
	for name, page := range allRunbooks(t) {
		_, text, _ := strings.Cut(page, "\n\n")
		want[name] = regexp.MustCompile(`^\w+`).FindString(text)
	}
	row := regexp.MustCompile(`(?m)^\| \[(\w+)\]\((\w+)\.md\) \| .+ \|$`)
	index := read(t, filepath.Join(runbooks, "README.md"))
	for _, part := range strings.Split(index, "\n## ")[1:] {
		heading, text, _ := strings.Cut(part, "\n")
		for _, match := range row.FindAllStringSubmatch(text, -1) {
			if got[match[1]] != "" || match[1] != match[2] {
				t.Errorf("README.md lists %s twice, or links it to %s", match[1], match[2])
			}
			got[match[1]] = severities[heading]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the pages (-) and README.md (+) differ:\n%s", diff)
	}
}

func withIndex(t *testing.T) map[string]string {
	t.Helper()
	all := maps.Clone(allRunbooks(t))
	all["README"] = read(t, filepath.Join(runbooks, "README.md"))
	return all
}

// codeOf returns the code blocks of a language, with their continued lines joined.
func codeOf(page, language string) string {
	var found strings.Builder
	for _, match := range regexp.MustCompile("(?ms)^ *```"+language+"\n(.*?)^ *```$").FindAllStringSubmatch(page, -1) {
		found.WriteString(match[1])
	}
	return regexp.MustCompile(`\\\n\s*`).ReplaceAllString(found.String(), "")
}

func TestRunbooksGiveCommands(t *testing.T) {
	t.Parallel()
	for name, page := range allRunbooks(t) {
		_, confirm, _ := strings.Cut(page, "\n## Confirm\n")
		confirm, _, _ = strings.Cut(confirm, "\n## ")
		for _, language := range []string{"bash", "promql"} {
			if codeOf(confirm, language) == "" {
				t.Errorf("%s.md has no %s below Confirm", name, language)
			}
		}
	}
}

// documentedFlags returns the flags of docs/running.md, which is tested against the program, by command.
func documentedFlags(t *testing.T) map[string][]string {
	t.Helper()
	_, section, _ := strings.Cut(read(t, "docs/running.md"), "\n## Flags\n")
	section, _, _ = strings.Cut(section, "\n## ")
	flags := map[string][]string{"check-config": nil}
	for _, part := range strings.Split(section, "\n### ")[1:] {
		heading, table, _ := strings.Cut(part, "\n")
		names := []string{""}
		if quoted := regexp.MustCompile("[a-z-]*`").FindAllString(heading, -1); quoted != nil {
			names = quoted
		}
		for _, match := range regexp.MustCompile("(?m)^\\| `(--[a-z.-]+)`").FindAllStringSubmatch(table, -1) {
			for _, name := range names {
				command := strings.Trim(name, "`")
				flags[command] = append(flags[command], match[1])
			}
		}
	}
	return flags
}

func TestRunbooksUseExistingFlags(t *testing.T) {
	t.Parallel()
	flags := documentedFlags(t)
	call := regexp.MustCompile("(?m)(?:^ *|do |&& |/bin/|`)integra_exporter ([^|&;#>\n`]*)")
	calls := 0
	for name, page := range withIndex(t) {
		page = regexp.MustCompile(`\\\n\s*`).ReplaceAllString(page, "")
		for _, match := range call.FindAllStringSubmatch(page, -1) {
			calls++
			words := strings.Fields(match[1])
			command := ""
			if len(words) > 0 && !strings.HasPrefix(words[0], "-") {
				command = words[0]
			}
			known, found := flags[command]
			if !found {
				t.Errorf("%s.md calls %q, which is no command", name, match[0])
			}
			for _, used := range regexp.MustCompile(`--[a-z.-]+`).FindAllString(match[1], -1) {
				if !slices.Contains(known, used) && !slices.Contains(flags[""], used) {
					t.Errorf("%s.md: %s knows no %s", name, command, used)
				}
			}
		}
	}
	if calls == 0 {
		t.Error("no call found")
	}
}

// What no command of a runbook may do, however late it is.
func TestRunbooksAreSafe(t *testing.T) {
	t.Parallel()
	forbidden := map[string]*regexp.Regexp{
		"skips verification":            regexp.MustCompile(`curl.* (-[a-zA-Z]*k[a-zA-Z]*|--insecure)\b|insecure_skip_verify`),
		"puts a secret on command line": regexp.MustCompile(`-H ["']X-Gravitee-Api-Key|-H ["']Authorization|curl.* (-u|--user) |api-key=`),
		"prints a secret":               regexp.MustCompile(`\b(cat|less|head|echo)\b.*(keys/|\$KEY|\$TOKEN|\$PASSWORD)`),
	}
	personal := regexp.MustCompile(`curl.*(X-Gravitee-Api-Key|Bearer|/lonn/)`)
	for name, page := range withIndex(t) {
		for line := range strings.Lines(codeOf(page, "bash")) {
			for harm, pattern := range forbidden {
				if pattern.MatchString(line) {
					t.Errorf("%s.md %s: %s", name, harm, line)
				}
			}
			if personal.MatchString(line) && !strings.Contains(line, "-o /dev/null") {
				t.Errorf("%s.md shows an answer's body: %s", name, line)
			}
		}
	}
}

func TestRunbooksNameExistingMetrics(t *testing.T) {
	t.Parallel()
	documented := read(t, "docs/metrics.md")
	suffix := regexp.MustCompile(`_bucket$`)
	recorded := regexp.MustCompile(`^target:integra_probe_failures:ratio_rate(5m|30m|1h|2h|6h|1d|3d)$`)
	named := 0
	for name, page := range allRunbooks(t) {
		for _, metric := range regexp.MustCompile(`[a-z0-9_:]*integra_[a-z0-9_:]+`).FindAllString(codeOf(page, "promql"), -1) {
			named++
			if !recorded.MatchString(metric) && !strings.Contains(documented, "`"+suffix.ReplaceAllString(metric, "")+"`") {
				t.Errorf("%s.md queries %s, which is not in docs/metrics.md", name, metric)
			}
		}
	}
	if named < 30 {
		t.Errorf("only %d metrics found in the runbooks", named)
	}
}
