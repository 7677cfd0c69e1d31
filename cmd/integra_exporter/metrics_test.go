package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// series are the samples of a scrape, by name and labels as they are written.
type series map[string]float64

func (s *served) metrics(t *testing.T) series {
	t.Helper()
	status, body := s.request(t, "GET", "/metrics")
	if status != 200 {
		t.Fatalf("/metrics: %d\n%s", status, body)
	}
	samples := series{}
	for line := range strings.Lines(body) {
		name, value, ok := cutLast(strings.TrimSpace(line), " ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("not a sample: %s", line)
		}
		samples[name] = number
	}
	return samples
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// of returns the series of a family that belong to a target of uio.
func of(family, target string) string {
	return family + `{institution="uio",kind="api",target="` + target + `"}`
}

// family returns the samples of one name.
func (s series) family(name string) series {
	found := series{}
	for key, value := range s {
		if key == name || strings.HasPrefix(key, name+"{") {
			found[key] = value
		}
	}
	return found
}

// mentions says whether any series is about target.
func (s series) mentions(target string) bool {
	for key := range s {
		if strings.Contains(key, `target="`+target+`"`) {
			return true
		}
	}
	return false
}

// reasons returns layer and reason of what fails now, by institution, kind and target.
func (s series) reasons() map[string]string {
	found := map[string]string{}
	for key := range s.family("integra_probe_failure_info") {
		labels := regexp.MustCompile(`institution="(.*)",kind="(.*)",layer="(.*)",reason="(.*)",target="(.*)"`).FindStringSubmatch(key)
		found[labels[1]+" "+labels[2]+" "+labels[5]] = labels[3] + " " + labels[4]
	}
	return found
}

// documentedFamilies are the names in the tables of docs/metrics.md, which collector holds against the contract.
func documentedFamilies(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, match := range regexp.MustCompile("(?m)^\\| `(integra_\\w+)` \\| (\\w+)").FindAllStringSubmatch(string(content), -1) {
		name := match[1]
		if match[2] == "histogram" {
			name += "_count"
		}
		names = append(names, name)
	}
	if len(names) < 38 {
		t.Fatalf("only %d families in docs/metrics.md", len(names))
	}
	return names
}
