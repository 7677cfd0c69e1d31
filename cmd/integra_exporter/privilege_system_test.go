//go:build system

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// confine returns the command that runs the program so, as nobody where root runs the test, else as who does.
func confine(program string, args ...string) *exec.Cmd {
	namespaces, as := []string{"--mount"}, "--reuid=65534 --regid=65534 --clear-groups"
	if os.Geteuid() != 0 {
		namespaces, as = []string{"--mount", "--user", "--map-root-user"}, ""
	}
	return exec.Command("unshare", append(append(namespaces, "sh", "-c", fmt.Sprintf(confined, as), program), args...)...)
}

// It needs no capability, no right but to read its files, and nowhere to write.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	dir := public(t)
	gateway := &counting{seen: map[string]int{}}
	config := configure(t, dir, answering(t, gateway.ServeHTTP), "a", "b", "c")
	program := filepath.Join(dir, "exporter")
	err := os.WriteFile(program, []byte(readFile(t, binary)), 0o755)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{program, config, filepath.Join(dir, "key")} {
		mode := map[bool]os.FileMode{true: 0o755, false: 0o644}[path == program]
		err := os.Chmod(path, mode)
		if err != nil {
			t.Fatal(err)
		}
	}
	cmd := confine(program, "--config.file="+config, "--web.listen-address=127.0.0.1:0")
	cmd.Dir, cmd.Env = dir, []string{"PATH=" + os.Getenv("PATH"), "GOMEMLIMIT=64MiB"}
	s := observe(t, cmd)
	b := server{s, gateway}
	b.keepsProbing(t)
	status := readFile(t, fmt.Sprintf("/proc/%d/status", cmd.Process.Pid)) // unshare and sh have become the program
	for _, want := range []string{"CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1"} {
		if !strings.Contains(status, want+"\n") {
			t.Errorf("not confined, want %s in\n%s", want, status)
		}
	}
	if os.Geteuid() == 0 && !strings.Contains(status, "Uid:\t65534\t65534\t65534\t65534\n") {
		t.Errorf("it runs as root:\n%s", status)
	}
	if limit := b.metrics(t)["go_gc_gomemlimit_bytes"]; limit != 64<<20 {
		t.Errorf("the memory limit is %v, want that of GOMEMLIMIT", limit)
	}
	const loose = "key_file: every user of this machine may read or change "
	if !strings.Contains(s.err.String(), loose) {
		t.Errorf("no warning of the key's mode:\n%s", s.err)
	}
	s.stop()
	<-s.ended
	if s.failed != nil {
		t.Errorf("it ended with %v:\n%s", s.failed, s.err)
	}
}

// confined makes every file system read-only, in a mount namespace of its own, checks that it has, and runs its
// arguments without any capability and without a way to gain one. %s says as whom.
const confined = `set -e
mount --make-rprivate /
while read -r _ at _; do mount -o remount,bind,ro "$at" 2>/dev/null || true; done </proc/self/mounts
for at in / /tmp /dev/shm "$PWD" "$(dirname "$0")"; do ! touch "$at/written" 2>/dev/null || { echo "$at can be written to" >&2; exit 3; }; done
exec setpriv %s --no-new-privs --bounding-set=-all --inh-caps=-all "$0" "$@"`

// public returns a directory that every user can enter, which t.TempDir need not be.
func public(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", program)
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
