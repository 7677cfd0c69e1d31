package deploy

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// machine is this one, as it is, with changes that only the test sees: an overlay on its files.
type machine struct{ dir string }

func newMachine(t *testing.T) machine {
	t.Helper()
	m := machine{t.TempDir()}
	for _, part := range []string{"/changes", "/work", "/root"} {
		err := os.Mkdir(m.dir+part, 0o755)
		if err != nil {
			t.Fatal(err)
		}
	}
	// Whoever runs the test may have installed the exporter, and it may run: hence --force.
	m.run(t, `if dpkg -s integra-exporter; then dpkg --no-triggers -P integra-exporter; fi
if getent passwd integra_exporter; then userdel --force integra_exporter; fi
rm -rf /etc/integra_exporter`)
	return m
}

// enter mounts the machine where no other process sees it, and becomes the command in it.
// /run is empty: no command there finds this machine's systemd.
const enter = `set -e
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/changes,workdir=$1/work" "$1/root"
mount -t tmpfs tmpfs "$1/root/run"
mount -t tmpfs tmpfs "$1/root/tmp"
mount --rbind /proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
root=$1/root
shift
exec chroot "$root" "$@"`

// command is one that runs in the machine; its process is the command itself.
func (m machine) command(args ...string) []string {
	private := []string{"unshare", "--mount"}
	if os.Getuid() != 0 {
		private = []string{"unshare", "--user", "--map-root-user", "--map-auto", "--mount"}
	}
	return append(append(private, "sh", "-c", enter, "sh", m.dir), args...)
}

// run runs a script in the machine, which must succeed, and returns what it says.
func (m machine) run(t *testing.T, script string) string {
	t.Helper()
	said, err := m.try(t, script)
	if err != nil {
		t.Fatalf("%s: %v (needs root, or newuidmap)\n%s", script, err, said)
	}
	return strings.TrimSpace(said)
}

// fails runs a script in the machine that must not succeed, and returns what it says.
func (m machine) fails(t *testing.T, script string) string {
	t.Helper()
	said, err := m.try(t, script)
	if err == nil {
		t.Errorf("%s succeeds: %s", script, said)
	}
	return said
}

func (m machine) try(t *testing.T, script string) (string, error) {
	t.Helper()
	command := m.command("sh", "-ec", script)
	said, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput()
	return string(said), err
}

// bring copies a file of this machine to /srv of the other, and returns its path there.
func (m machine) bring(t *testing.T, path, name string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(t, m.dir+"/changes/srv/"+name, string(content))
	return "/srv/" + name
}
