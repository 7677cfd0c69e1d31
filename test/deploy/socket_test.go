package deploy

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// systemd opens the socket, and starts the exporter when somebody calls.
func TestSocketActivation(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "socket")
	launch(t, "systemd-socket-activate", "--listen="+socket, exporter(t), "demo", "--web.systemd-socket")
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	eventually(t, "an answer", func() string {
		response, err := client.Get("http://integra/-/ready")
		if err != nil {
			return err.Error()
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return response.Status
		}
		return ""
	})
}

// The socket is the one that the exporter opens without systemd.
func TestSocketUnit(t *testing.T) {
	unit := read(t, root+"/deploy/systemd/integra_exporter.socket")
	help := output(t, exporter(t), "serve", "--help")
	if !strings.Contains(unit, "\nListenStream=10056\n") || !strings.Contains(help, ":10056") {
		t.Errorf("%s\n%s", unit, help)
	}
}
