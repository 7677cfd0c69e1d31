package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// exporter is a program with /probe, in a process of its own.
type exporter struct {
	cmd     *exec.Cmd
	dir     string
	address string
	paths   []string // to ask for, in turn
	next    int
}

// startBlackbox starts blackbox_exporter with a module that asks for what the exporter asks for.
func startBlackbox(ctx context.Context, program string, g *gateway) (*exporter, error) {
	module := fmt.Sprintf(`modules:
  answer:
    prober: http
    timeout: 15s
    http:
      method: GET
      headers: {Accept: application/json, X-Gravitee-Api-Key: %s}
      preferred_ip_protocol: ip4
      enable_http2: false
      follow_redirects: false
      tls_config: {ca_file: %s}
      fail_if_body_not_matches_regexp: ['^\["a+"\]$']
`, exampleKey, g.CAFile)
	return start(ctx, program, module, []string{"/probe?module=answer&target=" + g.URL})
}

// apis is so many that none is asked twice within a second: a result younger than that is not measured anew.
const apis = 3000

// startExporter builds the exporter and starts it so that only /probe drives it.
func startExporter(ctx context.Context, g *gateway) (*exporter, error) {
	program := filepath.Join(g.dir, "integra_exporter")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./cmd/integra_exporter") //nolint:gosec // into a directory of ours
	out, err := build.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	var apiList, keyList strings.Builder
	paths := make([]string, apis)
	for i := range paths {
		fmt.Fprintf(&apiList, "  a%d: {request: {path: /}, unauthenticated: false}\n", i)
		fmt.Fprintf(&keyList, "      a%d: {key: %s}\n", i, exampleKey)
		paths[i] = fmt.Sprintf("/probe?institution=bench&kind=api&target=a%d", i)
	}
	config := fmt.Sprintf("defaults: {gateway: %q, tls: {ca_file: %s}}\napis:\n%sinstitutions:\n  bench:\n    title: Bench\n    apis:\n%s",
		g.URL, g.CAFile, apiList.String(), keyList.String())
	return start(ctx, program, config, paths, "--no-schedule")
}

// start starts program with a configuration, and returns when it answers.
func start(ctx context.Context, program, config string, paths []string, args ...string) (*exporter, error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	e := &exporter{dir: dir, paths: paths}
	file := filepath.Join(dir, "config.yml")
	e.address, err = freeAddress()
	if err == nil {
		err = os.WriteFile(file, []byte(config), 0o600)
	}
	if err == nil {
		args = append(args, "--config.file="+file, "--web.listen-address="+e.address, "--log.level=error")
		e.cmd = exec.CommandContext(ctx, program, args...) //nolint:gosec // what we were told to measure
		e.cmd.Stderr = os.Stderr
		err = startOn(e.cmd, ourProcessor)
	}
	if err == nil {
		err = e.await(ctx)
	}
	if err != nil {
		e.stop()
		return nil, err
	}
	return e, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (e *exporter) pid() int { return e.cmd.Process.Pid }

func (e *exporter) stop() {
	if e.cmd != nil && e.cmd.Process != nil {
		_ = e.cmd.Process.Kill()
		_ = e.cmd.Wait()
	}
	_ = os.RemoveAll(e.dir)
}

// await returns when a probe succeeds.
func (e *exporter) await(ctx context.Context) error {
	var err error
	for range 100 {
		err = e.ask(ctx)
		if err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return err
}

// ask asks for one probe, which must succeed.
func (e *exporter) ask(ctx context.Context) error {
	path := e.paths[e.next%len(e.paths)]
	e.next++
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.address+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && !strings.Contains(string(body), "\nprobe_success 1\n") {
		return errors.New("the probe failed")
	}
	return err
}

// version is what program says of itself.
func version(ctx context.Context, program string) string {
	out, _ := exec.CommandContext(ctx, program, "--version").CombinedOutput()
	_, rest, _ := strings.Cut(string(out), "version ")
	name, rest, _ := strings.Cut(rest, " ")
	_, rest, _ = strings.Cut(rest, "go version:")
	compiler, _, _ := strings.Cut(strings.TrimSpace(rest), "\n")
	return name + ", " + compiler
}
