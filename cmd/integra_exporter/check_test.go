package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

var update = flag.Bool("update", false, "write testdata anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		err := os.WriteFile(path, []byte(got), 0o644)
		if err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// simulate starts a platform and returns it with its configuration.
func simulate(t *testing.T, withoutFaults bool) (platform *demo.Platform, config string) {
	t.Helper()
	platform, err := demo.Start(demo.Options{
		WithoutFaults: withoutFaults,
		DeadAfter:     100 * time.Millisecond,
		SlowAfter:     1100 * time.Millisecond, // the expectation is 1s
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = platform.Close() })
	config, err = platform.WriteConfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	// Both sides are this machine: with all handshakes at once, each would take as long as all, and seem slow.
	replaceInFile(t, config, "  timeout: 4s\n", "  timeout: 4s\n  max_concurrent: 8\n")
	return platform, config
}

// execute runs the built program to its end.
func execute(t *testing.T, args ...string) called {
	t.Helper()
	cmd := exec.Command(binary, args...)
	out, err := cmd.Output()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	c := called{code: cmd.ProcessState.ExitCode(), out: string(out)}
	if failed != nil {
		c.err = string(failed.Stderr)
	}
	return c
}

func TestCheckExitCodes(t *testing.T) {
	t.Parallel()
	_, healthy := simulate(t, true)
	_, faulty := simulate(t, false)
	for _, c := range []struct {
		name string
		args []string
		code int
	}{
		{"all pass", []string{"--config.file=" + healthy}, 0},
		{"some fail", []string{"--config.file=" + faulty}, 1},
		{"the failing ones are filtered out", []string{"--config.file=" + faulty, "--institution=oslomet"}, 0},
		{"nothing is left", []string{"--config.file=" + healthy, "--institution=nowhere"}, 2},
		{"no file", []string{"--config.file=" + healthy + ".missing"}, 2},
	} {
		got := execute(t, append([]string{"check"}, c.args...)...)
		if got.code != c.code || c.code == 2 && (got.err == "" || got.out != "") || c.code != 2 && got.err != "" {
			t.Errorf("%s: exit code %d, want %d\nstderr: %s\nstdout:\n%s", c.name, got.code, c.code, got.err, got.out)
		}
	}
}

var (
	duration      = regexp.MustCompile(`\d+\.\d{3}s`)
	transactionID = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
)

// volatileText takes out what differs from run to run.
func volatileText(out string) string {
	return transactionID.ReplaceAllString(duration.ReplaceAllString(out, "N.NNNs"), "UUID")
}

func TestCheckTable(t *testing.T) {
	noLeaks(t)
	t.Setenv("COLUMNS", "")
	_, config := simulate(t, false)
	got := call(t, "check", "--config.file="+config)
	if got.code != 1 || got.err != "" {
		t.Errorf("exit code %d, stderr %q", got.code, got.err)
	}
	arrived, table, _ := strings.Cut(volatileText(got.out), "\n\n")
	golden(t, "table.txt", table)
	lines := strings.Split(arrived, "\n")
	slices.Sort(lines) // they come as they are done
	golden(t, "arrived.txt", strings.Join(lines, "\n")+"\n")
}

func TestCheckFilters(t *testing.T) {
	noLeaks(t)
	_, config := simulate(t, true)
	for _, c := range []struct {
		filters []string
		want    []string
	}{
		{
			[]string{"--institution=himolde"},
			[]string{
				"himolde api fs-emner", "himolde api inspera", "himolde api organisasjoner",
				"himolde auth fs-emner", "himolde auth inspera", "himolde auth organisasjoner",
				"himolde rabbitmq system-production-fs",
			},
		},
		{
			[]string{"--institution=himolde", "--institution=uit", "--target=inspera", "--target=freg"},
			[]string{"himolde api inspera", "himolde auth inspera", "uit api inspera", "uit auth inspera"},
		},
		{[]string{"--target=freg", "--kind=api"}, []string{"oslomet api freg", "uib api freg"}},
		{[]string{"--target=freg", "--kind=auth"}, []string{"oslomet auth freg", "uib auth freg"}},
		{[]string{"--target=krr", "--kind=key", "--kind=api", "--institution=uio"}, []string{"uio api krr"}},
	} {
		got := call(t, append([]string{"check", "--config.file=" + config}, c.filters...)...)
		var rows []string
		_, table, _ := strings.Cut(got.out, "\n\n")
		for _, line := range strings.Split(table, "\n")[1:] {
			cells := strings.Fields(line)
			if len(cells) == 5 {
				rows = append(rows, strings.Join(cells[:3], " "))
			}
		}
		if diff := cmp.Diff(c.want, rows); diff != "" || got.code != 0 {
			t.Errorf("%v: exit code %d, rows (-want +got):\n%s", c.filters, got.code, diff)
		}
	}
	none := call(t, "check", "--config.file="+config, "--institution=himolde", "--target=freg")
	if none.code != 2 || !strings.Contains(none.err, "nothing to check") {
		t.Errorf("no target left: %+v", none)
	}
}

func TestCheckColors(t *testing.T) {
	noLeaks(t)
	_, config := simulate(t, false)
	const escape = "\x1b"
	for _, c := range []struct {
		name     string
		terminal bool
		env      map[string]string
		colored  bool
	}{
		{"terminal", true, map[string]string{"NO_COLOR": "", "TERM": "xterm"}, true},
		{"pipe", false, map[string]string{"NO_COLOR": "", "TERM": "xterm"}, false},
		{"NO_COLOR", true, map[string]string{"NO_COLOR": "1", "TERM": "xterm"}, false},
		{"dumb terminal", true, map[string]string{"NO_COLOR": "", "TERM": "dumb"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, value := range c.env {
				t.Setenv(name, value)
			}
			got := callOn(t, c.terminal, "check", "--config.file="+config, "--institution=himolde")
			if strings.Contains(got.out, escape) != c.colored || got.err != "" {
				t.Errorf("escape codes %t, want %t:\n%q", !c.colored, c.colored, got.out)
			}
			if strings.Contains(got.out, "\r7 of 7 checked, 1 failed\r") != c.terminal {
				t.Errorf("a progress line is for terminals, and ends with the count:\n%q", got.out)
			}
			if strings.Contains(got.out, "himolde api fs-emner: ok") == c.terminal {
				t.Errorf("a line per result is for pipes:\n%q", got.out)
			}
		})
	}
	asked := callOn(t, true, "check", "--config.file="+config, "--institution=himolde", "--output=json")
	if strings.Contains(asked.out, escape) || strings.Contains(asked.out, "\r") {
		t.Errorf("JSON with escape codes:\n%q", asked.out)
	}
}
