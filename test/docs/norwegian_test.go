package docs_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const quickStart = "docs/no/kom-i-gang.md"

var update = flag.Bool("update", false, "write testdata anew")

// Somebody follows only the Norwegian page, on a machine with nothing but the program, and ends with
// a green check. The transcript is kept.
func TestNorwegianQuickStart(t *testing.T) {
	machine := t.TempDir()
	secrets := filepath.Join(os.Getenv(inWorld), "work")
	transcript := ""
	for _, b := range blocks(t, quickStart) {
		if b.language == "yaml" {
			transcript += "(" + fileNamed(t, b) + ")\n"
			err := write(filepath.Join(machine, fileNamed(t, b)), b.text)
			if err != nil {
				t.Fatal(err)
			}
			continue
		}
		for _, command := range strings.Split(strings.TrimSpace(b.commands()), "\n") {
			transcript += "$ " + command + "\n" + typed(t, machine, secrets, command)
		}
	}
	golden := filepath.Join("testdata", "kom-i-gang.txt")
	if *update {
		err := write(golden, transcript)
		if err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	diff := cmp.Diff(string(want), transcript)
	if diff != "" {
		t.Errorf("%s (-want +got); -update if that is meant:\n%s", golden, diff)
	}
}

// fileNamed returns the file that the line before a block names.
func fileNamed(t *testing.T, b block) string {
	t.Helper()
	name := regexp.MustCompile("`([a-z./]+\\.yml)`").FindStringSubmatch(b.before)
	if name == nil {
		t.Fatalf("%s: the line before does not name the file", b)
	}
	return name[1]
}

var (
	took    = regexp.MustCompile(`\d+\.\d{3}s`)
	done    = regexp.MustCompile(`(?m)^uio \S+ \S+: ok \S+\n`) // as they end
	version = regexp.MustCompile(`(?s)^(integra_exporter, version).*`)
)

// typed types a command on machine, which must succeed, and returns what it prints, without what differs each time.
func typed(t *testing.T, machine, secrets, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	switch command {
	case "make build":
		command = "cp $(command -v integra_exporter) ." // built already
	case "./integra_exporter":
		command = "timeout --foreground --preserve-status --signal=INT 4 " + command
	}
	run := exec.CommandContext(ctx, "bash", "-c", command)
	run.Dir, run.WaitDelay = machine, time.Second
	var said, complaint bytes.Buffer
	run.Stdout, run.Stderr = &said, &complaint
	file := regexp.MustCompile(`cat > (keys/\S+)\)`).FindStringSubmatch(command)
	if file != nil {
		secret, err := os.Open(filepath.Join(secrets, file[1]))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = secret.Close() }()
		run.Stdin = secret
	}
	err := run.Run()
	if err != nil {
		t.Errorf("%s: %v\n%s%s", command, err, said.String(), complaint.String())
	}
	text := done.ReplaceAllString(took.ReplaceAllString(said.String(), "N.NNNs"), "")
	return version.ReplaceAllString(text, "$1 …\n")
}
