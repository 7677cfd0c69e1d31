package main

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// called is the outcome of a command that ends by itself.
type called struct {
	code     int
	out, err string
}

// call runs the program in this process.
func call(t *testing.T, args ...string) called {
	t.Helper()
	return callOn(t, false, args...)
}

func callOn(t *testing.T, terminal bool, args ...string) called {
	t.Helper()
	var out, err bytes.Buffer
	failed := run(context.Background(), args, output{out: &out, err: &err, terminal: terminal})
	code := exitCode(failed, &err)
	return called{code, out.String(), err.String()}
}

func TestFlags(t *testing.T) {
	testkit.NoLeaks(t)
	dir := t.TempDir()
	config := configure(t, dir, "http://127.0.0.1:1", "org")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	missing := filepath.Join(dir, "missing.yml")
	broken := testkit.WriteFile(t, dir, "broken.yml", "institution: {}\n")
	webConfig := testkit.WriteFile(t, dir, "web.yml", "basic_auth: {}\n")
	for _, c := range []struct {
		name string
		args []string
		code int
		out  string // standard output holds; empty: is empty
		err  string // standard error holds; empty: is empty
	}{
		{"version", []string{"--version"}, 0, "integra_exporter, version", ""},
		{"version of a command", []string{"check", "--version"}, 0, "integra_exporter, version", ""},
		{"help", []string{"--help"}, 0, "check-config", ""},
		{"help as a command", []string{"help", "demo"}, 0, "--write-config", ""},
		{"help shows the default command's flags", []string{"--help"}, 0, "--web.listen-address", ""},
		{"help of check shows its own", []string{"help", "check"}, 0, "--output", ""},
		{"help of serve", []string{"serve", "--help"}, 0, "--schedule.seed", ""},
		{"help of check", []string{"check", "--help"}, 0, "--institution", ""},
		{"unknown flag", []string{"--no-such-flag"}, 2, "", "--no-such-flag"},
		{"unknown flag of check", []string{"check", "--web.listen-address=:1"}, 2, "", "--web.listen-address"},
		{"unknown command", []string{"chekc"}, 2, "", "chekc"},
		{"unknown level", []string{"--log.level=loud"}, 2, "", "loud"},
		{"unknown kind", []string{"check", "--kind=apis"}, 2, "", "api,auth,rabbitmq,key"},
		{"unknown output", []string{"check", "--output=xml"}, 2, "", "xml"},
		{"serve without its file", []string{"--config.file=" + missing}, 2, "", missing + ": no such file; name one with --config.file"},
		{"check without its file", []string{"check", "--config.file=" + missing}, 2, "", missing + ": no such file; name one with --config.file"},
		{"check-config without its file", []string{"check-config", "--config.file=" + missing}, 2, "", missing + ": no such file; name one with --config.file"},
		{"serve with a bad file", []string{"--config.file=" + broken}, 2, "", broken + ":1: "},
		{"serve on a port in use", []string{"--config.file=" + config, "--web.listen-address=" + taken.Addr().String()}, 2, "", "address already in use"},
		{"demo on a port in use", []string{"demo", "--web.listen-address=" + taken.Addr().String()}, 2, "", "already in use; choose another with --web.listen-address"},
		{"demo with nowhere to write", []string{"demo", "--write-config="}, 2, "", "--write-config needs the name of a directory"},
		{"demo with a configuration", []string{"demo", "--config.file=config.yml"}, 2, "", "leave out --config.file"},
		{"bad web configuration", []string{"--config.file=" + config, "--web.listen-address=127.0.0.1:0", "--web.config.file=" + webConfig}, 2, "", webConfig + `: line 1: unknown key "basic_auth"`},
		{"metrics at /", []string{"--config.file=" + config, "--web.telemetry-path=/"}, 2, "", "--web.telemetry-path"},
		{"metrics at a wildcard", []string{"--config.file=" + config, "--web.telemetry-path=/{x}"}, 2, "", "--web.telemetry-path"},
		{"metrics at a query", []string{"--config.file=" + config, "--web.telemetry-path=/m?x"}, 2, "", "--web.telemetry-path"},
		{"metrics at a fragment", []string{"--config.file=" + config, "--web.telemetry-path=/m#x"}, 2, "", "--web.telemetry-path"},
		{"metrics at an escape", []string{"--config.file=" + config, "--web.telemetry-path=/m%20x"}, 2, "", "--web.telemetry-path"},
		{"metrics over another endpoint", []string{"--config.file=" + config, "--web.telemetry-path=/-/ready"}, 2, "", "--web.telemetry-path"},
		{"metrics over /sd", []string{"--config.file=" + config, "--web.telemetry-path=/sd"}, 2, "", "--web.telemetry-path"},
		{"relative path", []string{"--config.file=" + config, "--web.telemetry-path=metrics"}, 2, "", "--web.telemetry-path"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := call(t, c.args...)
			if got.code != c.code || !holds(got.out, c.out) || !holds(got.err, c.err) {
				t.Errorf("exit code %d, want %d\nstandard output, want %q:\n%s\nstandard error, want %q:\n%s",
					got.code, c.code, c.out, got.out, c.err, got.err)
			}
		})
	}
}

