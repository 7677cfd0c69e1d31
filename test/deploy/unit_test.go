package deploy

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

const unitFile = "/deploy/systemd/integra_exporter.service"

// exposure is ten times what systemd-analyze may reckon at most, of 100.
const exposure = 15

// acceptsTheUnit lets systemd read the units where the package has them, with the program and its man page.
func (m machine) acceptsTheUnit(t *testing.T) {
	t.Helper()
	said := m.run(t, `cd /usr/lib/systemd/system
systemd-analyze verify --recursive-errors=no ./integra_exporter.service ./integra_exporter.socket`)
	if said != "" {
		t.Error(said)
	}
	m.run(t, fmt.Sprintf("systemd-analyze security --offline=true --threshold=%d /usr/lib/systemd/system/integra_exporter.service", exposure))
}

// setting is the value of a key of the unit, which must be there once.
func setting(t *testing.T, key string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^`+key+`=(.*)$`).FindAllStringSubmatch(read(t, root+unitFile), -1)
	if len(found) != 1 {
		t.Fatalf("%s stands in the unit %d times", key, len(found))
	}
	return found[0][1]
}

var listening = regexp.MustCompile(`Listening on.*address=127\.0\.0\.1:\d+`)

// runsTheUnit does what systemd would: it starts ExecStart as the unit's user, without any
// right, in its directory, with ARGS of its environment file; and reloads it.
func (m machine) runsTheUnit(t *testing.T) {
	t.Helper()
	const args = "--web.listen-address=127.0.0.1:0"
	write(t, m.dir+"/changes/srv/default", `ARGS="`+args+`"`)
	if setting(t, "LimitCORE") != "0" {
		t.Error("a core dump holds the keys")
	}
	if setting(t, "EnvironmentFile") != "-/etc/default/integra_exporter" || setting(t, "ExecReload") != "/bin/kill -HUP $MAINPID" {
		t.Error("this test does not do what the unit says")
	}
	m.run(t, "cp /srv/default /etc/default/integra_exporter")
	start := strings.Fields(strings.ReplaceAll(setting(t, "ExecStart"), "$ARGS", args))
	command := m.command(append([]string{
		"env", "-i", "--chdir=" + setting(t, "WorkingDirectory"),
		"setpriv", "--reuid=" + setting(t, "User"), "--regid=" + setting(t, "Group"), "--init-groups",
		"--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
	}, start...)...)
	service, said := launch(t, command[0], command[1:]...)
	eventually(t, "the service to listen", func() string {
		if listening.MatchString(said.String()) {
			return ""
		}
		return "it said " + said.String()
	})
	status := read(t, fmt.Sprintf("/proc/%d/status", service.Process.Pid))
	uid := strings.Fields(m.run(t, "id -u integra_exporter"))[0]
	for _, line := range []string{"Name:\tintegra_exporte\n", "Uid:\t" + uid + "\t", "CapBnd:\t0000000000000000\n", "NoNewPrivs:\t1\n"} {
		if os.Getuid() == 0 && !strings.Contains(status, line) {
			t.Errorf("no %q in %s", line, status)
		}
	}

	_ = service.Process.Signal(syscall.SIGHUP)
	eventually(t, "the reload", func() string {
		if strings.Count(said.String(), `msg="configuration loaded"`) == 2 {
			return ""
		}
		return "it said " + said.String()
	})
	_ = service.Process.Signal(syscall.SIGTERM)
	_ = service.Wait()
	if service.ProcessState.ExitCode() != 0 {
		t.Errorf("it ended with %v", service.ProcessState)
	}
}
