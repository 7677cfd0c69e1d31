package demo

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"
)

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
	for _, k := range c.Institutions[watcher].Keys {
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

// When Run begins, the configured key of one API has been renewed.
func TestRunChangesKeys(t *testing.T) {
	p := start(t, Options{})
	configured := p.Key("uib", "stillinger")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.Run(ctx)
	states := map[string]ManagedKey{}
	for _, k := range p.ManagedKeys("uib") {
		states[k.Value] = k
	}
	old := states[configured]
	if !old.Superseded || old.Expired || time.Until(old.Expires) < time.Hour {
		t.Errorf("the renewed key is %+v", old)
	}
	if fault := p.management("himolde").shown(); fault != ManagementForbidden {
		t.Errorf("every API manager can be read: %v", fault)
	}
}
