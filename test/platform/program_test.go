package platform

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// program is a running process, with everything it has said.
type program struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has
	said  transcript
}

// launch starts a program that ends with the test, and with this process
// however that ends. If the test fails, the program's last words are shown.
func launch(t *testing.T, name, path string, args ...string) *program {
	t.Helper()
	p := &program{name: name, cmd: exec.Command(path, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	err := p.cmd.Start()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended is in its log
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the last words of %s:\n%s", name, p.said.tail(20))
		}
	})
	return p
}

func (p *program) signal(s os.Signal) { _ = p.cmd.Process.Signal(s) }

// kill returns when the process is gone.
func (p *program) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// transcript keeps what is written to it.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.Write(b)
}

func (t *transcript) all() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

func (t *transcript) tail(lines int) string {
	all := strings.Split(strings.TrimSpace(t.all()), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
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
