package kubernetes_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
)

// The schema refuses what would only be seen in the cluster.
func TestBadValues(t *testing.T) {
	for values, want := range map[string]string{
		"{replica: 2}":                                   "replica",
		"{replicas: two}":                                "replicas",
		"{image: {tagg: x}}":                             "tagg",
		"{image: {digest: 'sha256:abc'}}":                "digest",
		"{config: {institution: {}}}":                    "institution",
		"{config: {institutions: null}}":                 "institutions",
		"{config: {include: [x]}}":                       "include",
		"{keysSecret: Keys_1}":                           "keysSecret",
		"{schedule: 'no'}":                               "schedule",
		"{logLevel: verbose}":                            "logLevel",
		"{extraArgs: [-x]}":                              "extraArgs",
		"{service: {port: 0}}":                           "port",
		"{goMemoryLimit: 200MB}":                         "goMemoryLimit",
		"{serviceMonitor: {interval: 15}}":               "interval",
		"{prometheusRule: {grafana: grafana.uio.no}}":    "grafana",
		"{dashboards: {labels: {grafana_dashboard: 1}}}": "grafana_dashboard",
		"{networkPolicy: {egressPorts: ['443']}}":        "egressPorts",
		"{scrapeConfig: {enabled: true}}":                "schedule: false",
	} {
		_, err := render(t, values)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error about %q", values, err, want)
		}
	}
}

// The default configuration, and the arguments, are such as the exporter takes.
func TestExporterTakesTheDefaults(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "integra_exporter")
	build := exec.Command("go", "build", "-o", program, "./cmd/integra_exporter")
	build.Dir = root
	said, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	documents, err := render(t, "{}")
	if err != nil {
		t.Fatal(err)
	}
	_, _, object := decode(t, documents[0])
	text := strings.ReplaceAll(object.(*core.ConfigMap).Data["config.yml"], "/keys/", dir+"/")
	config := filepath.Join(dir, "config.yml")
	for path, content := range map[string]string{config: text, filepath.Join(dir, "uio-organisasjoner"): "key"} {
		err = os.WriteFile(path, []byte(content), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	said, err = exec.Command(program, "check-config", "--config.file="+config).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, said)
	}
	args := append([]string{"serve", "--help"}, deploymentOf(t, everything).Spec.Template.Spec.Containers[0].Args...)
	said, err = exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %v\n%s", args, err, said)
	}
}

// The alerts' links lead to the given Grafana, and nothing of Helm's language is left or was eaten in the rules.
func TestRulesAreTheFiles(t *testing.T) {
	documents, err := render(t, "{prometheusRule: {enabled: true, grafana: https://grafana.uio.no}}")
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(documents, "")
	rules, err := os.ReadFile(root + "alerts/integra.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(all, "grafana.example.no") || !strings.Contains(all, "https://grafana.uio.no/d/") {
		t.Error("the alerts do not lead to the given Grafana")
	}
	for _, part := range []string{"{{", "alert: ", "record: "} {
		want := strings.Count(string(rules), part)
		got := strings.Count(all, part)
		if got < want || want == 0 {
			t.Errorf("%d times %q in the rules, %d in the chart's", want, part, got)
		}
	}
}
