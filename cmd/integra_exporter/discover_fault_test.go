package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

func TestDiscoverFaults(t *testing.T) {
	testkit.NoLeaks(t)
	p := platform(t, demo.Options{})
	dir := t.TempDir()
	good := discovering(t, p, "uio", dir)
	wrong := testkit.WriteFile(t, dir, "wrong", canary+"\n")
	for _, c := range []struct{ name, flag, value, want string }{
		{"no institution", "institution", "", "--institution"},
		{"an odd institution", "institution", "../uio", "--institution must be a name such as uio"},
		{"no URL", "gravitee.url", "", "--gravitee.url"},
		{"no URL at all", "gravitee.url", "::" + canary, "--gravitee.url must be a URL that begins with https://"},
		{"another scheme", "gravitee.url", "ftp://" + canary, "--gravitee.url must be a URL that begins with https://"},
		{"a password in the URL", "gravitee.url", "https://u:" + canary + "@x.no/", "--gravitee.url must have no user, password"},
		{"a key in the URL", "gravitee.url", "https://x.no/?api-key=" + canary, "--gravitee.url must have no user, password"},
		{"nobody there", "gravitee.url", "https://127.0.0.1:1/management", "cannot read the API manager: unreachable: connection refused"},
		{"another path", "gravitee.url", strings.TrimSuffix(p.ManagementURL("uio"), "/management"), "not_found: "},
		{"no application", "gravitee.application", "", "--gravitee.application"},
		{"another application", "gravitee.application", "../" + canary, "not_found: the API manager has no such application"},
		{"no token", "gravitee.token-file", "", "--gravitee.token-file"},
		{"no such token", "gravitee.token-file", filepath.Join(dir, "none"), "token_unreadable: "},
		{"a wrong token", "gravitee.token-file", wrong, "token_rejected: the API manager does not know the token"},
		{"another environment", "gravitee.environment", "prod", "not_found: the API manager lists the subscriptions, but has no such application in this environment"},
		{"an odd gateway", "gateway", "gw.example.no", "--gateway must be a URL that begins with https://"},
		{"a password in the gateway", "gateway", "https://u:" + canary + "@x.no/", "--gateway must have no user, password"},
		{"no such CA", "tls.ca-file", filepath.Join(dir, "none"), "--tls.ca-file: "},
		{"no CA in the file", "tls.ca-file", wrong, "holds no PEM certificate"},
		{"another name", "tls.server-name", "x.no", "tls: the certificate is for another name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := slices.DeleteFunc(slices.Clone(good), func(a string) bool { return strings.HasPrefix(a, "--"+c.flag+"=") })
			if c.value != "" {
				args = append(args, "--"+c.flag+"="+c.value)
			}
			got := call(t, append(args, "--log.level=debug")...)
			if got.code != 2 || got.out != "" || !strings.Contains(got.err, c.want) {
				t.Errorf("want exit code 2 and %q, got %+v", c.want, got)
			}
			testkit.NoCanary(t, "the error", got.err)
		})
	}
}

func TestDiscoverFromAnAilingManager(t *testing.T) {
	p := platform(t, demo.Options{})
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	args := append(discovering(t, p, "uio", dir), "--write-keys="+keys)
	for fault, want := range map[demo.ManagementFault]string{
		demo.ManagementUnauthorized: "token_rejected: ",
		demo.ManagementForbidden:    "forbidden: ",
		demo.ManagementBroken:       "server_error: ",
		demo.ManagementPage:         "invalid: the answer is a web page",
		demo.ManagementTruncated:    "invalid: ",
		demo.ManagementRedirect:     "invalid: ",
	} {
		p.SetManagement("uio", fault)
		got := call(t, args...)
		if got.code != 2 || got.out != "" || !strings.HasPrefix(got.err, "cannot read the API manager: "+want) {
			t.Errorf("fault %d: want %q, got %+v", fault, want, got)
		}
		_, err := os.Stat(keys)
		if err == nil {
			t.Fatalf("fault %d: something was written", fault)
		}
	}
}

