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

// followed are the pages that are followed from end to end, and the transcripts that are kept of it.
func followed() map[string]string {
	return map[string]string{"docs/no/kom-i-gang.md": "kom-i-gang.txt", "docs/start.md": "start.txt"}
}

var update = flag.Bool("update", false, "write testdata anew")

// Somebody follows only the page, on a machine with nothing but the program, and ends with a green check.
func TestFollowed(t *testing.T) {
	for page, golden := range followed() {
		t.Run(page, func(t *testing.T) {
			transcript := follow(t, page)
			golden := filepath.Join("testdata", golden)
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
		})
	}
}

func follow(t *testing.T, page string) (transcript string) {
	t.Helper()
	machine := t.TempDir()
	for _, b := range blocks(t, page) {
		if b.language != "yaml" {
			for _, command := range strings.Split(strings.TrimSpace(b.commands()), "\n") {
				transcript += "$ " + command + "\n" + typed(t, machine, command)
			}
			continue
		}
		name := fileNamed(b)
		if name == "" {
			continue // for another program
		}
		transcript += "(" + name + ")\n"
		err := write(filepath.Join(machine, name), b.text)
		if err != nil {
			t.Fatal(err)
		}
	}
	return transcript
}

// fileNamed returns the file that the line before a block names, if any.
func fileNamed(b block) string {
	name := regexp.MustCompile("`([a-z./]+\\.yml)`").FindStringSubmatch(b.before)
	if name == nil {
		return ""
	}
	return name[1]
}

var (
	took    = regexp.MustCompile(`\d+\.\d{3}s`)
	done    = regexp.MustCompile(`(?m)^uio \S+ \S+: ok \S+\n`) // as they end
	version = regexp.MustCompile(`(?s)^(integra_exporter, version).*`)
)

// typed types a command on machine, which must succeed, and returns what it prints, without what differs each time.
func typed(t *testing.T, machine, command string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	switch command {
	case "make build":
		command = "cp $(command -v integra_exporter) ." // built already
	case "./integra_exporter", "./integra_exporter demo":
		command = "timeout --foreground --preserve-status --signal=INT 4 " + command
	}
	run := exec.CommandContext(ctx, "bash", "-c", command)
	run.Dir, run.WaitDelay = machine, time.Second
	var said, complaint bytes.Buffer
	run.Stdout, run.Stderr = &said, &complaint
	file := regexp.MustCompile(`cat > (keys/\S+)\)`).FindStringSubmatch(command)
	if file != nil {
		secret, err := os.Open(filepath.Join(os.Getenv(inWorld), "work", file[1]))
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
