package main

import (
	"strings"
	"testing"
)

// What check says beyond its table, of answers, keys and requests about a person.
func TestCanaryInWhatCheckShows(t *testing.T) {
	server, gateway := startLeaky(t)
	config := configureLeaky(t, t.TempDir(), gateway)
	for _, shell := range []string{"curl", "powershell"} {
		got := call(t, "check", "--config.file="+config, "--show-request="+shell, "--log.level=debug")
		silent(t, "--show-request="+shell, got.out+got.err)
		if strings.Count(got.out, "'"+gateway+"/…'") != 3*len(shapes()) || strings.Count(got.out, "'…'") != 3*len(shapes()) {
			t.Errorf("%s: want three requests of each, without path and body:\n%s", shell, got.out)
		}
	}
	if len(server.seen) > 0 {
		t.Errorf("%d requests were sent", len(server.seen))
	}
	t.Setenv("TERM", "xterm")
	for _, c := range []struct {
		flag     string
		terminal bool
		done     string // is shown after a pass
	}{
		{"--output=table", false, ""},
		{"--output=table", true, " ok, "},
		{"--output=json", false, "]\n"},
	} {
		w := watch(t, c.terminal, c.flag, "--config.file="+config, "--log.level=debug")
		w.shows(t, "s503-html", 2)
		w.shows(t, c.done, 1)
		w.interrupt(t)
		silent(t, c.flag+" --watch", w.out.String()+w.err.String())
	}
	if !server.complete() {
		t.Error("not every shape was asked for: the test is blind")
	}
}
