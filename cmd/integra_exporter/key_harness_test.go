package main

import (
	"encoding/base64"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

// institute is one API of uio with its API manager, both asked every second.
type institute struct {
	*demo.Platform
	dir    string
	config string
}

// manage starts a platform and writes a configuration of uio's stillinger, with
// extra beside its key_file and keys as its list of watched credentials.
func manage(t *testing.T, options demo.Options, extra, keys string) institute {
	t.Helper()
	options.WithoutFaults = true
	platform, err := demo.Start(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = platform.Close() })
	config, err := platform.WriteConfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	i := institute{platform, filepath.Dir(config), config}
	i.configure(t, extra, keys)
	return i
}

func (i institute) configure(t *testing.T, extra, keys string) {
	t.Helper()
	_, path, _ := i.Request("stillinger")
	write(t, i.dir, "config.yml", fmt.Sprintf(`
defaults: {interval: 1s, timeout: 1s, tls: {ca_file: ca.pem}}
apis:
  stillinger: {request: {path: %s}, unauthenticated: false}
institutions:
  uio:
    gateway: %s
    tls: {server_name: %s}
    apis: {stillinger: {key_file: keys/uio-stillinger%s}}
    keys: [%s]
    gravitee: {url: %q, application: %s, token_file: keys/uio-gravitee-token, interval: 1s}
`, path, i.URL("uio"), i.ServerName("uio"), extra, keys, i.ManagementURL("uio"), i.Application("uio")))
}

// present reports whether each of the API's series has its value; the key is name or name{label="value".
func (s series) present(want map[string]float64) bool {
	for name, value := range want {
		got, there := s[name]
		if !there || got != value {
			return false
		}
	}
	return true
}

func keyState(kind, target, state string) string {
	return fmt.Sprintf(`integra_key_expiry_state{institution="uio",kind=%q,state=%q,target=%q}`, kind, state, target)
}

func keyEnd(kind, target, source string) string {
	return fmt.Sprintf(`integra_key_expiry_timestamp_seconds{institution="uio",kind=%q,source=%q,target=%q}`, kind, source, target)
}

func jwtOf(subject string, end time.Time) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none"}`)) + "." + encode(fmt.Appendf(nil, `{"sub":%q,"exp":%d}`, subject, end.Unix())) + "." + encode([]byte(subject))
}

const managerRead = `integra_gravitee_success{institution="uio"}`

const managerReadAt = `integra_gravitee_last_success_timestamp_seconds{institution="uio"}`
