package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

// screens returns what was drawn, the newest last, with a | at each line's end where the terminal clears the rest.
func (w *watched) screens() []string {
	text := strings.NewReplacer(lineEnd, "|\n", screenEnd, "").Replace(w.out.String())
	return strings.Split(text, screenBegin)[1:]
}

// newest waits for a screen that holds all of parts.
func (w *watched) newest(t *testing.T, parts ...string) (screen string) {
	t.Helper()
	eventually(t, fmt.Sprint("a screen with ", parts), func() bool {
		for _, drawn := range w.screens() {
			holdsAll := true
			for _, part := range parts {
				holdsAll = holdsAll && strings.Contains(drawn, part)
			}
			if holdsAll {
				screen = drawn
				return true
			}
		}
		return false
	})
	return screen
}

var timeOfDay = regexp.MustCompile(`\d\d:\d\d:\d\d`)

func TestWatchRedrawsATerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	t.Setenv("COLUMNS", "60")
	platform, config := simulate(t, true)
	w := watch(t, true, "--config.file="+config, "--institution=himolde", "--kind=api", "--target=inspera", "--target=fs-emner")
	w.newest(t, "1 of 2 checked|\n")
	w.newest(t, "2 of 2 checked|\n")
	w.newest(t, "2 ok, 0 failed")
	platform.Set("himolde", "inspera", demo.HTMLPage)
	got := w.newest(t, "1 ok, 1 failed")
	if code := w.interrupt(t); code != exitFailed || w.err.String() != "" {
		t.Errorf("exit code %d, %q", code, w.err)
	}
	want := `1 ok, 1 failed, at TIME; again every 1s, * marks what has changed, Ctrl-C ends|
|
  SINCE     INSTITUTION  KIND  TARGET    RESULT                                       LAYER    DURATION|
* TIME  himolde      api   inspera   not_json: the answer looks like HTML or XML  backend  N.NNNs|
    transaction id UUID|
  TIME  himolde      api   fs-emner  ok                                                    N.NNNs|
|
not_json (backend)|
    The answer has the expected status but is not JSON.|
    -> Repeat the request by hand: an error page with status|
       200 or an empty answer are the usual causes.|
`
	if diff := cmp.Diff(want, timeOfDay.ReplaceAllString(volatileText(got), "TIME")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The mark is for the pass in which something changed, since is from then on.
func TestWatchMarksAChangeOnce(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	platform, config := simulate(t, true)
	w := watch(t, true, "--config.file="+config, "--institution=himolde", "--kind=api", "--target=inspera")
	before := timeOfDay.FindAllString(w.newest(t, "1 ok, 0 failed"), 2)
	platform.Set("himolde", "inspera", demo.HTMLPage)
	marked := regexp.MustCompile(`(?m)^\* (\S+) +himolde`)
	w.newest(t, "0 ok, 1 failed")
	var since []string
	eventually(t, "two more screens", func() bool {
		since = nil
		for _, drawn := range w.screens() {
			if strings.Contains(drawn, "0 ok, 1 failed") {
				since = append(since, timeOfDay.FindAllString(drawn, 2)[1])
			}
		}
		return len(since) >= 3
	})
	w.interrupt(t)
	if n := len(marked.FindAllString(strings.Join(w.screens(), ""), -1)); n != 1 {
		t.Errorf("%d marks, want 1:\n%s", n, w.out)
	}
	if since[0] == before[1] || since[1] != since[0] || since[2] != since[0] {
		t.Errorf("ok since %s, then failing since %s", before[1], since)
	}
}

func TestWatchOnADumbTerminalAppends(t *testing.T) {
	t.Setenv("TERM", "dumb")
	_, config := simulate(t, true)
	w := watch(t, true, "--config.file="+config, "--institution=himolde", "--kind=api", "--target=inspera")
	w.shows(t, "himolde api inspera: ok\n", 1)
	if code := w.interrupt(t); code != 0 || strings.Contains(w.out.String(), "\x1b") {
		t.Errorf("exit code %d:\n%q", code, w.out)
	}
}

func TestFitting(t *testing.T) {
	lines, advice := []string{"title", "heading", "bad", "a", "b", "c"}, []string{"meaning", "next"}
	for room, want := range map[int]string{
		-1: "title heading bad a b c meaning next",
		8:  "title heading bad a b c meaning next",
		9:  "title heading bad a b c meaning next",
		7:  "title heading bad a … and 2 more that passed meaning next",
		6:  "title heading bad … and 3 more that passed meaning next",
		5:  "title heading bad … and 3 more that passed meaning",
		2:  "title heading",
	} {
		if got := strings.Join(fitting(lines, 3, advice, room), " "); got != want {
			t.Errorf("in %d lines: %s\nwant: %s", room, got, want)
		}
	}
	if got := strings.Join(fitting(lines, 0, advice, 4), " "); got != "title heading bad a" {
		t.Errorf("where all failed: %s", got)
	}
}

// A screen's height counts only there.
func TestWindow(t *testing.T) {
	for _, c := range []struct {
		columns, lines string
		terminal       bool
		want           window
	}{
		{"", "", false, window{80, 0}},
		{"120", "50", false, window{120, 0}},
		{"120", "50", true, window{120, 50}},
		{"wide", "-1", true, window{80, 0}},
	} {
		t.Setenv("COLUMNS", c.columns)
		t.Setenv("LINES", c.lines)
		if got := windowOf(output{out: &stream{}, terminal: c.terminal}); got != c.want {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}
