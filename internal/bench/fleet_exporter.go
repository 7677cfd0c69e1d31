package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// program is the exporter as make build makes it.
func program(ctx context.Context, dir string) (path string, err error) {
	path = filepath.Join(dir, "integra_exporter")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", path, "./cmd/integra_exporter") //nolint:gosec // into a directory of ours
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// ship is an exporter that verifies all APIs of some gateways.
type ship struct {
	cmd     *exec.Cmd
	dir     string
	address string
	begun   time.Time     // when its process was started
	ready   time.Duration // from then until it said that it is ready
}

// launchShip starts the exporter on two processors at most. Each target has a key file of its own.
func launchShip(ctx context.Context, binary string, g *gateways, interval time.Duration) (*ship, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	s := &ship{dir: dir}
	err = s.configure(g, interval)
	if err == nil {
		s.address, err = freeAddress()
	}
	if err == nil {
		s.cmd = exec.CommandContext(ctx, binary, "--config.file="+s.config(), "--web.listen-address="+s.address, //nolint:gosec // what we measure
			"--web.enable-lifecycle", "--log.level=error")
		s.cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
		s.cmd.Stderr = os.Stderr
		s.begun = time.Now()
		err = s.cmd.Start()
	}
	if err == nil {
		err = s.await(ctx)
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *ship) config() string { return filepath.Join(s.dir, "config.yml") }

// configure allows more runs at once than hosts that hang could take: with the
// built-in 64, ten of them with eight places each would take all.
func (s *ship) configure(g *gateways, interval time.Duration) error {
	var b strings.Builder
	fmt.Fprintf(&b, "defaults:\n  interval: %s\n  timeout: %s\n  max_concurrent: 256\n", interval, timeoutFor(interval))
	if g.plan.CAFile != "" {
		fmt.Fprintf(&b, "  tls: {ca_file: %s}\n", g.plan.CAFile)
	}
	b.WriteString("apis:\n")
	for a := range g.plan.APIs {
		fmt.Fprintf(&b, "  api-%d: {request: {path: /%d/}, unauthenticated: false}\n", a, a)
	}
	b.WriteString("institutions:\n")
	for h, url := range g.URLs {
		fmt.Fprintf(&b, "  institution-%d:\n    gateway: %s\n    apis:\n", h, url)
		for a := range g.plan.APIs {
			key := fmt.Sprintf("key-%d-%d", h, a)
			fmt.Fprintf(&b, "      api-%d: {key_file: %s}\n", a, key)
			err := os.WriteFile(filepath.Join(s.dir, key), []byte(exampleKey+"\n"), 0o600)
			if err != nil {
				return err
			}
		}
	}
	return os.WriteFile(s.config(), []byte(b.String()), 0o600)
}

// timeoutFor is shorter than the built-in one: a host that hangs shall cost what it can, and no more than the interval.
func timeoutFor(interval time.Duration) time.Duration { return min(interval, 10*time.Second) }

// await returns when the exporter says that it is ready.
func (s *ship) await(ctx context.Context) error {
	for time.Since(s.begun) < time.Minute {
		resp, err := s.get(ctx, http.MethodGet, "/-/ready", "")
		if err == nil {
			_ = resp.Body.Close()
			s.ready = time.Since(s.begun)
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	return errors.New("the exporter does not become ready")
}

func (s *ship) get(ctx context.Context, method, path, accept string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.address+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	resp, err := http.DefaultClient.Do(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%s: %s", path, resp.Status)
	}
	return resp, err
}

// reload changes one target and returns how long the request to reload took, and what the process used meanwhile.
func (s *ship) reload(ctx context.Context) (wall, processor time.Duration, err error) {
	content, err := os.ReadFile(s.config())
	if err != nil {
		return 0, 0, err
	}
	changed := strings.Replace(string(content), "key_file: key-0-0}", "key_file: key-0-0, title: Changed}", 1)
	err = os.WriteFile(s.config(), []byte(changed), 0o600) //nolint:gosec // in a directory of ours
	if err != nil {
		return 0, 0, err
	}
	used, err := cpuTime(s.pid())
	if err != nil {
		return 0, 0, err
	}
	begun := time.Now()
	resp, err := s.get(ctx, http.MethodPost, "/-/reload", "")
	if err != nil {
		return 0, 0, err
	}
	wall = time.Since(begun)
	_ = resp.Body.Close()
	now, err := cpuTime(s.pid())
	return wall, now - used, err
}

func (s *ship) pid() int { return s.cmd.Process.Pid }

func (s *ship) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
	_ = os.RemoveAll(s.dir)
}
