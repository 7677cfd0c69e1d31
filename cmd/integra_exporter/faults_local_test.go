package main

import (
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// freeAddress is a port at which nobody listens yet.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// onFullDisk runs the built program with a log that takes no byte, until the test ends.
func onFullDisk(t *testing.T, args ...string) (*served, *exec.Cmd) {
	t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = full.Close() })
	s := &served{ended: make(chan struct{}), address: freeAddress(t)}
	cmd := exec.Command(binary, append(args, "--log.level=debug", "--web.listen-address="+s.address)...)
	cmd.Stderr = full
	err = cmd.Start()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.ended)
		s.failed = cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-s.ended
	})
	return s, cmd
}

// A full disk takes the log, and nothing else: probes, metrics and reload go on, and the end is in order.
func TestLogsOnAFullDisk(t *testing.T) {
	dir, gateway := t.TempDir(), answering(t, wellAnswer)
	config := configure(t, dir, gateway, "a", "b")
	s, cmd := onFullDisk(t, "--config.file="+config)
	testkit.Eventually(t, "an open port", func() bool {
		conn, err := net.Dial("tcp", s.address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	thirdRun := regexp.MustCompile(`(?m)^integra_probe_runs_total\{.*kind="api",target="[ab]"\} [3-9]`)
	testkit.Eventually(t, "three runs of each target", func() bool {
		_, metrics := s.request(t, "GET", "/metrics")
		return len(thirdRun.FindAllString(metrics, -1)) == 2
	})
	configure(t, dir, gateway, "a", "c")
	_ = cmd.Process.Signal(syscall.SIGHUP)
	testkit.Eventually(t, "the target of the new configuration", func() bool {
		_, metrics := s.request(t, "GET", "/metrics")
		return strings.Contains(metrics, `target="c"`)
	})
	_ = cmd.Process.Signal(syscall.SIGTERM)
	<-s.ended
	if s.failed != nil {
		t.Errorf("ended with %v", s.failed)
	}
}
