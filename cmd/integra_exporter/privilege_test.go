package main

import (
	"os/exec"
	"strings"
	"testing"
)

// It starts no other program, and so hands its environment, where secrets may stand, to nobody.
func TestNoChildren(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	for _, forbidden := range []string{"os/exec", "plugin"} {
		for _, one := range packages {
			if one == forbidden {
				t.Errorf("the program can start others: it is built with %s", one)
			}
		}
	}
	if len(packages) < 100 {
		t.Errorf("only %d packages", len(packages))
	}
}
