package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"net/http"
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
	"github.com/integra-exporter/integra_exporter/internal/testkit"
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
	testkit.NoLeaks(t)
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
	testkit.NoLeaks(t)
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
	testkit.NoLeaks(t)
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

func TestCheckFlagsThatExcludeEachOther(t *testing.T) {
	config := configure(t, t.TempDir(), "http://127.0.0.1:1", "org")
	for _, c := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--watch", "--show-request=curl"}, "--show-request sends nothing, so it cannot be combined with --watch, which goes on sending"},
		{[]string{"--output=json", "--show-request=powershell"}, "--show-request prints commands, so it cannot be combined with --output=json"},
		{[]string{"--watch-interval=10s"}, "--watch-interval says how often --watch repeats: give both"},
		{[]string{"--watch", "--watch-interval=999ms"}, "--watch-interval must be at least 1s"},
		{[]string{"--watch", "--watch-interval=-1m"}, "--watch-interval must be at least 1s"},
		{[]string{"--show-request=wget"}, "integra_exporter: --show-request: enum value must be one of curl,powershell, got 'wget' (try --help)"},
	} {
		got := call(t, append([]string{"check", "--config.file=" + config}, c.flags...)...)
		if got.code != exitCannotStart || got.err != c.want+"\n" || got.out != "" {
			t.Errorf("%v: exit code %d\n got %swant %s", c.flags, got.code, got.err, c.want)
		}
	}
}

// A disk that is full ends a check, and above all one that would go on for ever.
func TestCheckOnAFullDisk(t *testing.T) {
	testkit.NoLeaks(t)
	t.Setenv("TERM", "xterm")
	_, config := simulate(t, true)
	disk, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	for _, flags := range []string{"--output=table", "--output=json", "--watch", "--watch --output=json", "--show-request=curl"} {
		for _, terminal := range []bool{false, true} {
			args := append([]string{"check", "--config.file=" + config, "--institution=himolde", "--target=inspera"}, strings.Fields(flags)...)
			var complaint testkit.Buffer
			ctx, cancel := context.WithTimeout(t.Context(), testkit.Patience)
			code := exitCode(run(ctx, args, output{out: disk, err: &complaint, terminal: terminal}), &complaint)
			cancel()
			if code != exitCannotStart || !strings.HasPrefix(complaint.String(), "cannot write the re") {
				t.Errorf("%s, terminal %t: exit code %d, %q", flags, terminal, code, &complaint)
			}
		}
	}
}

func TestCheckNamesTheFilterThatFitsNothing(t *testing.T) {
	testkit.NoLeaks(t)
	dir := t.TempDir()
	config := configure(t, dir, "http://127.0.0.1:1", "org", "fs")
	file := "--config.file=" + config
	empty := testkit.WriteFile(t, dir, "empty.yml", "institutions: {}\n")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{file, "--institution=uoi"}, "nothing to check: --institution=uoi matches no target in " + config + "; did you mean uio?"},
		{[]string{file, "--institution=uio", "--institution=ntun"}, "nothing to check: --institution=ntun matches no target in " + config},
		{[]string{file, "--target=org", "--target=ogr"}, "nothing to check: --target=ogr matches no target in " + config + "; did you mean org?"},
		{[]string{file, "--kind=key"}, "nothing to check: no target in " + config + " matches --institution, --kind and --target together"},
		{[]string{"--config.file=" + empty}, "nothing to check: no institution is configured in " + empty + ", or none has a target"},
	} {
		got := call(t, append([]string{"check"}, c.args...)...)
		if got.code != exitCannotStart || got.err != c.want+"\n" || got.out != "" {
			t.Errorf("%v: exit code %d\n got %swant %s", c.args, got.code, got.err, c.want)
		}
	}
}

func TestCheckEndsWhenInterrupted(t *testing.T) {
	testkit.NoLeaks(t)
	asked := make(chan struct{}, 2)
	gateway := answering(t, func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	})
	config := configure(t, t.TempDir(), gateway, "a", "b")
	replaceInFile(t, config, "interval: 1s, timeout: 1s", "interval: 1m, timeout: 1m")
	ctx, cancel := context.WithCancel(t.Context())
	var out bytes.Buffer
	ended := make(chan error)
	go func() { ended <- run(ctx, []string{"check", "--config.file=" + config}, output{out: &out, err: &out}) }()
	<-asked
	<-asked
	began := time.Now()
	cancel()
	err := <-ended
	took := time.Since(began)
	if code := exitCode(err, &out); code != exitCannotStart || out.String() != "interrupted\n" || took > 20*time.Second {
		t.Errorf("exit code %d after %s:\n%s", code, took, out.String())
	}
}

// What has arrived has cost a run: it is shown.
func TestInterruptedCheckShowsWhatHasArrived(t *testing.T) {
	testkit.NoLeaks(t)
	gateway := answering(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hanging/" {
			<-r.Context().Done()
			return
		}
		wellAnswer(w, r)
	})
	config := configure(t, t.TempDir(), gateway, "hanging", "quick")
	replaceInFile(t, config, "interval: 1s, timeout: 1s", "interval: 1m, timeout: 1m")
	ctx, cancel := context.WithCancel(t.Context())
	var out testkit.Buffer
	ended := make(chan error)
	go func() { ended <- run(ctx, []string{"check", "--config.file=" + config}, output{out: &out, err: &out}) }()
	testkit.Eventually(t, "one result", func() bool { return strings.Contains(out.String(), "quick: ok") })
	cancel()
	code := exitCode(<-ended, &out)
	shown := duration.ReplaceAllString(out.String(), "N.NNNs")
	want := `uio api quick: ok N.NNNs

INSTITUTION  KIND  TARGET  RESULT  LAYER  DURATION
uio          api   quick   ok             N.NNNs

1 ok, 0 failed, in N.NNNs
interrupted
`
	if diff := cmp.Diff(want, shown); diff != "" || code != exitCannotStart {
		t.Errorf("exit code %d (-want +got):\n%s", code, diff)
	}
}

func TestInterruptedCheckIsJSONAllTheSame(t *testing.T) {
	testkit.NoLeaks(t)
	config := configure(t, t.TempDir(), "http://127.0.0.1:1", "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, complaint bytes.Buffer
	code := exitCode(run(ctx, []string{"check", "--output=json", "--config.file=" + config}, output{out: &out, err: &complaint}), &complaint)
	if code != exitCannotStart || out.String() != "[]\n" || complaint.String() != "interrupted\n" {
		t.Errorf("exit code %d, %q, %q", code, out.String(), complaint.String())
	}
}