func TestDiscoverNeverOverwrites(t *testing.T) {
	dir := t.TempDir()
	keys := filepath.Join(dir, "keys")
	args := append(managing(
		t, dir, subscribed{api: "a", key: "key-of-a"}, subscribed{api: "b", key: "key-of-b"}, subscribed{api: "c", key: "key-of-c"}, subscribed{api: "d", key: "key-of-d"},
	), "--write-keys="+keys)
	err := os.Mkdir(keys, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	testkit.WriteFile(t, keys, "uio-b", "precious")
	testkit.WriteFile(t, keys, "uio-c", "key-of-c") // without a line break: the same key
	err = os.Symlink(filepath.Base(testkit.WriteFile(t, keys, "elsewhere", "key-of-d\n")), filepath.Join(keys, "uio-d"))
	if err != nil {
		t.Fatal(err)
	}
	got := call(t, args...)
	if got.code != 2 || got.out != "" || !strings.Contains(got.err, "refusing to overwrite existing files: "+filepath.Join(keys, "uio-b")+", "+filepath.Join(keys, "uio-d")) {
		t.Errorf("%+v", got)
	}
	if strings.Contains(got.err, "precious") || strings.Contains(got.err, "key-of") {
		t.Error("a key is printed")
	}
	if diff := cmp.Diff([]string{"elsewhere", "uio-b", "uio-c", "uio-d"}, base(t, keys)); diff != "" {
		t.Errorf("written all the same (-want +got):\n%s", diff)
	}
	for _, name := range []string{"uio-b", "uio-d", "elsewhere"} {
		err = os.Remove(filepath.Join(keys, name))
		if err != nil {
			t.Fatal(err)
		}
	}
	got = succeeds(t, args...)
	if !strings.Contains(got.err, "3 keys written") || !strings.Contains(got.err, "1 there already") {
		t.Errorf("said %q", got.err)
	}
	want := []string{"-rw------- uio-a", "-rw------- uio-b", "-rw------- uio-c", "-rw------- uio-d"}
	if diff := cmp.Diff(want, files(t, keys)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// Nobody else may look into a directory that is made for keys, nor may a key be more than one line.
func TestDiscoverKeepsKeysPrivate(t *testing.T) {
	dir := t.TempDir()
	keys := filepath.Join(dir, "a", "b")
	succeeds(t, append(managing(t, dir, subscribed{api: "a", key: "k"}), "--write-keys="+keys)...)
	for _, made := range []string{filepath.Dir(keys), keys} {
		info, err := os.Stat(made)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: mode %v, %v", made, info.Mode(), err)
		}
	}
	got := call(t, append(managing(t, dir, subscribed{api: "a", key: "k\n" + canary}), "--write-keys="+keys+"2")...)
	if got.code != 2 || !strings.Contains(got.err, "invalid: a key is empty or not on one line") {
		t.Errorf("%+v", got)
	}
	testkit.NoCanary(t, "the error", got.err)
}

func TestDiscoverIsDocumented(t *testing.T) {
	content, err := os.ReadFile("../../docs/discover.md")
	if err != nil {
		t.Fatal(err)
	}
	var flags []string
	for _, match := range regexp.MustCompile(`--([a-z.-]+)=`).FindAllStringSubmatch(call(t, "discover", "--help").out, -1) {
		if match[1] != "config.file" && !strings.HasPrefix(match[1], "log.") {
			flags = append(flags, match[1])
		}
	}
	slices.Sort(flags)
	flags = slices.Compact(flags) // the first line of the help repeats some
	for _, f := range flags {
		if !strings.Contains(string(content), "`--"+f+"`") {
			t.Errorf("docs/discover.md does not tell of --%s", f)
		}
	}
	if len(flags) != 10 {
		t.Errorf("flags %q", flags)
	}
}
