package config

import (
	"bytes"
	"encoding/json"
	cmdflag "flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

var update = cmdflag.Bool("update", false, "write config.schema.json anew")

// TestSchemaFile holds the published schema against the code. test/schema holds it against files.
func TestSchemaFile(t *testing.T) {
	const file = "../../config.schema.json"
	if *update {
		err := os.WriteFile(file, Schema(), 0o644)
		if err != nil {
			t.Fatal(err)
		}
	}
	published, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(published, Schema()) {
		t.Errorf("config.schema.json is not what the code makes; go test ./internal/config -run SchemaFile -update writes it anew:\n%s",
			cmp.Diff(string(published), string(Schema())))
	}
}

// TestSchemaExplains holds that an editor has a sentence for every key, at every level.
func TestSchemaExplains(t *testing.T) {
	var schema object
	err := json.Unmarshal(Schema(), &schema)
	if err != nil {
		t.Fatal(err)
	}
	if n := unexplained(t, "", schema); n < 140 {
		t.Errorf("%d keys looked at: the test is blind", n)
	}
}

// unexplained tells every key below schema without a sentence, and counts the keys.
func unexplained(t *testing.T, at string, schema object) (keys int) {
	t.Helper()
	properties, _ := schema["properties"].(object)
	for key, value := range properties {
		property := value.(object)
		text, _ := property["description"].(string)
		if !strings.HasSuffix(text, ".") {
			t.Errorf("%s.%s has no description: %q", at, key, text)
		}
		keys += 1 + unexplained(t, at+"."+key, property)
	}
	for _, inner := range []string{"items", "additionalProperties"} {
		below, ok := schema[inner].(object)
		if ok {
			keys += unexplained(t, at+"[]", below)
		}
	}
	return keys
}

// TestSchemaDefaults holds the defaults of the schema against those of docs/configuration.md.
func TestSchemaDefaults(t *testing.T) {
	content, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]string{}
	for _, section := range strings.Split(string(content), "\n## ")[1:] {
		heading, text, _ := strings.Cut(section, "\n")
		want[heading] = map[string]string{}
		for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9_]+)` \\| `([^`|]+)` \\|").FindAllStringSubmatch(text, -1) {
			if row[2] != "application" { // the value of another key
				want[heading][row[1]] = row[2]
			}
		}
	}
	for of, heading := range headings() {
		got := map[string]string{}
		for i := range of.NumField() {
			text, ok := of.Field(i).Tag.Lookup("default")
			if ok {
				got[of.Field(i).Tag.Get("yaml")] = text
			}
		}
		diff := cmp.Diff(want[heading], got)
		if diff != "" {
			t.Errorf("%s: docs/configuration.md (-) and the grammar (+) differ:\n%s", heading, diff)
		}
	}
}

// TestGoodFiles holds that each file under testdata/good loads, and that full.yml has every key.
func TestGoodFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/good/*.yml")
	if err != nil || len(files) < 5 {
		t.Fatalf("%d good files, %v", len(files), err)
	}
	for _, file := range files {
		_, err := Load(file, probe.NewShared())
		if err != nil {
			t.Errorf("%v", err)
		}
	}
	content, err := os.ReadFile("testdata/good/full.yml")
	if err != nil {
		t.Fatal(err)
	}
	for of := range headings() {
		for key := range keysOf(of) {
			either := regexp.MustCompile(`_(file|env)$|^(env|ca_file|cert_file)$`).MatchString(key) || key == "token" || key == "password"
			if !either && !regexp.MustCompile(`\b`+key+`:`).Match(content) {
				t.Errorf("full.yml has no %s of %s", key, of)
			}
		}
	}
}

func headings() map[reflect.Type]string {
	return map[reflect.Type]string{
		reflect.TypeFor[root]():            "Keys of the file",
		reflect.TypeFor[tuning]():          "At every level",
		reflect.TypeFor[tlsFiles]():        "tls",
		reflect.TypeFor[graviteeHeaders](): "gravitee_headers",
		reflect.TypeFor[platform]():        "Addresses",
		reflect.TypeFor[defaults]():        "defaults",
		reflect.TypeFor[institution]():     "institutions.NAME",
		reflect.TypeFor[api]():             "apis.NAME and institutions.NAME.apis.NAME",
		reflect.TypeFor[ownAPI]():          "institutions.NAME.apis.NAME only",
		reflect.TypeFor[request]():         "request",
		reflect.TypeFor[secretHeader]():    "secret_headers",
		reflect.TypeFor[expect]():          "expect",
		reflect.TypeFor[negative]():        "unauthenticated",
		reflect.TypeFor[rabbitmq]():        "rabbitmq",
		reflect.TypeFor[credential]():      "keys",
		reflect.TypeFor[gravitee]():        "gravitee",
	}
}
