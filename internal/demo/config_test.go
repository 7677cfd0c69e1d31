package demo

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

func TestWriteConfigFiles(t *testing.T) {
	p := start(t, quick())
	dir := filepath.Join(t.TempDir(), "new", "demo")
	path, err := p.WriteConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	if path != filepath.Join(dir, "config.yml") {
		t.Errorf("wrote %s", path)
	}
	want := map[string]fs.FileMode{"config.yml": 0o644, "ca.pem": 0o644, "keys": fs.ModeDir | 0o700, ".": fs.ModeDir | 0o700}
	for _, target := range p.Targets() {
		name := "keys/" + target.Institution + "-" + target.API
		want[name] = 0o600
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(content) != p.Key(target.Institution, target.API)+"\n" {
			t.Errorf("%s holds another key, or none: %v", name, err)
		}
	}
	for _, access := range p.Accesses() {
		name := "keys/" + access.Institution + "-" + access.Application
		want[name] = 0o600
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(content) != p.Password(access.Institution, access.Application)+"\n" {
			t.Errorf("%s holds another password, or none: %v", name, err)
		}
	}
	for _, name := range []string{"ntnu", "uib", "uio", "uit", "oslomet", "himolde"} {
		want["keys/"+name+"-gravitee-token"] = 0o600
	}
	want["keys/uio-virksomhetssertifikat.pem"], want["keys/uio-brom-token.jwt"] = 0o600, 0o600
	got := map[string]fs.FileMode{}
	err = fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		got[path] = info.Mode()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestWriteConfigReplacesItsOwn(t *testing.T) {
	dir := t.TempDir()
	_, err := start(t, quick()).WriteConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "keys", "uio-krr")
	for path, mode := range map[string]fs.FileMode{key: 0o644, filepath.Join(dir, "keys"): 0o755} {
		err = os.Chmod(path, mode)
		if err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, quick())
	path, err := p.WriteConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	content, _ := os.ReadFile(path)
	if !strings.Contains(string(content), p.URL("uio")+" ") {
		t.Error("the old address is still there")
	}
	for path, want := range map[string]fs.FileMode{key: 0o600, filepath.Join(dir, "keys"): 0o700 | fs.ModeDir} {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v, want %v", path, info.Mode(), err, want)
		}
	}
}

func TestWriteConfigSparesOthers(t *testing.T) {
	dir := t.TempDir()
	const mine = "institutions: {}\n"
	err := os.WriteFile(filepath.Join(dir, "config.yml"), []byte(mine), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = start(t, quick()).WriteConfig(dir)
	if err == nil || !strings.HasSuffix(err.Error(), "config.yml: the demo did not write it") {
		t.Errorf("error %v", err)
	}
	entries, _ := os.ReadDir(dir)
	content, _ := os.ReadFile(filepath.Join(dir, "config.yml"))
	if len(entries) != 1 || string(content) != mine {
		t.Errorf("%d files, config.yml %q", len(entries), content)
	}
}

func TestWriteConfigNeedsAPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	err := os.WriteFile(file, nil, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = start(t, quick()).WriteConfig(file)
	if err == nil {
		t.Error("wrote below a file")
	}
}

// Package config tests the keys of the YAML; this tests what the demo promises.
func TestConfigSaysWhatThePlatformIs(t *testing.T) {
	p := start(t, quick())
	path, err := p.WriteConfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Defaults     struct{ Interval, Timeout string }
		APIs         map[string]struct{ Request map[string]any }
		Institutions map[string]struct {
			Title, Contact, Gateway string
			TLS                     map[string]string
			APIs                    map[string]struct {
				KeyFile string `yaml:"key_file"`
			}
		}
	}
	err = yaml.Unmarshal(content, &c)
	if err != nil {
		t.Fatal(err)
	}
	if c.Defaults.Interval != "10s" || c.Defaults.Timeout != "4s" {
		t.Errorf("defaults %+v", c.Defaults)
	}
	targets := 0
	for name, i := range c.Institutions {
		if i.Gateway != p.URL(name) || i.TLS["server_name"] != p.ServerName(name) || i.Title == "" || i.Contact == "" {
			t.Errorf("%s: %+v", name, i)
		}
		targets += len(i.APIs)
		for api := range i.APIs {
			_, want, _ := p.Request(api)
			if got := c.APIs[api].Request["path"]; got != want {
				t.Errorf("%s: path %v, want %s", api, got, want)
			}
		}
	}
	if targets != len(p.Targets()) {
		t.Errorf("%d targets configured, %d there", targets, len(p.Targets()))
	}
}

