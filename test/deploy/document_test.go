package deploy

import (
	"regexp"
	"strings"
	"testing"
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

	commands := strings.NewReplacer("# ", "", " --now", "").Replace(block(t, "systemd", "console"))
	said := m.run(t, "cd /srv\n"+commands+`
cp args /etc/default/integra_exporter
. /etc/default/integra_exporter; test -n "$ARGS"
install -D -m 0644 override.conf /etc/systemd/system/integra_exporter.service.d/override.conf
systemd-analyze verify --man=no --recursive-errors=no /etc/systemd/system/integra_exporter.service
test -L `+enabled+`
cd `+setting(t, "WorkingDirectory")+`
setpriv --reuid integra_exporter --regid integra_exporter --init-groups integra_exporter check-config`)
	if !strings.Contains(said, "config.yml is usable: 2 checks") {
		t.Error(said)
	}
	m.fails(t, "setpriv --reuid nobody --regid nogroup --clear-groups cat /etc/integra_exporter/keys/a")
}
