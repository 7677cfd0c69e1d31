package main

import (
	"context"
	"os"
	"strings"
	"testing"
)

// A disk that is full ends a check, and above all one that would go on for ever.
func TestCheckOnAFullDisk(t *testing.T) {
	noLeaks(t)
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
			var complaint stream
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			code := exitCode(run(ctx, args, output{out: disk, err: &complaint, terminal: terminal}), &complaint)
			cancel()
			if code != exitCannotStart || !strings.HasPrefix(complaint.String(), "cannot write the re") {
				t.Errorf("%s, terminal %t: exit code %d, %q", flags, terminal, code, &complaint)
			}
		}
	}
}
