package bench

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// program is a running exporter, ours or another, in a process of its own.
type program struct {
	address string
	pid     int
	started time.Time
}

// build builds the exporter as make build does, and returns its path.
func build(b *testing.B) string {
	b.Helper()
	binary := filepath.Join(b.TempDir(), "integra_exporter")
	command := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", binary, "./cmd/integra_exporter")
	command.Dir = filepath.Join("..", "..")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := command.CombinedOutput()
	if err != nil {
		b.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// start starts an exporter with a configuration until the benchmark ends. Files named there are in dir.
func start(b *testing.B, binary, dir, config string, processors int, args ...string) *program {
	b.Helper()
	file := filepath.Join(dir, "config.yml")
	err := os.WriteFile(file, []byte(config), 0o600)
	if err != nil {
		b.Fatal(err)
	}
	p := &program{address: freeAddress(b), started: time.Now()}
	args = append(args, "--config.file="+file, "--web.listen-address="+p.address, "--log.level=error")
	cmd := exec.Command(binary, args...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("GOMAXPROCS=%d", processors))
	cmd.Stderr = os.Stderr
	err = cmd.Start()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	p.pid = cmd.Process.Pid
	return p
}

func freeAddress(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await returns once path is answered with 200: both exporters have /-/healthy, and ours /-/ready.
func (p *program) await(b *testing.B, path string) {
	b.Helper()
	for time.Since(p.started) < time.Minute {
		answer, err := p.get(b.Context(), path)
		if err == nil {
			_ = answer.Close()
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	b.Fatalf("%s is not answered", path)
}

// prober returns a function that asks for one probe, which must succeed, at these paths in turn.
func (p *program) prober(paths ...string) func(ctx context.Context) error {
	next := 0
	return func(ctx context.Context) error {
		path := paths[next%len(paths)]
		next++
		answer, err := p.get(ctx, path)
		if err != nil {
			return err
		}
		defer answer.Close()
		text, err := io.ReadAll(answer)
		if err == nil && !strings.Contains(string(text), "\nprobe_success 1\n") {
			return fmt.Errorf("%s: the probe failed", path)
		}
		return err
	}
}

// get returns the body of an answer whose status is 200; the caller closes it.
func (p *program) get(ctx context.Context, path string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.address+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		return nil, fmt.Errorf("%s: %s", path, response.Status)
	}
	return response.Body, nil
}
