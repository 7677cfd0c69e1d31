package deploy

import (
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	_ "github.com/goreleaser/nfpm/v2/rpm"
	"go.yaml.in/yaml/v3"
)

// recipe is how GoReleaser makes a package, in the words of nfpm, the library that it makes it with.
type recipe map[string]any

// packages returns the recipe in .goreleaser.yml.
func packages(t *testing.T) recipe {
	t.Helper()
	var release struct{ NFPMs []recipe }
	err := yaml.Unmarshal([]byte(read(t, root+"/.goreleaser.yml")), &release)
	if err != nil || len(release.NFPMs) != 1 {
		t.Fatalf("%d recipes for packages in .goreleaser.yml (%v)", len(release.NFPMs), err)
	}
	r := release.NFPMs[0]
	r["name"] = r["package_name"]
	for _, override := range r["overrides"].(recipe) {
		override := override.(recipe)
		override["depends"] = override["dependencies"]
		delete(override, "dependencies")
	}
	for _, own := range []string{"package_name", "formats", "bindir", "mtime"} {
		delete(r, own) // of GoReleaser
	}
	return r
}

// version is one that a package is made of.
type version struct {
	number string
	config string // the configuration that comes with it
}

// pack makes a package with GoReleaser's library, and returns where it is.
func pack(t *testing.T, format string, v version) string {
	t.Helper()
	dir := t.TempDir()
	generated := filepath.Join(dir, "generated")
	output(t, root+"/scripts/package-files", exporter(t), generated)
	config := filepath.Join(dir, "config.yml")
	write(t, config, v.config)

	r := packages(t)
	maps.Copy(r, recipe{"version": v.number, "arch": runtime.GOARCH, "platform": "linux"})
	source := strings.NewReplacer("deploy/package/generated", generated, "deploy/package/config.yml", config)
	contents := []any{recipe{"src": exporter(t), "dst": "/usr/bin/integra_exporter"}}
	for _, content := range r["contents"].([]any) {
		content := content.(recipe)
		src, ok := content["src"].(string)
		if ok {
			content["src"] = fromRoot(source.Replace(src))
		}
		contents = append(contents, content)
	}
	r["contents"] = contents
	for name, path := range r["scripts"].(recipe) {
		r["scripts"].(recipe)[name] = fromRoot(path.(string))
	}
	return r.build(t, format, filepath.Join(dir, "integra-exporter."+format))
}

func fromRoot(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(root, path)
}

func (r recipe) build(t *testing.T, format, path string) string {
	t.Helper()
	text, err := yaml.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	config, err := nfpm.Parse(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	info, err := config.Get(format)
	if err != nil {
		t.Fatal(err)
	}
	packager, err := nfpm.Get(format)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	err = packager.Package(nfpm.WithDefaults(info), file)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
