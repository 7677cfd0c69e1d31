package scale

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	alpha "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1alpha1"
	"sigs.k8s.io/yaml"
)

var fenced = regexp.MustCompile("(?s)```yaml\n# ([^\n]+)\n(.*?)```")

// examples returns the YAML of docs/scaling.md by the comment in its first line.
func examples(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile("../../docs/scaling.md")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, match := range fenced.FindAllStringSubmatch(string(content), -1) {
		found[match[1]] = match[2]
	}
	if n := strings.Count(string(content), "```yaml"); n != len(found) {
		t.Fatalf("%d blocks of YAML, %d with a name of their own", n, len(found))
	}
	return found
}

func example(t *testing.T, name string) string {
	t.Helper()
	text, there := examples(t)[name]
	if !there {
		t.Fatalf("docs/scaling.md has no %q", name)
	}
	return text
}

func write(t *testing.T, path, content string) string {
	t.Helper()
	err := os.WriteFile(path, []byte(content), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Prometheus's own tool reads every file for Prometheus.
func TestPrometheusReadsTheExamples(t *testing.T) {
	checked := 0
	for name, text := range examples(t) {
		check := "config"
		switch {
		case strings.HasPrefix(name, "operator"):
			continue
		case strings.Contains(name, "rules"):
			check = "rules"
		}
		checked++
		file := write(t, filepath.Join(t.TempDir(), "example.yml"), text)
		said, err := exec.CommandContext(t.Context(), "promtool", "check", check, file).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
	}
	if checked < 5 {
		t.Errorf("only %d examples found", checked)
	}
}

// The operator's own types have every field that the examples name.
func TestOperatorHasTheFields(t *testing.T) {
	for name, kinds := range map[string][]any{
		"operator.yml":       {&monitoring.ServiceMonitor{}, &alpha.ScrapeConfig{}},
		"operator-probe.yml": {&monitoring.Probe{}},
	} {
		documents := strings.Split(example(t, name), "\n---\n")
		if len(documents) != len(kinds) {
			t.Fatalf("%s: %d documents, want %d", name, len(documents), len(kinds))
		}
		for i, document := range documents {
			err := yaml.UnmarshalStrict([]byte(document), kinds[i])
			if err != nil {
				t.Errorf("%s, document %d: %v", name, i+1, err)
			}
			said := struct {
				APIVersion string `json:"apiVersion"`
				Kind       string `json:"kind"`
			}{}
			err = yaml.Unmarshal([]byte(document), &said)
			if err != nil || !strings.HasSuffix(typeOf(kinds[i]), said.APIVersion[strings.Index(said.APIVersion, "/")+1:]+"."+said.Kind) {
				t.Errorf("%s, document %d: %s %s is not %s", name, i+1, said.APIVersion, said.Kind, typeOf(kinds[i]))
			}
		}
	}
}
