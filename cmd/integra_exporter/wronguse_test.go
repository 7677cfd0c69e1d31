package main

import (
	"net"
	"strings"
	"testing"
)

// Ten and more wrong uses: each error names the flag, or the file, and says what to do.
func TestWrongUse(t *testing.T) {
	noLeaks(t)
	dir := t.TempDir()
	file := "--config.file=" + configure(t, dir, "http://127.0.0.1:1", "org")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	broken := write(t, dir, "broken.yml", "institutions: {uio: {gateway: gw.example.no, interval: 5}}\n")
	discover := []string{"discover", "--institution=uio", "--gravitee.application=a", "--gravitee.token-file=t"}
	for _, c := range []struct {
		name string
		args []string
		want string
	}{
		{"a slip in a flag", []string{"check", "--instituton=uio"}, "integra_exporter: unknown long flag '--instituton'; did you mean --institution? (try --help)"},
		{"a flag of another command", []string{"check", "--web.listen-address=:1"}, "integra_exporter: unknown long flag '--web.listen-address'; check has none, it belongs to serve, demo (try --help)"},
		{"a flag of no command", []string{"--zebra"}, "integra_exporter: unknown long flag '--zebra' (try --help)"},
		{"a slip in a command", []string{"chekc"}, "integra_exporter: unexpected chekc; did you mean check? (try --help)"},
		{"no command", []string{"uio"}, "integra_exporter: unexpected uio; the commands are serve, check, check-config, config-schema, demo, discover (try --help)"},
		{"a word too many", []string{"check", "uio"}, "integra_exporter: unexpected uio; check takes flags alone, written --flag=value (try --help)"},
		{"no value", []string{"check", "--kind"}, "integra_exporter: expected argument for flag '--kind' (try --help)"},
		{"no value of a common flag", []string{"--config.file"}, "integra_exporter: expected argument for flag '--config.file' (try --help)"},
		{"no value before a flag", []string{"--config.file", "--log.level=info"}, "integra_exporter: expected argument for flag '--config.file' (try --help)"},
		{"no file", []string{"--config.file="}, "--config.file needs the name of a file"},
		{"output", []string{"check", "--output=xml"}, "integra_exporter: --output: enum value must be one of table,json, got 'xml' (try --help)"},
		{"kind", []string{"check", "--kind=api", "--kind=apis"}, "integra_exporter: --kind: enum value must be one of api,auth,rabbitmq,key, got 'apis' (try --help)"},
		{"level", []string{"--log.level=loud"}, "integra_exporter: --log.level: unrecognized log level loud; one of debug, info, warn and error is wanted (try --help)"},
		{"format", []string{"--log.format=xml"}, "integra_exporter: --log.format: unrecognized log format xml; logfmt or json is wanted (try --help)"},
		{"duration", []string{"check", "--watch", "--watch-interval=5x"}, `integra_exporter: --watch-interval: time: unknown unit "x" in duration "5x"; a duration such as 10s or 1m is wanted (try --help)`},
		{"institution", []string{"check", file, "--institution=uoi"}, "nothing to check: --institution=uoi fits no target of " + dir + "/config.yml; did you mean uio?"},
		{"URL", append(discover, "--gravitee.url=api.example.no"), "--gravitee.url: a URL that begins with https:// is wanted"},
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
