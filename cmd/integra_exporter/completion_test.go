package main

import (
	"strings"
	"testing"
)

// The script for zsh asks in the same way; here is only whether it is one for this program.
func TestCompletionScriptForZsh(t *testing.T) {
	t.Parallel()
	got := execute(t, "--completion-script-zsh")
	if got.code != 0 || got.err != "" || !strings.HasPrefix(got.out, "#compdef integra_exporter\n") || !strings.Contains(got.out, "--completion-bash") {
		t.Errorf("%+v", got)
	}
}
