package promql_test

import (
	"flag"
	"os/exec"
	"strings"
	"testing"
)

var (
	promtool = flag.String("promtool", "promtool", "the promtool to run; of Prometheus 3 it also runs alerts/tests/native")
	amtool   = flag.String("amtool", "amtool", "the amtool to run")
)

// output runs a program, which must be there and must succeed.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	said, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, said)
	}
	return string(said)
}

func TestPromtoolAcceptsTheRules(t *testing.T) {
	output(t, *promtool, append([]string{"check", "rules", "--lint-fatal"}, files(t, "alerts/*.rules.yml")...)...)
}

func TestPromtoolPassesTheUnitTests(t *testing.T) {
	paths := files(t, "alerts/tests/*.yml")
	if strings.Contains(output(t, *promtool, "--version"), "version 2.") {
		t.Log("without alerts/tests/native: Prometheus 2 knows no native histograms in unit tests")
	} else {
		paths = append(paths, files(t, "alerts/tests/native/*.yml")...)
	}
	for _, path := range paths {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			output(t, *promtool, "test", "rules", path)
		})
	}
}

func TestAmtoolAcceptsTheExample(t *testing.T) {
	output(t, *amtool, "check-config", example)
}
