// Package scale holds docs/scaling.md against a real Prometheus.
package scale

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits on a machine that is busy.
const patience = 90 * time.Second

func typeOf(value any) string {
	kind := reflect.TypeOf(value).Elem()
	return filepath.Base(kind.PkgPath()) + "." + kind.Name()
}

// transcript is what a program writes, while it writes.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (tr *transcript) Write(p []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.Write(p)
}

func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.String()
}

// launch runs a program until the test ends.
func launch(t *testing.T, name string, args ...string) *transcript {
	t.Helper()
	said := &transcript{}
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = said, said
	err := cmd.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			lines := strings.Split(said.String(), "\n")
			t.Logf("%s said last:\n%s", name, strings.Join(lines[max(0, len(lines)-20):], "\n"))
		}
	})
	return said
}

// eventually waits until missing returns nothing.
func eventually(t *testing.T, what string, missing func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		left := missing()
		if left == "" {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s: %s", what, left)
		}
	}
}

var listening = regexp.MustCompile(`Listening on.*address"?[=:]"?(127\.0\.0\.1:\d+)`)

// startDemo builds the exporter, runs its demo with args, and returns its address.
func startDemo(t *testing.T, args ...string) (address string) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "integra_exporter")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/integra_exporter")
	build.Dir = filepath.Join("..", "..")
	out, err := build.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	said := launch(t, binary, append([]string{"demo", "--web.listen-address=127.0.0.1:0"}, args...)...)
	eventually(t, "the demo's port", func() string {
		match := listening.FindStringSubmatch(said.String())
		if match == nil {
			return "it said " + said.String()
		}
		address = match[1]
		return ""
	})
	return address
}

// prometheus is a running one.
type prometheus struct{ address string }

// startPrometheus runs Debian's Prometheus with config, which names the exporter at address as the documents do.
func startPrometheus(t *testing.T, config, address string) prometheus {
	t.Helper()
	dir := t.TempDir()
	config = "global: {scrape_interval: 2s, evaluation_interval: 1s}\nrule_files: [rules.yml]\n" +
		strings.ReplaceAll(config, "integra-exporter:10056", address)
	write(t, filepath.Join(dir, "prometheus.yml"), config)
	rules := example(t, "blackbox.rules.yml")
	hurried := strings.Replace(rules, "for: 1m", "for: 1s", 1)
	if hurried == rules {
		t.Fatal("the rules do not wait for a minute")
	}
	write(t, filepath.Join(dir, "rules.yml"), hurried)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := prometheus{listener.Addr().String()}
	_ = listener.Close()
	launch(t, "prometheus", "--config.file="+filepath.Join(dir, "prometheus.yml"), "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+p.address, "--log.level=warn")
	return p
}

// get reads JSON from an address.
func get(ctx context.Context, address string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// sample is one series of an instant query.
type sample struct {
	Labels map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
}

// query returns what an instant query finds; nothing while Prometheus does not answer.
func (p prometheus) query(t *testing.T, promql string) []sample {
	t.Helper()
	var answer struct {
		Data struct {
			Result []sample `json:"result"`
		} `json:"data"`
	}
	err := get(t.Context(), "http://"+p.address+"/api/v1/query?query="+url.QueryEscape(promql), &answer)
	if err != nil {
		return nil
	}
	return answer.Data.Result
}

func TestMain(m *testing.M) {
	for _, program := range []string{"prometheus", "promtool"} {
		_, err := exec.LookPath(program)
		if err != nil {
			panic(program + " is missing: run scripts/install-tools test")
		}
	}
	os.Exit(m.Run())
}
