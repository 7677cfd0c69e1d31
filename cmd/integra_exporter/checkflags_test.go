package main

import "testing"

func TestCheckFlagsThatExcludeEachOther(t *testing.T) {
	config := configure(t, t.TempDir(), "http://127.0.0.1:1", "org")
	for _, c := range []struct {
		flags []string
		want  string
	}{
		{[]string{"--watch", "--show-request=curl"}, "--show-request and --watch exclude each other: the one sends nothing, the other goes on sending"},
		{[]string{"--output=json", "--show-request=powershell"}, "--show-request and --output=json exclude each other: a command is no result"},
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