type writtenConfig struct {
	Institutions map[string]struct {
		APIs map[string]struct {
			KeyExpires string `yaml:"key_expires"`
		}
		Keys []struct {
			Name, Expires, Interval string
			Certificate             string `yaml:"certificate_file"`
			JWT                     string `yaml:"jwt_file"`
		}
		Gravitee struct {
			URL, Application, Interval string
			Token                      string `yaml:"token_file"`
		}
	}
}

func written(t *testing.T, p *Platform) (dir string, c writtenConfig) {
	t.Helper()
	path, err := p.WriteConfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	err = yaml.Unmarshal(content, &c)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(path), c
}

func TestConfigReadsTheAPIManagers(t *testing.T) {
	p := start(t, quick())
	dir, c := written(t, p)
	for name, i := range c.Institutions {
		token, err := os.ReadFile(filepath.Join(dir, i.Gravitee.Token))
		if err != nil || strings.TrimSpace(string(token)) != p.ManagementToken(name) {
			t.Errorf("%s: another token, or none: %v", name, err)
		}
		every, err := time.ParseDuration(i.Gravitee.Interval)
		if i.Gravitee.URL != p.ManagementURL(name) || i.Gravitee.Application != p.Application(name) || err != nil || every > 15*time.Second {
			t.Errorf("%s: %+v", name, i.Gravitee)
		}
	}
}

func TestConfigAgreesWithTheAPIManagers(t *testing.T) {
	p := start(t, quick())
	_, c := written(t, p)
	said := 0
	for _, e := range expiries {
		got := c.Institutions[e.Institution].APIs[e.API].KeyExpires
		var ends time.Time
		for _, k := range p.ManagedKeys(e.Institution) {
			if k.Value == p.Key(e.Institution, e.API) {
				ends = k.Expires
			}
		}
		want := "never"
		if e.left > 0 {
			want = ends.UTC().Format(time.DateOnly)
		}
		if got != want || e.left > 0 && time.Until(ends) < e.left-2*day {
			t.Errorf("%v: %q, the API manager says %v", e.Target, got, ends)
		}
		said++
	}
	if said < 3 {
		t.Errorf("only %d keys with an end", said)
	}
}

func TestConfigWatchesCredentials(t *testing.T) {
	dir, c := written(t, start(t, quick()))
	soon := func(what string, end time.Time, err error) {
		t.Helper()
		if left := time.Until(end); err != nil || left < day || left > 45*day {
			t.Errorf("%s ends in %v, want soon: %v", what, left, err)
		}
	}
	kinds := map[string]bool{}
	for _, k := range c.Institutions[withCredentials].Keys {
		if k.Interval != "5s" {
			t.Errorf("%s: every %s", k.Name, k.Interval)
		}
		switch {
		case k.Expires == "never":
			kinds["never"] = true
		case k.Expires != "":
			kinds["date"] = true
			end, err := time.Parse(time.DateOnly, k.Expires)
			soon(k.Name, end, err)
		case k.Certificate != "":
			kinds["certificate"] = true
			end, err := certificateEnd(filepath.Join(dir, k.Certificate))
			soon(k.Name, end, err)
		default:
			kinds["jwt"] = true
			end, err := tokenEnd(filepath.Join(dir, k.JWT))
			soon(k.Name, end, err)
		}
	}
	if len(kinds) != 4 {
		t.Errorf("credentials of %v only", kinds)
	}
}

func certificateEnd(path string) (time.Time, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}, err
	}
	block, _ := pem.Decode(content)
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return time.Time{}, err
	}
	return certificate.NotAfter, nil
}

func tokenEnd(path string) (time.Time, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return time.Time{}, err
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(content), ".")[1])
	if err != nil {
		return time.Time{}, err
	}
	var claims struct{ Exp int64 }
	err = json.Unmarshal(payload, &claims)
	return time.Unix(claims.Exp, 0), err
}
