package soak

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

type object = map[string]any

// world is the platform and the exporter, in a process of its own.
type world struct {
	platform *demo.Platform
	url      string // the exporter's
	config   string // its file
	root     object // what stands there
	away     any    // the target that comes and goes, while it is away

	clear                    func() // ends the present fault
	last                     sample
	scrapes, reloads, faults int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	platform, err := demo.Start(demo.Options{WithoutFaults: true, DeadAfter: 300 * time.Millisecond, SlowAfter: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = platform.Close() })
	dir := t.TempDir()
	w := &world{platform: platform, clear: func() {}}
	w.config, err = platform.WriteConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(w.config)
	if err == nil {
		err = yaml.Unmarshal(content, &w.root)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.hasten()
	w.write(t)
	w.start(t, build(t, dir))
	return w
}

// hasten makes everything run often. One target keeps its connection, which is always one: its run before is over.
func (w *world) hasten() {
	defaults := w.at("defaults")
	defaults["interval"], defaults["timeout"] = "2s", "2s"
	for _, api := range w.at("apis") {
		api.(object)["unauthenticated"] = object{"interval": "2s"}
	}
	for _, institution := range w.at("institutions") {
		i := institution.(object)
		applications, _ := i["rabbitmq"].([]any)
		for _, application := range applications {
			application.(object)["interval"] = "5s" // a refused login takes 3 s
		}
		i["gravitee"].(object)["interval"] = "1s"
	}
	kept := w.at("institutions", "uit", "apis", "inspera")
	kept["connection"], kept["unauthenticated"] = "reuse", false
}

func (w *world) at(path ...string) object {
	node := w.root
	for _, name := range path {
		node = node[name].(object)
	}
	return node
}

func (w *world) write(t *testing.T) {
	t.Helper()
	content, err := yaml.Marshal(w.root)
	if err == nil {
		err = os.WriteFile(w.config, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// reload changes one target, takes another away or brings it back, and leaves the rest.
func (w *world) reload(t *testing.T) {
	t.Helper()
	w.reloads++
	apis := w.at("institutions", changes.Institution, "apis")
	apis[changes.API].(object)["max_body_size"] = []string{"1MiB", "2MiB"}[w.reloads%2]
	w.away, apis[comesAndGoes.API] = apis[comesAndGoes.API], w.away
	if w.away != nil {
		delete(apis, comesAndGoes.API)
	}
	w.write(t)
	response, err := http.Post(w.url+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	said, _ := io.ReadAll(response.Body)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("a reload failed: %s\n%s", response.Status, said)
	}
}

// build makes the exporter's binary, of the module above this one.
func build(t *testing.T, dir string) string {
	t.Helper()
	binary := filepath.Join(dir, "integra_exporter")
	cmd := exec.Command("go", "build", "-o", binary, "./cmd/integra_exporter")
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the exporter does not build: %v\n%s", err, said)
	}
	return binary
}

// start runs the exporter until the test ends, and returns when it answers.
func (w *world) start(t *testing.T, binary string) {
	t.Helper()
	address := freeAddress(t)
	w.url = "http://" + address
	var said bytes.Buffer
	cmd := exec.Command(binary, "--config.file="+w.config, "--web.listen-address="+address, "--web.enable-lifecycle", "--log.level=error")
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err := cmd.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if said.Len() > 0 {
			t.Errorf("the exporter has complained:\n%s", said.String())
		}
	})
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		response, err := http.Get(w.url + "/-/ready")
		if err == nil {
			_ = response.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the exporter does not answer")
		}
	}
}

// freeAddress returns an address on loopback that nobody listened at a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
