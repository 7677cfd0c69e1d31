//go:build system

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// The script as bash runs it: each line is what was typed, the last word begun, and what bash offers then.
func TestCompletionInBash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testkit.WriteFile(t, dir, "key", "the-key\n")
	file := testkit.WriteFile(t, dir, "names.yml", `apis: {org: &a {request: {path: /}}, fs: *a, $(touch ran): *a, two words: *a}
institutions: {uio: {apis: {org: &k {key_file: key}, fs: *k, $(touch ran): *k, two words: *k}}}
`)
	want := []string{
		" -> serve check check-config config-schema demo discover",
		"ch -> check check-config",
		"help c -> check check-config config-schema",
		"--co -> --config.file",
		"--config.file -> ",
		"--web.enable-p -> --web.enable-pprof",
		"--log.level d -> debug",
		"check --inst -> --institution",
		"check --kind  -> api auth rabbitmq key",
		"check --kind = a -> api auth",
		"check --output j -> json",
		"check --config.file " + file + " --institution  -> uio",
		"--config.file = " + file + " check --target  -> fs org",
		"check --config.file none.yml --target  -> ",
		"discover --gravitee.t -> --gravitee.token-file",
	}
	var script strings.Builder
	script.WriteString(`set -u
eval "$(integra_exporter --completion-script-bash)"
complete -p integra_exporter >&2
try() {
	COMP_WORDS=(integra_exporter "$@") COMP_CWORD=$#
	_integra_exporter_bash_autocomplete
	echo "$* -> ${COMPREPLY[*]-}"
}
`)
	for _, line := range want {
		typed, _, _ := strings.Cut(line, " -> ")
		begun := strings.HasSuffix(typed, " ") || typed == ""
		script.WriteString("try")
		for _, word := range strings.Fields(typed) {
			script.WriteString(" '" + word + "'")
		}
		if begun {
			script.WriteString(" ''")
		}
		script.WriteString("\n")
	}
	cmd := exec.Command("bash", "-c", script.String())
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, complaints.String())
	}
	diff := cmp.Diff(want, strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"))
	if diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	const how = "complete -o default -F _integra_exporter_bash_autocomplete integra_exporter\n"
	if complaints.String() != how {
		t.Errorf("standard error %q, want %q", complaints.String(), how)
	}
	_, err = os.Stat(filepath.Join(dir, "ran"))
	if err == nil {
		t.Error("the shell has run what stands in the configuration")
	}
}
