package deploy

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// block returns the first block of a language in a chapter of docs/deploy.md.
func block(t *testing.T, chapter, language string) string {
	t.Helper()
	_, text, found := strings.Cut(read(t, root+"/docs/deploy.md"), "\n## "+chapter+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	match := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(text)
	if !found || match == nil {
		t.Fatalf("docs/deploy.md has no %s under %s", language, chapter)
	}
	return match[1]
}

// asRoot returns what the blocks of docs/deploy.md tell root to type, each without its prompts.
func asRoot(t *testing.T) (installation, socket, install, key string) {
	t.Helper()
	var blocks []string
	for _, match := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(read(t, root+"/docs/deploy.md"), -1) {
		if strings.Contains("\n"+match[1], "\n# ") {
			blocks = append(blocks, regexp.MustCompile(`(?m)^# `).ReplaceAllString(match[1], ""))
		}
	}
	if len(blocks) != 4 {
		t.Fatalf("%d blocks for root: which test runs the new one?\n%s", len(blocks), blocks)
	}
	return blocks[0], blocks[1], blocks[2], blocks[3]
}

// systemd refuses to open the socket of a service that runs, and no test has a systemd that
// runs: so the order itself is held.
func TestDocumentedSocket(t *testing.T) {
	_, socket, _, _ := asRoot(t)
	want := `systemctl stop integra_exporter.service
systemctl enable --now integra_exporter.socket
systemctl start integra_exporter.service
`
	if diff := cmp.Diff(want, socket); diff != "" {
		t.Error(diff)
	}
}

// The packages have the names that GoReleaser gives them.
func TestDocumentedPackages(t *testing.T) {
	_, _, lines, _ := asRoot(t)
	name := packages(t)["name"].(string)
	for i, want := range []struct{ command, format string }{{"apt", "deb"}, {"dnf", "rpm"}} {
		line := strings.Split(lines, "\n")[i]
		pattern, found := strings.CutPrefix(line, want.command+" install ./")
		matched, err := filepath.Match(pattern, "dist/"+name+"_0.1.0_linux_amd64."+want.format)
		if !found || !matched || err != nil {
			t.Errorf("%s: does not install %s (%v)", line, want.format, err)
		}
	}
	if strings.Count(lines, "\n") != 2 {
		t.Error(lines)
	}
}

// Whoever follows the chapter on systemd has a service that systemd accepts, with a drop-in
// that it accepts, and a configuration that the service can read.
func TestDocumentedInstallation(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.bring(t, exporter(t), "integra_exporter")
	for _, unit := range []string{"service", "socket"} {
		m.bring(t, root+"/deploy/systemd/integra_exporter."+unit, "deploy/systemd/integra_exporter."+unit)
	}
	files := m.dir + "/changes/srv/"
	write(t, files+"config.yml", "apis: {a: {request: {path: /a}}}\ninstitutions: {uio: {apis: {a: {key_file: keys/a}}}}\n")
	write(t, files+"keys/a", "a-key")
	write(t, files+"override.conf", block(t, "systemd", "ini"))
	write(t, files+"args", block(t, "systemd", "sh"))

	installation, socket, _, key := asRoot(t)
	commands := strings.ReplaceAll(installation+socket+"echo new-key >keys/uio-organisasjoner\n"+key, " --now", "")
	commands = regexp.MustCompile(`(?m)^systemctl (start|stop|reload) `).ReplaceAllString(commands, "systemctl is-enabled ")
	said := m.run(t, "cd /srv\n"+commands+`
cp args /etc/default/integra_exporter
. /etc/default/integra_exporter; test -n "$ARGS"
install -D -m 0644 override.conf /etc/systemd/system/integra_exporter.service.d/override.conf
systemd-analyze verify --man=no --recursive-errors=no /etc/systemd/system/integra_exporter.service
test -L `+enabled+`; test -L /etc/systemd/system/sockets.target.wants/integra_exporter.socket
grep new-key /etc/integra_exporter/keys/uio-organisasjoner
cd `+setting(t, "WorkingDirectory")+`
setpriv --reuid integra_exporter --regid integra_exporter --init-groups integra_exporter check-config`)
	if !strings.Contains(said, "config.yml is usable: 2 checks") {
		t.Error(said)
	}
	m.fails(t, "setpriv --reuid nobody --regid nogroup --clear-groups cat /etc/integra_exporter/keys/a")
}
