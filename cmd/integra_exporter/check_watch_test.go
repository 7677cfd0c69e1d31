package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// watched is a `check --watch` in this process.
type watched struct {
	out, err *testkit.Buffer
	cancel   func()
	ended    chan error
}

// watch starts one with an interval of 1s, and checks that nothing is left of it.
func watch(t *testing.T, terminal bool, args ...string) *watched {
	t.Helper()
	testkit.NoLeaks(t)
	ctx, cancel := context.WithCancel(t.Context())
	w := &watched{&testkit.Buffer{}, &testkit.Buffer{}, cancel, make(chan error, 1)}
	args = append([]string{"check", "--watch", "--watch-interval=1s"}, args...)
	go func() { w.ended <- run(ctx, args, output{out: w.out, err: w.err, terminal: terminal}) }()
	t.Cleanup(cancel)
	return w
}

// interrupt returns the exit code, and fails the test if that takes long.
func (w *watched) interrupt(t *testing.T) int {
	t.Helper()
	began := time.Now()
	w.cancel()
	code := exitCode(<-w.ended, w.err)
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("ended after %s", took)
	}
	return code
}

// shows waits until the output holds text as often as that.
func (w *watched) shows(t *testing.T, text string, times int) {
	t.Helper()
	testkit.Eventually(t, text, func() bool { return strings.Count(w.out.String(), text) >= times })
}

var localTime = regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d `)

// On a terminal as well, so that failures can scroll away but are never hidden.
func TestWatchAppendsWhatChanges(t *testing.T) {
	platform, config := simulate(t, true)
	w := watch(t, true, "--config.file="+config, "--institution=himolde", "--kind=api", "--target=inspera", "--target=fs-emner")
	w.shows(t, ": ok\n", 2)
	platform.Set("himolde", "inspera", demo.BackendRefused)
	w.shows(t, "inspera: failed", 1)
	platform.Set("himolde", "inspera", demo.HTMLPage)
	w.shows(t, "inspera: failed", 2)
	platform.Clear("himolde", "inspera")
	w.shows(t, "was not_json\n", 1)
	platform.Set("himolde", "fs-emner", demo.KeyRejected)
	w.shows(t, "fs-emner: failed", 1)
	requests := platform.Requests("himolde", "inspera")
	testkit.Eventually(t, "two more passes", func() bool { return platform.Requests("himolde", "inspera") > requests+2 })
	if code := w.interrupt(t); code != exitFailed || w.err.String() != "" {
		t.Errorf("exit code %d, %q", code, w.err)
	}
	lines := strings.SplitAfter(transactionID.ReplaceAllString(w.out.String(), "UUID"), "\n")
	slices.Sort(lines[:2])
	want := `TIME himolde api fs-emner: ok
TIME himolde api inspera: ok
TIME himolde api inspera: failed backend_unreachable: HTTP status 502; was ok; transaction id UUID
TIME himolde api inspera: failed not_json: the answer looks like HTML or XML; was backend_unreachable; transaction id UUID
TIME himolde api inspera: ok; was not_json
TIME himolde api fs-emner: failed key_rejected: HTTP status 401; was ok; transaction id UUID
`
	if diff := cmp.Diff(want, localTime.ReplaceAllString(strings.Join(lines, ""), "TIME ")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// hanging answers as it should for so many requests, and no more after that.
func hanging(t *testing.T, after int64) (address string, hangs func() bool) {
	t.Helper()
	var asked atomic.Int64
	address = answering(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) > after {
			<-r.Context().Done()
			return
		}
		wellAnswer(w, r)
	})
	return address, func() bool { return asked.Load() > after }
}

// What was canceled is no failure, and the pass that it cut short does not count.
func TestWatchEndsWithTheLastFullPass(t *testing.T) {
	for _, c := range []struct {
		name         string
		terminal     bool
		passes, code int
		err          string
	}{
		{"before the first pass is over", false, 0, exitCannotStart, "interrupted\n"},
		{"in the second", false, 1, 0, ""},
		{"in the third", false, 2, 0, ""},
		{"on a terminal", true, 1, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			gateway, hangs := hanging(t, int64(c.passes))
			config := configure(t, t.TempDir(), gateway, "a")
			replaceInFile(t, config, "interval: 1s, timeout: 1s", "interval: 1m, timeout: 1m")
			w := watch(t, c.terminal, "--config.file="+config)
			testkit.Eventually(t, "a request that hangs", hangs)
			code := w.interrupt(t)
			out := w.out.String()
			if code != c.code || w.err.String() != c.err || strings.Contains(out, "cancel") || strings.Contains(out, "1 failed") ||
				strings.Count(out, "\n") != min(c.passes, 1) {
				t.Errorf("exit code %d, %q:\n%s", code, w.err, out)
			}
		})
	}
}

func TestWatchStopsAtCtrlC(t *testing.T) {
	t.Parallel()
	_, config := simulate(t, false)
	cmd := exec.Command(binary, "check", "--watch", "--config.file="+config, "--institution=himolde", "--kind=api")
	var out, complaint testkit.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Start()
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "three results", func() bool { return strings.Count(out.String(), "\n") == 3 })
	began := time.Now()
	_ = cmd.Process.Signal(os.Interrupt)
	var exit *exec.ExitError
	err = cmd.Wait()
	if !errors.As(err, &exit) || exit.ExitCode() != exitFailed && exit.ExitCode() != exitCannotStart ||
		time.Since(began) > 20*time.Second || strings.Contains(complaint.String(), "goroutine") {
		t.Errorf("after %s: %v\n%s%s", time.Since(began), err, &out, &complaint)
	}
}

func TestWatchWritesJSONLines(t *testing.T) {
	platform, config := simulate(t, true)
	w := watch(t, true, "--config.file="+config, "--institution=himolde", "--kind=api", "--target=inspera", "--output=json")
	w.shows(t, "\n", 1)
	platform.Set("himolde", "inspera", demo.HTMLPage)
	w.shows(t, `"reason":"not_json"`, 1)
	if code := w.interrupt(t); code != exitFailed || w.err.String() != "" {
		t.Errorf("exit code %d, %q", code, w.err)
	}
	lines := strings.Split(strings.TrimSuffix(w.out.String(), "\n"), "\n")
	var first, last []map[string]any
	for i, line := range []string{lines[0], lines[len(lines)-1]} {
		err := json.Unmarshal([]byte(line), []*[]map[string]any{&first, &last}[i])
		if err != nil {
			t.Fatalf("not a document in a line: %s", line)
		}
	}
	if len(first) != 1 || first[0]["success"] != true || first[0]["runs"] != 1.0 ||
		len(last) != 1 || last[0]["success"] != false || last[0]["runs"] != float64(len(lines)) || last[0]["since"] == first[0]["since"] {
		t.Errorf("the last line does not follow on the first:\n%s", w.out)
	}
}

func TestWatchOnATerminalAppends(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	_, config := simulate(t, true)
	w := watch(t, true, "--config.file="+config, "--institution=himolde", "--kind=api", "--target=inspera")
	w.shows(t, "himolde api inspera: ok\n", 1)
	if code := w.interrupt(t); code != 0 || strings.ContainsAny(w.out.String(), "\x1b\r") {
		t.Errorf("exit code %d:\n%q", code, w.out)
	}
}
