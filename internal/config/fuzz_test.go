package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
)

// FuzzLoad holds that no input makes Load panic, that no secret is in what it
// says, and that what loads loads again with the same targets and versions.
func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("testdata/bad/*.yml")
	for _, file := range append(files, "../../config.example.yml") {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	f.Add([]byte("institutions: {uio: {apis: {a: {key: " + canary + ", request: {path: /}}}}}"))
	f.Add([]byte("institutions: {uio: &u {<<: {title: a}, apis: {a: &a {key: " + canary + ", request: {path: /, body: *x}}, b: *a}}, b: *u}"))
	f.Add([]byte("institutions: {uio: {rabbitmq: [{application: a, password: " + canary + ", url: 'amqp://u:" + canary + "@h'}]}}"))
	dir := f.TempDir()
	shared := probe.NewShared()
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(dir, "config.yml")
		err := os.WriteFile(path, content, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		first, err := Load(path, shared)
		if err != nil {
			var list Faults
			if !errors.As(err, &list) || len(list) == 0 || list[0].Line < 1 || list[0].File == "" {
				t.Fatalf("not a list of faults with places: %v", err)
			}
			if hides(string(content)) && strings.Contains(err.Error(), canary) {
				t.Fatalf("a secret is repeated: %v", err)
			}
			return
		}
		second, err := Load(path, shared)
		if err != nil {
			t.Fatalf("loads once, then: %v", err)
		}
		diff := cmp.Diff(versions(first), versions(second))
		if diff != "" {
			t.Fatal(diff)
		}
	})
}

// hides reports whether the canary stands only where secrets stand: as the whole value of key, password or token.
func hides(content string) bool {
	for _, key := range []string{"key: ", "password: ", "token: "} {
		content = strings.ReplaceAll(content, key+canary, "")
	}
	return !strings.Contains(content, canary)
}

func versions(c *Config) (list []string) {
	for _, check := range c.Checks() {
		list = append(list, fmt.Sprint(check.Target, check.Version))
	}
	for _, r := range c.RabbitMQ {
		list = append(list, fmt.Sprint(r.Target, r.Version))
	}
	return append(list, fmt.Sprint(c.Keys, c.Warnings))
}

// BenchmarkLoad loads 10,000 APIs, a key file each, with their negative tests.
func BenchmarkLoad(b *testing.B) {
	var text strings.Builder
	var keys [][2]string
	text.WriteString("apis:\n")
	for i := range 100 {
		fmt.Fprintf(&text, "  api%d: {title: Number %d, request: {path: /v%d/, headers: {SOAPAction: x}}, expect: {jq: length > 0}}\n", i, i, i)
	}
	text.WriteString("institutions:\n")
	for i := range 100 {
		fmt.Fprintf(&text, "  inst%d:\n    interval: 30s\n    apis:\n", i)
		for j := range 100 {
			fmt.Fprintf(&text, "      api%d: {key_file: keys/%d-%d, key_expires: 2027-03-01}\n", j, i, j)
			keys = append(keys, [2]string{fmt.Sprintf("keys/%d-%d", i, j), "not-a-real-key"})
		}
	}
	path := filepath.Join(write(b, text.String(), keys...), "config.yml")
	shared := probe.NewShared()
	for b.Loop() {
		c, err := Load(path, shared)
		if err != nil || len(c.Checks()) != 20_000 {
			b.Fatal(err)
		}
	}
}
