//go:build system

package main

import (
	"bytes"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The page is what groff takes without a warning, and has every command and flag.
func TestManPage(t *testing.T) {
	got := call(t, "--help-man")
	if got.code != 0 || got.err != "" {
		t.Fatalf("%+v", got)
	}
	for _, name := range []string{"man", "manwidth"} { // man: as it is read; manwidth: unbroken, for what follows
		cmd := exec.Command("groff", "-man", "-ww", "-Kutf8", "-Tutf8", "-P-cbou")
		if name == "manwidth" {
			cmd.Args = append(cmd.Args, "-rLL=1000n", "-rHY=0")
		}
		cmd.Stdin = strings.NewReader(got.out)
		var complaints bytes.Buffer
		cmd.Stderr = &complaints
		page, err := cmd.Output()
		if err != nil || complaints.Len() > 0 {
			t.Fatalf("%v: %s", err, complaints.String())
		}
		if name == "manwidth" {
			pageHasEverything(t, string(page))
		}
	}
	if !regexp.MustCompile(`(?m)^integra_exporter \\- \S`).MatchString(got.out) {
		t.Error("the section NAME is not what apropos reads")
	}
}
