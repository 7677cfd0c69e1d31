package deploy

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/prometheus/config"
	"go.yaml.in/yaml/v3"
)

// Prometheus 3's own parser reads the file, and Debian's promtool all but the two lines on
// native histograms, which Prometheus 2 does not know; it also reads the rules, where the
// container has them.
func TestPrometheus(t *testing.T) {
	_, err := config.Load(read(t, filepath.Join(composeDir, "prometheus.yml")), promslog.NewNopLogger())
	if err != nil {
		t.Error(err)
	}
	dir := filepath.Join(inContainer(t, "prometheus"), "etc/prometheus")
	var lines []string
	for line := range strings.Lines(read(t, filepath.Join(dir, "prometheus.yml"))) {
		if !strings.Contains(line, "_histograms: true") {
			lines = append(lines, line)
		}
	}
	write(t, filepath.Join(dir, "prometheus2.yml"), strings.Join(lines, ""))
	said := output(t, "promtool", "check", "config", filepath.Join(dir, "prometheus2.yml"))
	for _, want := range []string{"2 rule files found", "integra.rules.yml\n  SUCCESS", "integra-reasons.rules.yml\n  SUCCESS"} {
		if !strings.Contains(said, want) {
			t.Errorf("promtool does not say %q:\n%s", want, said)
		}
	}
}

func TestAlertmanager(t *testing.T) {
	file := filepath.Join(inContainer(t, "alertmanager"), "etc/alertmanager/alertmanager.yml")
	said := output(t, "amtool", "check-config", file)
	if !strings.Contains(said, "SUCCESS") {
		t.Error(said)
	}
}

// What Grafana's documents list of its provisioning files, so far as these need it.
type datasources struct {
	APIVersion  int `yaml:"apiVersion"`
	Datasources []struct {
		Name, Type, URL string
		IsDefault       bool           `yaml:"isDefault"`
		JSONData        map[string]any `yaml:"jsonData"`
	}
}

type dashboardProviders struct {
	APIVersion int `yaml:"apiVersion"`
	Providers  []struct {
		Name, Folder, Type string
		AllowUIUpdates     bool `yaml:"allowUiUpdates"`
		Options            struct{ Path string }
	}
}

func strictly(t *testing.T, path string, into any) {
	t.Helper()
	decoder := yaml.NewDecoder(bytes.NewReader([]byte(read(t, path))))
	decoder.KnownFields(true)
	err := decoder.Decode(into)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func TestGrafana(t *testing.T) {
	dir := inContainer(t, "grafana")
	var sources datasources
	strictly(t, filepath.Join(dir, "etc/grafana/provisioning/datasources/integra.yml"), &sources)
	var providers dashboardProviders
	strictly(t, filepath.Join(dir, "etc/grafana/provisioning/dashboards/integra.yml"), &providers)
	var prometheus struct {
		Global struct {
			Interval string `yaml:"scrape_interval"`
		}
	}
	err := yaml.Unmarshal([]byte(read(t, filepath.Join(composeDir, "prometheus.yml"))), &prometheus)
	if err != nil {
		t.Fatal(err)
	}
	first := sources.Datasources[0]
	if !first.IsDefault || first.Type != "prometheus" || first.JSONData["timeInterval"] != prometheus.Global.Interval {
		t.Errorf("the data source is %+v, scraped every %s", first, prometheus.Global.Interval)
	}

	path := filepath.Join(dir, providers.Providers[0].Options.Path)
	files, err := filepath.Glob(filepath.Join(path, "*.json"))
	if err != nil || len(files) != 5 {
		t.Fatalf("%d dashboards in %s (%v)", len(files), path, err)
	}
	for _, file := range files {
		var dashboard struct{ UID, Title string }
		err := json.Unmarshal([]byte(read(t, file)), &dashboard)
		if err != nil || dashboard.UID == "" {
			t.Errorf("%s: %+v, %v", file, dashboard, err)
		}
	}
	home := project(t).Services["grafana"].Environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
	read(t, filepath.Join(dir, *home))
}