func holds(text, part string) bool {
	if part == "" {
		return text == ""
	}
	return strings.Contains(text, part)
}

// The demo's directory is its own: nothing may be left of one that could not start.
func TestDemoCleansUp(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	call(t, "demo", "--web.listen-address="+taken.Addr().String())
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Each error names the flag, or the file, and says what to do.
func TestUsageErrors(t *testing.T) {
	testkit.NoLeaks(t)
	dir := t.TempDir()
	file := "--config.file=" + configure(t, dir, "http://127.0.0.1:1", "org")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	broken := testkit.WriteFile(t, dir, "broken.yml", "institutions: {uio: {gateway: gw.example.no, interval: 5}}\n")
	discover := []string{"discover", "--institution=uio", "--gravitee.application=a", "--gravitee.token-file=t"}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"a slip in a flag", []string{"check", "--instituton=uio"}, "integra_exporter: unknown long flag '--instituton'; did you mean --institution? (try --help)"},
		{"a flag of another command", []string{"check", "--web.listen-address=:1"}, "integra_exporter: unknown long flag '--web.listen-address'; it is a flag of serve and demo, not of check (try --help)"},
		{"a flag of no command", []string{"--zebra"}, "integra_exporter: unknown long flag '--zebra' (try --help)"},
		{"a slip in a command", []string{"chekc"}, "integra_exporter: unexpected chekc; did you mean check? (try --help)"},
		{"no command", []string{"uio"}, "integra_exporter: unexpected uio; the commands are serve, check, check-config, config-schema, demo, discover (try --help)"},
		{"a word too many", []string{"check", "uio"}, "integra_exporter: unexpected uio; check takes only flags, written --flag=value (try --help)"},
		{"no value", []string{"check", "--kind"}, "integra_exporter: expected argument for flag '--kind' (try --help)"},
		{"no value of a common flag", []string{"--config.file"}, "integra_exporter: expected argument for flag '--config.file' (try --help)"},
		{"no value before a flag", []string{"--config.file", "--log.level=info"}, "integra_exporter: expected argument for flag '--config.file' (try --help)"},
		{"no file", []string{"--config.file="}, "--config.file needs the name of a file"},
		{"output", []string{"check", "--output=xml"}, "integra_exporter: --output: enum value must be one of table,json, got 'xml' (try --help)"},
		{"kind", []string{"check", "--kind=api", "--kind=apis"}, "integra_exporter: --kind: enum value must be one of api,auth,rabbitmq,key, got 'apis' (try --help)"},
		{"level", []string{"--log.level=loud"}, "integra_exporter: --log.level: unrecognized log level loud; give one of debug, info, warn and error (try --help)"},
		{"format", []string{"--log.format=xml"}, "integra_exporter: --log.format: unrecognized log format xml; give logfmt or json (try --help)"},
		{"duration", []string{"check", "--watch", "--watch-interval=5x"}, `integra_exporter: --watch-interval: time: unknown unit "x" in duration "5x"; give a duration such as 10s or 1m (try --help)`},
		{"institution", []string{"check", file, "--institution=uoi"}, "nothing to check: --institution=uoi matches no target in " + dir + "/config.yml; did you mean uio?"},
		{"URL", append(discover, "--gravitee.url=api.example.no"), "--gravitee.url must be a URL that begins with https://"},
		{"URL and duration in the file", []string{"--config.file=" + broken}, broken + ":1: gateway: the URL must begin with http:// or https://\n" +
			broken + `:1: interval: "5" is not a duration: write 5s`},
		{"required", discover, "integra_exporter: required flag(s) '--gravitee.url' not provided (try --help)"},
		{"port in use", []string{file, "--web.listen-address=" + taken.Addr().String()}, "cannot serve: listen tcp " + taken.Addr().String() + ": bind: address already in use; choose another with --web.listen-address"},
		{"no port", []string{file, "--web.listen-address=localhost"}, "cannot serve: listen tcp: address localhost: missing port in address; choose another with --web.listen-address"},
		{"directory", []string{"--config.file=" + dir}, dir + ": is a directory; name the file in it with --config.file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := call(t, c.args...)
			if got.code != exitCannotStart || !strings.HasSuffix("\n"+got.err, "\n"+c.want+"\n") || got.out != "" { // after the log
				t.Errorf("exit code %d\n got %swant %s\n%s", got.code, got.err, c.want, got.out)
			}
		})
	}
}
