package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"
	"golang.org/x/crypto/bcrypt"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
)

// recognised is a kind of configuration by the keys it may have, and how it is tried.
type recognised struct {
	name string
	keys []string // any of these, and no others
	try  func(t *testing.T, dir string, b block)
}

func kinds() []recognised {
	return []recognised{
		{"the exporter's", []string{"defaults", "include", "apis", "institutions"}, checkConfig},
		{"web configuration", []string{"tls_server_config", "basic_auth_users", "http_server_config", "rate_limit"}, serveWith},
		{"Prometheus", []string{"global", "rule_files", "alerting", "scrape_configs"}, tool("promtool", "check", "config")},
		{"rules", []string{"groups"}, tool("promtool", "check", "rules")},
		{"Alertmanager", []string{"route", "receivers", "inhibit_rules", "templates"}, tool("amtool", "check-config")},
		{"Grafana's provisioning", []string{"apiVersion", "providers"}, provisioning},
		{"the chart's values", []string{"image", "config", "serviceMonitor", "prometheusRule", "dashboards"}, values},
		{"Operator, in test/scale", []string{"apiVersion", "kind", "metadata", "spec"}, onlyIn("docs/scaling.md")},
	}
}

// Every YAML in the documentation is taken by the program it is for.
func TestConfigurations(t *testing.T) {
	for _, b := range blocks(t, documents(t)...) {
		if b.language != "yaml" {
			continue
		}
		t.Run(b.String(), func(t *testing.T) {
			keys := map[string]any{}
			err := yaml.Unmarshal([]byte(b.text), &keys)
			if err != nil {
				t.Fatalf("%s: %v", b, err)
			}
			for _, kind := range kinds() {
				if fits(keys, kind.keys) {
					kind.try(t, furnished(t, b), b)
					return
				}
			}
			t.Errorf("%s: nobody takes a file with these keys: %v", b, keys)
		})
	}
}

func fits(keys map[string]any, known []string) bool {
	for key := range keys {
		if !slices.Contains(known, key) {
			return false
		}
	}
	return len(keys) > 0
}

var named = regexp.MustCompile(`_file: "?(/?[\w./-]+)`)

// furnished returns a directory with every file that a configuration names, as far as its path is relative.
func furnished(t *testing.T, b block) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work")
	err := os.CopyFS(dir, os.DirFS(filepath.Join(os.Getenv(inWorld), "work")))
	if err != nil {
		t.Fatal(err)
	}
	for _, match := range named.FindAllStringSubmatch(b.text, -1) {
		path := filepath.Join(dir, match[1])
		_, err := os.Stat(path)
		if err == nil {
			continue
		}
		from := map[string]string{".pem": "vs.pem", ".key": "vs.key"}[filepath.Ext(path)]
		if from == "" {
			from = "uio-organisasjoner"
		}
		err = copyFile(path, filepath.Join(dir, "keys", from))
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func runs(t *testing.T, dir string, b block, command ...string) {
	t.Helper()
	run := exec.Command(command[0], command[1:]...)
	run.Dir = dir
	said, err := run.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v: %v\n%s", b, command, err, said)
	}
}

func save(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "block.yml")
	err := write(path, text)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func checkConfig(t *testing.T, dir string, b block) {
	absolute := strings.ReplaceAll(b.text, ": /keys/", ": "+dir+"/keys/")
	if !strings.Contains("\n"+absolute, "\napis:") {
		apis, _, _ := strings.Cut(configuration, "institutions:") // those of the pages before
		absolute = apis + absolute
	}
	runs(t, dir, b, "integra_exporter", "check-config", "--config.file="+save(t, dir, absolute))
}

func serveWith(t *testing.T, dir string, b block) {
	hash, err := bcrypt.GenerateFromPassword([]byte("password"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	b.text = strings.ReplaceAll(b.text, "$2y$10$…", string(hash))
	runs(t, dir, b, "timeout", "--foreground", "--preserve-status", "--signal=INT", "2",
		"integra_exporter", "--web.listen-address=127.0.0.1:0", "--web.config.file="+save(t, dir, b.text))
}

// tool tries the block beside what docs/alerts.md installs.
func tool(command ...string) func(*testing.T, string, block) {
	return func(t *testing.T, _ string, b block) {
		runs(t, "/etc/prometheus", b, append(command, save(t, "/etc/prometheus", b.text))...)
	}
}

func onlyIn(file string) func(*testing.T, string, block) {
	return func(t *testing.T, _ string, b block) {
		if b.file != file {
			t.Errorf("%s: nothing tries this here", b)
		}
	}
}

func provisioning(t *testing.T, _ string, b block) {
	var file struct {
		APIVersion int `yaml:"apiVersion"`
		Providers  []struct {
			Name, Folder, Type    string
			OrgID                 int  `yaml:"orgId"`
			DisableDeletion       bool `yaml:"disableDeletion"`
			AllowUIUpdates        bool `yaml:"allowUiUpdates"`
			UpdateIntervalSeconds int  `yaml:"updateIntervalSeconds"`
			Options               struct {
				Path                      string
				FoldersFromFilesStructure bool `yaml:"foldersFromFilesStructure"`
			}
		}
	}
	decoder := yaml.NewDecoder(strings.NewReader(b.text))
	decoder.KnownFields(true)
	err := decoder.Decode(&file)
	if err != nil || len(file.Providers) == 0 || file.Providers[0].Type != "file" || file.Providers[0].Options.Path == "" {
		t.Errorf("%s: %v, %+v", b, err, file)
	}
}

func values(t *testing.T, dir string, b block) {
	chart, err := loader.Load(root + "deploy/helm/integra-exporter")
	if err != nil {
		t.Fatal(err)
	}
	given, err := chartutil.ReadValues([]byte(b.text))
	if err != nil {
		t.Fatal(err)
	}
	_, err = chartutil.ToRenderValues(chart, given, chartutil.ReleaseOptions{}, chartutil.DefaultCapabilities)
	if err != nil {
		t.Errorf("%s: %v", b, err)
	}
	config, err := yaml.Marshal(given["config"])
	if err != nil {
		t.Fatal(err)
	}
	checkConfig(t, dir, block{file: b.file, line: b.line, text: string(config)})
}

// Every query parses: one between two empty lines, or one on each line.
func TestQueries(t *testing.T) {
	for _, b := range blocks(t, documents(t)...) {
		if b.language != "promql" {
			continue
		}
		for _, part := range strings.Split(b.text, "\n\n") {
			whole := parses(part)
			for _, line := range strings.Split(strings.TrimSpace(part), "\n") {
				if whole != nil && parses(line) != nil {
					t.Errorf("%s: %v", b, whole)
					break
				}
			}
		}
	}
}

func parses(query string) error {
	_, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	return err
}
