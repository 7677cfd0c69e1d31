package main

import (
	"bytes"
	"context"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// binary is the program as it is shipped, but for the race detector.
var binary string

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" {
		os.Exit(m.Run()) // fuzzing needs no program
	}
	dir, err := os.MkdirTemp("", program)
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, program)
	out, err := exec.Command("go", "build", "-race", "-o", binary, ".").CombinedOutput()
	if err != nil {
		panic(string(out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// patience is how long a test waits for what should happen at once on a machine that is not busy.
const patience = 30 * time.Second

// stream is what a program writes, while it writes.
type stream struct {
	mu      sync.Mutex
	content bytes.Buffer
}

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.content.Write(p)
}

func (s *stream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.content.String()
}

// eventually waits until done; what says what was waited for.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	end := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// served is an exporter that is being tested, in this process or in another.
type served struct {
	out, err *stream
	address  string // host:port
	stop     func() // tells it to end
	ended    chan struct{}
	failed   error // valid after ended
}

// start runs the program in this process until the test ends, and checks that nothing of it is left.
func start(t *testing.T, args ...string) *served {
	t.Helper()
	noLeaks(t)
	ctx, cancel := context.WithCancel(t.Context())
	s := &served{out: &stream{}, err: &stream{}, stop: cancel, ended: make(chan struct{})}
	args = append(args, "--web.listen-address=127.0.0.1:0")
	go func() {
		defer close(s.ended)
		s.failed = run(ctx, args, output{out: s.out, err: s.err})
	}()
	t.Cleanup(func() {
		cancel()
		<-s.ended
	})
	s.listening(t)
	return s
}

// spawn runs the built program until the test ends.
func spawn(t *testing.T, args ...string) (*served, *exec.Cmd) {
	t.Helper()
	cmd := exec.Command(binary, append(args, "--web.listen-address=127.0.0.1:0")...)
	return observe(t, cmd), cmd
}

// observe runs cmd, which becomes the program, until the test ends.
func observe(t *testing.T, cmd *exec.Cmd) *served {
	t.Helper()
	s := &served{out: &stream{}, err: &stream{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = s.out, s.err
	err := cmd.Start()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.ended)
		s.failed = cmd.Wait()
	}()
	s.stop = func() { _ = cmd.Process.Signal(os.Interrupt) }
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-s.ended
	})
	s.listening(t)
	return s
}

var listening = regexp.MustCompile(`Listening on.*address"?[=:]"?(127\.0\.0\.1:\d+)`)

func (s *served) listening(t *testing.T) {
	t.Helper()
	eventually(t, "the port in the log", func() bool {
		match := listening.FindStringSubmatch(s.err.String())
		if match != nil {
			s.address = match[1]
		}
		select {
		case <-s.ended:
			t.Fatalf("ended: %v\n%s", s.failed, s.err)
		default:
		}
		return match != nil
	})
}

// noLeaks checks at the end of the test, after all else, that no goroutine of it is left.
func noLeaks(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// request sends one request to the exporter, on a connection of its own.
func (s *served) request(t *testing.T, method, path string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.address+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, r)
}

func send(t *testing.T, r *http.Request) (status int, body string) {
	t.Helper()
	r.Close = true
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

// write puts a file into dir and returns its path.
func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	err := os.WriteFile(path, []byte(content), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// configure writes a configuration of APIs at one gateway, with an interval of 1s and a key in a file,
// and returns its path. Each API is a name; its path is /name/. There is no negative test.
func configure(t *testing.T, dir, gateway string, apis ...string) string {
	t.Helper()
	write(t, dir, "key", "the-key\n")
	var b strings.Builder
	b.WriteString("defaults: {interval: 1s, timeout: 1s}\napis:\n")
	for _, api := range apis {
		b.WriteString("  " + api + ": {request: {path: /" + api + "/}, unauthenticated: false}\n")
	}
	b.WriteString("institutions:\n  uio:\n    gateway: " + gateway + "\n    apis:\n")
	for _, api := range apis {
		b.WriteString("      " + api + ": {key_file: key}\n")
	}
	return write(t, dir, "config.yml", b.String())
}
