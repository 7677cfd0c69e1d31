//go:build conformance

package conformance

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// version is a gateway that scripts/install-gateways has put together.
type version struct {
	number  string
	java    string   // the variable that names the JDK
	inner   string   // the port at which its APIs' definitions look for the gateway itself
	flags   []string // of Java
	closing bool     // the recorded requests asked for the connection to be closed
	// engines are the recordings' engines of its APIs, by the ending of the API's name.
	engines map[string]string
}

func versions() []version {
	return []version{
		{number: "3.20.32", java: "JAVA_HOME_17", inner: "18593", closing: true, engines: map[string]string{"": "v3"}},
		{
			number: "3.20.32", java: "JAVA_HOME_17", inner: "18593", closing: true,
			flags: []string{"-Dapi.jupiterMode.enabled=true"}, engines: map[string]string{"-e": "jupiter"},
		},
		{
			number: "4.10.8", java: "JAVA_HOME_21", inner: "18592",
			flags: []string{"-Dhttp.requestTimeout=8000"}, engines: map[string]string{"": "v3", "-e": "v4emulation", "-n": "v4native"},
		},
	}
}

// startGateway starts the real gateway of a version with all its APIs, in front of backends, and returns its address.
func startGateway(t *testing.T, v version, behind *backends) string {
	t.Helper()
	home, err := filepath.Abs("../../.tools/gateways/" + v.number)
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(freePort(t))
	args := append([]string{
		"-Xmx256m", "-Dgravitee.home=" + home, "-Dgravitee.conf=gateway/gravitee.yml", "-Dhttp.port=" + port,
	}, v.flags...)
	args = append(args, "-cp", filepath.Join(home, "lib", "*"), "gateway/Gateway.java")
	args = append(args, definitions(t, v, port, behind)...)
	java := filepath.Join(os.Getenv(v.java), "bin", "java")
	command := exec.CommandContext(t.Context(), java, args...)
	hold, err := command.StdinPipe() // it ends with its standard input
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	command.Stderr = &log
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	err = command.Start()
	if err != nil {
		t.Fatalf("%v: scripts/install-gateways says which JDK $%s is", err, v.java)
	}
	t.Cleanup(func() {
		_ = hold.Close()
		_ = command.Wait()
	})
	address := "127.0.0.1:" + port
	err = awaitReady(t.Context(), out, address)
	if err != nil {
		t.Fatalf("gateway %s: %v\n%s", v.number, err, log.Bytes())
	}
	return address
}

// definitions writes a file for each API, with the ports of this run, and returns their names.
func definitions(t *testing.T, v version, port string, behind *backends) (files []string) {
	t.Helper()
	text, err := os.ReadFile("gateway/situations-" + v.number + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	replace := []string{"127.0.0.1:" + v.inner, "127.0.0.1:" + port}
	for i, backend := range behind.ports {
		replace = append(replace, fmt.Sprintf("127.0.0.1:%d", firstBackend+i), fmt.Sprintf("127.0.0.1:%d", backend))
	}
	dir := t.TempDir()
	for line := range strings.Lines(strings.NewReplacer(replace...).Replace(string(text))) {
		var definition struct{ API struct{ Name string } }
		err = json.Unmarshal([]byte(line), &definition)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(dir, definition.API.Name+".json")
		err = os.WriteFile(name, []byte(line), 0o600)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, name)
	}
	return files
}

// awaitReady returns once the gateway has said that it is ready and its port is open: version 4 says so on a taken port too.
func awaitReady(ctx context.Context, out io.Reader, address string) error {
	ready := make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if lines.Text() == "ready" {
				ready <- nil
				_, _ = io.Copy(io.Discard, out)
				return
			}
		}
		ready <- fmt.Errorf("it has ended before it was ready")
	}()
	select {
	case err := <-ready:
		if err != nil {
			return err
		}
	case <-time.After(2 * time.Minute):
		return fmt.Errorf("it was not ready within two minutes")
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
