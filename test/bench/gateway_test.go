package bench

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

const exampleKey = "00000000-0000-4000-8000-000000000000"

// body is 2 KiB of JSON.
var body = `["` + strings.Repeat("a", 2044) + `"]`

// gatewayCA makes this program a gateway in a process of its own, whose CPU time is not that of what is measured. Its
// value is the file that the gateway writes its authority's certificate to.
const gatewayCA = "BENCH_GATEWAY_CA"

func TestMain(m *testing.M) {
	caFile := os.Getenv(gatewayCA)
	if caFile == "" {
		os.Exit(m.Run())
	}
	err := serveGateway(caFile)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveGateway prints the gateway's URL and serves until its standard input ends.
func serveGateway(caFile string) error {
	certificate, err := newCertificate(caFile)
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, newGateway(certificate, http.HandlerFunc(answer)).URL)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// newGateway starts a gateway that speaks HTTP/1.1 over TLS.
func newGateway(certificate tls.Certificate, handler http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{certificate}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // probes of a host that hangs end in the middle
	server.StartTLS()
	return server
}

func answer(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, body)
}

// gateway is one that runs in a process of its own until the benchmark ends.
type gateway struct{ url, caFile string }

func startGateway(b *testing.B) gateway {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	g := gateway{caFile: filepath.Join(b.TempDir(), "ca.pem")}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), gatewayCA+"="+g.caFile, "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	err = cmd.Start()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("the gateway does not start: %v", err)
	}
	g.url = strings.TrimSpace(line)
	return g
}

// newCertificate makes an authority, whose certificate it writes to caFile, and returns one for 127.0.0.1 issued by it.
func newCertificate(caFile string) (tls.Certificate, error) {
	ca := testkit.NewCA("bench CA")
	err := os.WriteFile(caFile, ca.PEM(), 0o600)
	return ca.Issue("127.0.0.1").TLS(), err
}
