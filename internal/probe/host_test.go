package probe

import (
	"net/url"
	"testing"
)

// The port that follows from the scheme is not part of Host, as browsers and curl have it.
func TestHostHeader(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://gw.test": "gw.test", "https://gw.test:443": "gw.test", "https://gw.test:8443": "gw.test:8443", "https://gw.test:80": "gw.test:80",
		"http://gw.test:80": "gw.test", "http://gw.test:443": "gw.test:443", "https://[::1]:443": "[::1]", "https://[::1]:1": "[::1]:1",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := hostHeader(u); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
}
