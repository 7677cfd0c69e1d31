// Package schema_test holds config.schema.json against files that the exporter takes and refuses.
package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

const testdata = "../../internal/config/testdata"

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	schema, err := compiler.Compile("../../config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// refusal says why an editor with schema underlines something in a file, nil if it does not.
func refusal(schema *jsonschema.Schema, content []byte) error {
	value, err := parsed(content)
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// parsed returns what an editor hands to the schema.
func parsed(content []byte) (any, error) {
	var document yaml.Node
	err := yaml.Unmarshal(content, &document)
	if err != nil {
		return nil, err
	}
	var value any
	plain(&document, map[*yaml.Node]bool{})
	err = document.Decode(&value)
	return jsonOf(value), err
}

// plain makes text of what YAML 1.2 has no type for. Editors have none either.
func plain(n *yaml.Node, seen map[*yaml.Node]bool) {
	if seen[n] {
		return
	}
	seen[n] = true
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!timestamp" {
		n.Tag = "!!str"
	}
	for _, below := range n.Content {
		plain(below, seen)
	}
}

// jsonOf makes text of every key, as editors do.
func jsonOf(value any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = jsonOf(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = jsonOf(v[key])
		}
	case map[any]any:
		result := map[string]any{}
		for key := range v {
			result[fmt.Sprint(key)] = jsonOf(v[key])
		}
		return result
	}
	return value
}

// TestGoodFiles holds that nothing is underlined in a configuration that the exporter takes.
func TestGoodFiles(t *testing.T) {
	schema := compiled(t)
	platform, err := demo.Start(demo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = platform.Close() })
	written, err := platform.WriteConfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"../../config.example.yml", "../../cmd/integra_exporter/testdata/discover.yml", written}
	for _, pattern := range []string{testdata + "/good/*.yml", testdata + "/good/conf.d/*.yml", "../../deploy/*/config.yml", "../../deploy/*/config/config.yml"} {
		matches, err := filepath.Glob(pattern)
		if err != nil || len(matches) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(matches), err)
		}
		files = append(files, matches...)
	}
	for _, file := range files {
		err := refusal(schema, read(t, file))
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestBadFiles holds that something is underlined in every file that the exporter refuses, but
// for those whose fault a schema cannot see, and that these are no more than they must be.
func TestBadFiles(t *testing.T) {
	schema := compiled(t)
	files, err := filepath.Glob(testdata + "/bad/*.yml")
	if err != nil || len(files) < 100 {
		t.Fatalf("%d bad files, %v", len(files), err)
	}
	unseen := map[string]bool{}
	for _, names := range invisible() {
		for _, name := range names {
			unseen[name] = true
		}
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yml")
		err := refusal(schema, read(t, file))
		if (err == nil) != unseen[name] {
			t.Errorf("%s: the schema says %v, and a schema cannot see the fault: %t", name, err, unseen[name])
		}
		delete(unseen, name)
	}
	for name := range unseen {
		t.Errorf("%s is no file", name)
	}
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
