// Package kubernetes_test renders the Helm chart as Helm does, decodes what
// comes out strictly into the types of Kubernetes and the Prometheus Operator,
// and keeps deploy/kubernetes the same as the chart. No cluster was asked.
package kubernetes_test

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/yaml"
)

const root = "../../"

var update = flag.Bool("update", false, "write deploy/kubernetes anew from the chart")

// render returns the documents that the chart makes of values, in the order of their file names.
func render(t *testing.T, values string) ([]string, error) {
	t.Helper()
	chart, err := loader.Load(root + "deploy/helm/integra-exporter")
	if err != nil {
		t.Fatal(err)
	}
	var given chartutil.Values
	err = yaml.UnmarshalStrict([]byte(values), &given)
	if err != nil {
		t.Fatal(err)
	}
	release := chartutil.ReleaseOptions{Name: "integra-exporter", Namespace: "monitoring", IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, given, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Engine{Strict: true}.Render(chart, all)
	if err != nil {
		return nil, err
	}
	var documents []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, document := range strings.Split("\n"+files[name], "\n---\n") {
			if strings.TrimSpace(document) != "" && filepath.Ext(name) == ".yaml" {
				documents = append(documents, strings.TrimSpace(document)+"\n")
			}
		}
	}
	return documents, nil
}

// everything switches on all that the chart has, but for what excludes each other.
const everything = `
serviceMonitor: {enabled: true, labels: {release: prometheus}}
prometheusRule: {enabled: true, labels: {release: prometheus}, grafana: https://grafana.uio.no}
dashboards: {enabled: true}
podAnnotations: {example.no/owner: integrasjon}
imagePullSecrets: [{name: registry}]
nodeSelector: {kubernetes.io/os: linux}
tolerations: [{key: dedicated, operator: Exists}]
affinity: {podAntiAffinity: {}}
extraArgs: [--web.enable-lifecycle]
`

// The manifests for who has no Helm are the chart's, rendered.
func TestPlainManifests(t *testing.T) {
	for file, values := range map[string]string{
		"integra-exporter.yaml":    "{}",
		"prometheus-operator.yaml": "{serviceMonitor: {enabled: true}, prometheusRule: {enabled: true}}",
	} {
		documents, err := render(t, values)
		if err != nil {
			t.Fatal(err)
		}
		if file != "integra-exporter.yaml" {
			documents = slices.DeleteFunc(documents, func(d string) bool { return !strings.Contains(d, "apiVersion: monitoring.coreos.com/") })
		}
		want := []byte("# Made of deploy/helm by: cd test && go test ./kubernetes -update\n" + strings.Join(documents, "---\n"))
		want = bytes.ReplaceAll(want, []byte("managed-by: Helm"), []byte("managed-by: kubectl"))
		path := root + "deploy/kubernetes/" + file
		if *update {
			err = os.WriteFile(path, want, 0o600)
			if err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the chart makes (%v): cd test && go test ./kubernetes -update", path, err)
		}
	}
}

// The chart has every dashboard and rule of the repository, and they are the same files.
func TestChartSharesItsFiles(t *testing.T) {
	var want []string
	for _, pattern := range []string{"dashboards/[^p]*.json", "alerts/*.rules.yml"} {
		found, err := filepath.Glob(root + pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(found), err)
		}
		want = append(want, found...)
	}
	for _, path := range want {
		link := root + "deploy/helm/integra-exporter/files/" + filepath.Base(path)
		target, err := os.Readlink(link)
		if err != nil || filepath.Join(filepath.Dir(link), target) != filepath.Clean(path) {
			t.Errorf("%s does not lead to %s: %q, %v", link, path, target, err)
		}
	}
	there, err := filepath.Glob(root + "deploy/helm/integra-exporter/files/*")
	if err != nil || len(there) != len(want) {
		t.Errorf("the chart has %d files, the repository %d", len(there), len(want))
	}
}
