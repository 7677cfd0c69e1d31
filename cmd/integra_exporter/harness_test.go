package main

import (
	"context"
	"flag"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
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
	out, err := exec.Command("go", append(append([]string{"build"}, buildFlags()...), "-o", binary, ".")...).CombinedOutput()
	if err != nil {
		panic(string(out))
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// served is an exporter that is being tested, in this process or in another.
type served struct {
	out, err *testkit.Buffer
	address  string // host:port
	stop     func() // tells it to end
	ended    chan struct{}
	failed   error // valid after ended
}

// start runs the program in this process until the test ends, and checks that nothing of it is left.
func start(t *testing.T, args ...string) *served {
	t.Helper()
	testkit.NoLeaks(t)
	ctx, cancel := context.WithCancel(t.Context())
	s := &served{out: &testkit.Buffer{}, err: &testkit.Buffer{}, stop: cancel, ended: make(chan struct{})}
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
	s := &served{out: &testkit.Buffer{}, err: &testkit.Buffer{}, ended: make(chan struct{})}
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
	testkit.Eventually(t, "the port in the log", func() bool {
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

// configure writes a configuration of APIs at one gateway, with an interval of 1s and a key in a file,
// and returns its path. Each API is a name; its path is /name/. There is no negative test.
func configure(t *testing.T, dir, gateway string, apis ...string) string {
	t.Helper()
	testkit.WriteFile(t, dir, "key", "the-key\n")
	var b strings.Builder
	b.WriteString("defaults: {interval: 1s, timeout: 1s}\napis:\n")
	for _, api := range apis {
		b.WriteString("  " + api + ": {request: {path: /" + api + "/}, unauthenticated: false}\n")
	}
	b.WriteString("institutions:\n  uio:\n    gateway: " + gateway + "\n    apis:\n")
	for _, api := range apis {
		b.WriteString("      " + api + ": {key_file: key}\n")
	}
	return testkit.WriteFile(t, dir, "config.yml", b.String())
}

// series are the samples of a scrape, by name and labels as they are written.
type series map[string]float64

func (s *served) metrics(t *testing.T) series {
	t.Helper()
	status, body := s.request(t, "GET", "/metrics")
	if status != 200 {
		t.Fatalf("/metrics: %d\n%s", status, body)
	}
	samples := series{}
	for line := range strings.Lines(body) {
		name, value, ok := cutLast(strings.TrimSpace(line), " ")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		number, err := strconv.ParseFloat(value, 64)
		if err != nil {
			t.Fatalf("not a sample: %s", line)
		}
		samples[name] = number
	}
	return samples
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// of returns the series of a family that belong to a target of uio.
func of(family, target string) string {
	return family + `{institution="uio",kind="api",target="` + target + `"}`
}

// family returns the samples of one name.
func (s series) family(name string) series {
	found := series{}
	for key, value := range s {
		if key == name || strings.HasPrefix(key, name+"{") {
			found[key] = value
		}
	}
	return found
}

// mentions says whether any series is about target.
func (s series) mentions(target string) bool {
	for key := range s {
		if strings.Contains(key, `target="`+target+`"`) {
			return true
		}
	}
	return false
}

// reasons returns layer and reason of what fails now, by institution, kind and target.
func (s series) reasons() map[string]string {
	found := map[string]string{}
	for key := range s.family("integra_probe_failure_info") {
		labels := regexp.MustCompile(`institution="(.*)",kind="(.*)",layer="(.*)",reason="(.*)",target="(.*)"`).FindStringSubmatch(key)
		found[labels[1]+" "+labels[2]+" "+labels[5]] = labels[3] + " " + labels[4]
	}
	return found
}

// documentedFamilies are the names in the tables of docs/metrics.md, which collector holds against the contract.
func documentedFamilies(t *testing.T) []string {
	t.Helper()
	content, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, match := range regexp.MustCompile("(?m)^\\| `(integra_\\w+)` \\| (\\w+)").FindAllStringSubmatch(string(content), -1) {
		name := match[1]
		if match[2] == "histogram" {
			name += "_count"
		}
		names = append(names, name)
	}
	if len(names) < 38 {
		t.Fatalf("only %d families in docs/metrics.md", len(names))
	}
	return names
}
