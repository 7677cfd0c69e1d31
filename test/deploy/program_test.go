// Package deploy holds deploy/ and .goreleaser.yml against what reads them.
package deploy

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// root is the repository's.
const root = "../.."

// patience is how long a test waits on a machine that is busy.
const patience = 90 * time.Second

// built is the exporter as a release has it, built once, and where it lies.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "deploy-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "integra_exporter")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./cmd/integra_exporter")
	cmd.Dir, cmd.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return path, cmd.Run()
})

func TestMain(m *testing.M) {
	code := m.Run()
	path, _ := built()
	_ = os.RemoveAll(filepath.Dir(path))
	os.Exit(code)
}

func exporter(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatalf("go build: %v", err)
	}
	return path
}

// output runs a program, which must be there and must succeed.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	said, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v (is it there? scripts/install-tools test deploy)\n%s", program, strings.Join(args, " "), err, said)
	}
	return string(said)
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func write(t *testing.T, path, content string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err != nil {
		t.Fatal(err)
	}
	err = os.WriteFile(path, []byte(content), 0o644)
	if err != nil {
		t.Fatal(err)
	}
}

// launch starts a program that ends with the test; what it says is shown if the test fails.
func launch(t *testing.T, program string, args ...string) (*exec.Cmd, *transcript) {
	t.Helper()
	said := &transcript{}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = said, said
	err := cmd.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", program, said)
		}
	})
	return cmd, said
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

// eventually waits until missing returns nothing.
func eventually(t *testing.T, what string, missing func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		left := missing()
		if left == "" {
			return
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s: %s", what, left)
		}
	}
}
