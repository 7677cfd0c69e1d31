package deploy

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// system is a kind of package, with its commands.
type system struct {
	format, install, upgrade, remove string
	left                             string // where removing leaves a configuration that was changed
}

var systems = []system{
	{
		format: "deb", install: "dpkg --no-triggers --force-unsafe-io -i ", upgrade: "dpkg --no-triggers --force-unsafe-io --force-confold -i ",
		remove: "dpkg --no-triggers -r integra-exporter", left: "config.yml",
	},
	// Debian's own packages are not in rpm's database, and the architecture's name is another.
	{
		format: "rpm", install: "rpm --nodeps -i ", upgrade: "rpm --nodeps -U ",
		remove: "rpm --nodeps -e integra-exporter", left: "config.yml.rpmsave",
	},
}

// What is installed, for whom.
const installed = `750 root integra_exporter /etc/integra_exporter
750 root integra_exporter /etc/integra_exporter/conf.d
640 root integra_exporter /etc/integra_exporter/config.yml
750 root integra_exporter /etc/integra_exporter/keys
644 root root /etc/default/integra_exporter
755 root root /usr/bin/integra_exporter
644 root root /usr/lib/systemd/system/integra_exporter.service
644 root root /usr/lib/systemd/system/integra_exporter.socket
644 root root /usr/share/man/man1/integra_exporter.1.gz
644 root root /usr/share/bash-completion/completions/integra_exporter
644 root root /usr/share/doc/integra-exporter/config.example.yml
644 root root /usr/share/integra-exporter/alerts/integra.rules.yml
644 root root /usr/share/integra-exporter/dashboards/overview.json`

const enabled = "/etc/systemd/system/multi-user.target.wants/integra_exporter.service"

func TestPackages(t *testing.T) {
	shipped := read(t, root+"/deploy/package/config.yml")
	for _, s := range systems {
		t.Run(s.format, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			first := m.bring(t, pack(t, s.format, version{"0.1.0", shipped}), "first."+s.format)
			second := m.bring(t, pack(t, s.format, version{"0.2.0", shipped + "# new\n"}), "second."+s.format)

			m.run(t, s.install+first)
			m.hasFiles(t)
			m.acceptsTheUnit(t)
			m.runsTheUnit(t)
			m.upgrades(t, s, second)
			m.removes(t, s)
			m.returns(t, s, first, second)
		})
	}
}

func (m machine) hasFiles(t *testing.T) {
	t.Helper()
	var paths []string
	for line := range strings.Lines(installed) {
		paths = append(paths, strings.Fields(line)[3])
	}
	got := m.run(t, "stat -c '%a %U %G %n' "+strings.Join(paths, " "))
	if diff := cmp.Diff(installed, got); diff != "" {
		t.Errorf("installed (+) and wanted (-) differ:\n%s", diff)
	}
	m.run(t, "test -L "+enabled+`
gzip -dc /usr/share/man/man1/integra_exporter.1.gz | grep '^\.TH integra_exporter 1'
bash -n /usr/share/bash-completion/completions/integra_exporter`)
	got = m.run(t, "getent passwd integra_exporter | cut -d: -f6,7")
	if got != "/nonexistent:/usr/sbin/nologin" {
		t.Errorf("the user has %s", got)
	}
	said := m.run(t, "cd /etc/integra_exporter && setpriv --reuid integra_exporter --regid integra_exporter --init-groups integra_exporter check-config")
	if !strings.Contains(said, "config.yml is usable") {
		t.Error(said)
	}
	said = m.fails(t, "setpriv --reuid nobody --regid nogroup --clear-groups integra_exporter check-config --config.file=/etc/integra_exporter/config.yml")
	if !strings.Contains(said, "permission denied") {
		t.Errorf("nobody reads the configuration: %s", said)
	}
}

// The administrator has changed the configuration and disabled the service: both stay so.
func (m machine) upgrades(t *testing.T, s system, path string) {
	t.Helper()
	m.run(t, `echo '# mine' >>/etc/integra_exporter/config.yml
echo 'ARGS="--log.level=warn"' >/etc/default/integra_exporter
echo secret >/etc/integra_exporter/keys/mine
systemctl disable integra_exporter.service
`+s.upgrade+path)
	said := m.run(t, `grep -c '# mine' /etc/integra_exporter/config.yml; grep -c warn /etc/default/integra_exporter
stat -c '%a %U %G' /etc/integra_exporter/config.yml; test ! -e `+enabled)
	if said != "1\n1\n640 root integra_exporter" {
		t.Errorf("after the upgrade: %s", said)
	}
	m.run(t, "systemctl enable integra_exporter.service integra_exporter.socket && test -L "+enabled)
}

func (m machine) removes(t *testing.T, s system) {
	t.Helper()
	m.run(t, s.remove)
	m.run(t, `test ! -e /usr/bin/integra_exporter; test ! -L `+enabled+`
test ! -L /etc/systemd/system/sockets.target.wants/integra_exporter.socket
grep '# mine' /etc/integra_exporter/`+s.left+`
test -e /etc/integra_exporter/keys/mine; getent passwd integra_exporter`)
}

// A package that was removed is enabled when it is installed again, and an upgrade after that is
// one like any other. One script, as each has a /run of its own.
func (m machine) returns(t *testing.T, s system, first, second string) {
	t.Helper()
	m.run(t, s.upgrade+first+`
test -L `+enabled+`
systemctl disable integra_exporter.service
`+s.upgrade+second+`
test ! -e `+enabled)
	if s.format != "deb" {
		return
	}
	m.run(t, `dpkg --no-triggers -P integra-exporter
test ! -e /etc/integra_exporter/config.yml; test ! -e /etc/default/integra_exporter; test -e /etc/integra_exporter/keys/mine`)
}
