package docs_test

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

// prelude stands in for what this machine does not have.
//
//go:embed prelude.bash
var prelude string

// unreachable are hosts that are not simulated: a block that needs one is only parsed.
var unreachable = regexp.MustCompile(`mg-mgmt-|brom-\$?`)

// placeholders are what a reader puts their own in place of.
func placeholders(platform *demo.Platform) *strings.Replacer {
	application := os.Getenv("PLATFORM_APPLICATION")
	if platform != nil {
		application = platform.Application("uio")
	}
	return strings.NewReplacer(
		"https://api-mgmt-uio.intark.uh-it.no/", "https://gw-uio.intark.uh-it.no:8443/", // whose name the certificate has
		"6b7f2c1e-0000-4000-8000-000000000000", application,
		"APPLICATION", application,
		"/tmp/demo", filepath.Join(os.Getenv(inWorld), "demo"),
		"./integra_exporter", "integra_exporter", // a function of the prelude
	)
}

// background is a command that goes on beside the next ones.
var background = regexp.MustCompile(`--web\.listen-address=\S*(:\d+).* &$`)

// handed is the file into which a block puts a secret that somebody types.
var handed = regexp.MustCompile(`(?:f=|cat > )(keys/[a-z-]+)`)

// commands returns what a block tells to type: all of a script, the lines after $ of a console.
func (b block) commands() string {
	if b.language != "console" {
		return b.text
	}
	var (
		typed     strings.Builder
		goes, end = false, regexp.MustCompile(`(\\|\||&&)$`)
	)
	for _, line := range strings.Split(b.text, "\n") {
		command, begins := strings.CutPrefix(line, "$ ")
		if begins || goes {
			typed.WriteString(command + "\n")
			goes = end.MatchString(command)
			at := background.FindStringSubmatch(command)
			if at != nil {
				fmt.Fprintf(&typed, "arrives http://localhost%s/-/ready\n", at[1])
			}
		}
	}
	return typed.String()
}

func isScript(language string) bool {
	return language == "bash" || language == "sh" || language == "console"
}

// Every command of the documentation runs, a document's in order: none is unknown or misused, or fails but
// as check and grep do when they find something or nothing. The pages that are followed from end to end have a test of their own.
func TestCommands(t *testing.T) {
	exporterBeside(t)
	for _, document := range documents(t) {
		script := ""
		for _, b := range blocks(t, document) {
			if isScript(b.language) {
				script += fmt.Sprintf("printf '\\nBLOCK %s\\n'\n%s", b, runnable(t, b))
			}
		}
		if script == "" || followed()[document] != "" || strings.HasPrefix(document, "test/") {
			continue
		}
		t.Run(document, func(t *testing.T) {
			t.Parallel()
			said := bash(t, prelude+script)
			for _, part := range strings.Split(said, "\nBLOCK ") {
				if fault.MatchString(part) {
					t.Errorf("%s", part)
				}
			}
		})
	}
}

// fault is what bash says of a command that ended with a status over 1, or of one that it could not run.
var fault = regexp.MustCompile(`(?m)^(STATUS |bash: )`)

// runnable returns what of b can run here.
func runnable(t *testing.T, b block) string {
	t.Helper()
	script := placeholders(nil).Replace(b.commands())
	if !unreachable.MatchString(script) {
		return script
	}
	said, err := exec.Command("bash", "-n", "-c", script).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %s", b, said)
	}
	return "echo only parsed\n"
}

// bash runs a script in a directory of its own, where config.yml lies, and returns what it says.
func bash(t *testing.T, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, "bash", "-c", script+"\n:")
	command.Dir = filepath.Join(t.TempDir(), "work")
	err := os.CopyFS(command.Dir, os.DirFS(filepath.Join(os.Getenv(inWorld), "work")))
	if err != nil {
		t.Fatal(err)
	}
	file := handed.FindStringSubmatch(script)
	if file != nil {
		typed, err := os.Open(filepath.Join(os.Getenv(inWorld), "work", file[1]))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = typed.Close() }()
		command.Stdin = typed
	}
	command.WaitDelay = time.Second
	said, err := command.CombinedOutput()
	if err != nil {
		t.Errorf("%v", err)
	}
	return string(said)
}

// exporterBeside runs the exporter that the documents speak of, on its port, with a log as journalctl shows it.
func exporterBeside(t *testing.T) {
	t.Helper()
	dir := filepath.Join(os.Getenv(inWorld), "work")
	log, err := os.Create(filepath.Join(dir, "exporter.log.real"))
	if err != nil {
		t.Fatal(err)
	}
	exporter := exec.Command("integra_exporter", "--config.file=config.yml", "--web.enable-lifecycle", "--web.enable-pprof", "--log.level=debug")
	exporter.Dir, exporter.Stdout, exporter.Stderr = dir, log, log
	err = exporter.Start()
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(os.Setenv("EXPORTER", fmt.Sprint(exporter.Process.Pid)), os.Setenv("EXPORTER_LOG", log.Name()))
	if err != nil {
		t.Error(err)
	}
	t.Cleanup(func() {
		_ = exporter.Process.Signal(os.Interrupt)
		_ = exporter.Wait()
		_ = log.Close()
	})
	said := bash(t, prelude+`arrives http://localhost:10056/-/ready`)
	if fault.MatchString(said) {
		t.Fatalf("the exporter does not start:\n%s", said)
	}
}
