package discover

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/config"
	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/testkit"
	"github.com/integra-exporter/integra_exporter/internal/testkit/recordings"
)

// What real API managers answered to a plain member: every path that they tell is true, and nothing else is said to be.
func TestRecordedAPIManagers(t *testing.T) {
	for _, c := range []struct {
		version, application string
		without              []string
		paths                map[string]string // of the request of each API, by name
		guessed              []string          // whose path is
		remarks              []string
	}{
		{
			"3.20.32", "1542938f-4819-4a55-8293-8f4819aa55b7", nil,
			map[string]string{
				"ansatte": "/lonn/v1/", "stillinger": "/lonn/v1/", "fs-gemini": "/preview/fs/gemini/",
				"manuell": "/manuell/v1/", "ok": "/ok/",
			},
			[]string{"ok"}, // neither published nor of this user
			[]string{
				"# STOPPED in the API manager: the gateway has no such API until it is started.",
				"# NOT BEGUN: the gateway refuses the key until the subscription begins, 2026-12-30T23:15:57Z.",
				"# PAUSED in the API manager: the gateway refuses the key until the subscription is resumed.",
				"# Ends 2027-01-09T23:14:47Z. The exporter reads that from the API manager: no key_expires is needed.",
			},
		},
		{
			"4.6.12", "6c991d25-f0db-46ad-991d-25f0dbb6adb8", nil, // with a V4 API, whose definition is answered with 500
			map[string]string{"ok": "/ok/", "v4-api": "/v4-api/"},
			[]string{"ok", "v4-api"},
			nil,
		},
		{
			"4.6.12", "9db568a6-face-40c1-b568-a6face20c11a",
			[]string{"subscriptions-changed"},
			map[string]string{"ansatte": "/lonn/v1/", "stillinger": "/lonn/v1/"},
			nil,
			[]string{"# Ends 2027-01-09T23:49:23Z."},
		},
	} {
		dir := t.TempDir()
		said, summary := discovered(t, dir, recordings.ServeManager(t, c.version, c.without...).URL, c.application)
		for name, path := range c.paths {
			entry := regexp.MustCompile(`(?s)((?:\n  #[^\n]*)+)\n  ` + name + `:\n(.*?)\n\n`).FindStringSubmatch(said)
			if entry == nil || !strings.Contains(entry[2], "path: "+path) {
				t.Errorf("%s: %s: no request to %s", c.version, name, path)
				continue
			}
			want := slices.Contains(c.guessed, name)
			if got := strings.Contains(entry[1], "GUESS: the context path"); got != want {
				t.Errorf("%s: %s: path guessed: %v, want %v", c.version, name, got, want)
			}
		}
		for _, remark := range c.remarks {
			if !strings.Contains(said, remark) {
				t.Errorf("%s: without the remark %q", c.version, remark)
			}
		}
		if strings.Contains(said, "key_expires:") || strings.Contains(said+summary, "00000000-0000-4000") || t.Failed() {
			t.Errorf("%s:\n%s\n%s", c.version, said, summary)
		}
		_, err := config.Load(testkit.WriteFile(t, dir, "config.yml", said), probe.NewShared())
		if err != nil {
			t.Errorf("%s: the configuration is refused: %v", c.version, err)
		}
	}
}

func discovered(t *testing.T, dir, manager, application string) (said, summary string) {
	t.Helper()
	t.Chdir(dir)
	var out, errors bytes.Buffer
	o := Options{
		Institution: "uio", URL: manager + "/management", Application: application,
		TokenFile: testkit.WriteFile(t, dir, "token", "user\n"), Organization: "DEFAULT", Environment: "DEFAULT",
		KeysDir: "keys", Out: &out, Err: &errors,
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 30, 23, 55, 0, 0, time.UTC))) // the end of the recording
		err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
	})
	keys, err := filepath.Glob("keys/*")
	if err != nil || len(keys) != strings.Count(out.String(), "key_file:") {
		t.Errorf("%d keys are there, %d are named", len(keys), strings.Count(out.String(), "key_file:"))
	}
	info, err := os.Stat(keys[0])
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the first key: %v", err)
	}
	if diff := cmp.Diff(1, strings.Count(errors.String(), "with a usable key")); diff != "" {
		t.Errorf("summary %q", errors.String())
	}
	return out.String(), errors.String()
}
