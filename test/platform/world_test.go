package platform

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

const project = "../.." // from the directory the test runs in

// world is everything that runs: the simulated platform, the exporter,
// Prometheus, Alertmanager, and who is notified.
type world struct {
	test     *testing.T // the one that all programs end with
	dir      string
	binary   string // the exporter's
	address  string // the exporter's
	platform *demo.Platform
	secrets  *secrets
	config   document // the exporter's
	native   bool     // whether Prometheus keeps native histograms
	began    time.Time

	exporter *program
	observer *program   // Prometheus
	scraping document   // its configuration
	programs []*program // all that were ever started
	front    *front
	hook     *webhook
	client   client
}

// newWorld starts it all, and returns when Prometheus has seen the exporter.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{test: t, native: keepsNative(t), dir: t.TempDir(), address: freeAddress(t)}
	w.binary = build(t, w.dir)
	var err error
	w.platform, err = demo.Start(demo.Options{WithoutFaults: true, DeadAfter: 500 * time.Millisecond, SlowAfter: slowAnswer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.platform.Close() })
	w.secrets = &secrets{platform: w.platform, found: map[string]bool{}}
	w.platform.SetQueue(deserted, dfo, 0, 1)
	w.configure(t)
	w.front, w.hook = newFront(t, w.address), newWebhook(t, w.secrets)
	w.startExporter()
	w.startPrometheus(w.startAlertmanager())
	w.began = time.Now()
	await(t, w, 30*time.Second, "Prometheus scrapes the exporter", func() []string {
		up, err := w.client.instant("integra_exporter_build_info", time.Now())
		if err != nil || len(up.Result) == 0 {
			return []string{"integra_exporter_build_info"}
		}
		return nil
	})
	return w
}

// build makes the exporter's binary, of the module beside this one.
func build(t *testing.T, dir string) string {
	t.Helper()
	binary := filepath.Join(dir, "integra_exporter")
	cmd := exec.Command("go", "build", "-o", binary, "./cmd/integra_exporter")
	cmd.Dir = project
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("the exporter does not build: %v\n%s", err, said)
	}
	return binary
}

// keepsNative reports whether this Prometheus is a 3.x. Debian's says that it is
// a 2.42; one that is built as a module says nothing.
func keepsNative(t *testing.T) bool {
	t.Helper()
	said, err := exec.Command(*prometheus, "--version").CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v", *prometheus, err)
	}
	return !strings.Contains(string(said), "version 2.")
}

func (w *world) configure(t *testing.T) {
	t.Helper()
	path, err := w.platform.WriteConfig(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	w.config = readDocument(t, path)
	w.config.hasten()
	w.config.alone("ntnu", ownCA)
	w.writeCA()
	w.config.write(path)
}

func (w *world) run(name, path string, args ...string) *program {
	w.test.Helper()
	p := launch(w.test, name, path, args...)
	w.programs = append(w.programs, p)
	return p
}

func (w *world) startExporter() {
	w.exporter = w.run("the exporter", w.binary, "--config.file="+w.config.path, "--web.listen-address="+w.address)
}

func (w *world) startAlertmanager() (address string) {
	w.test.Helper()
	config := filepath.Join(w.dir, "alertmanager.yml")
	shortenRoutes(w.test, filepath.Join(project, "alerts", "alertmanager.example.yml"), config, w.hook.URL)
	address = freeAddress(w.test)
	w.run("Alertmanager", *alertmanager, "--config.file="+config, "--storage.path="+filepath.Join(w.dir, "alertmanager"),
		"--web.listen-address="+address, "--cluster.listen-address=", "--log.level=warn")
	return address
}

func (w *world) startPrometheus(alertmanager string) {
	w.test.Helper()
	rules := filepath.Join(w.dir, "rules")
	must(os.Mkdir(rules, 0o700))
	shortenRules(w.test, filepath.Join(project, "alerts", "*.rules.yml"), rules)
	config := filepath.Join(w.dir, "prometheus.yml")
	exporter := strings.TrimPrefix(w.front.URL, "http://")
	w.scraping = scraping(config, filepath.Join(rules, "*.yml"), exporter, alertmanager, w.native)
	w.scraping.write(config)
	address := freeAddress(w.test)
	w.client = client{"http://" + address, w.secrets}
	// Alertmanager forgets an alert four of these after it heard of it last.
	w.observer = w.run("Prometheus", *prometheus, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(w.dir, "prometheus"),
		"--web.listen-address="+address, "--rules.alert.resend-delay=5s", "--log.level=warn")
}

// reload writes the exporter's configuration and tells the exporter.
func (w *world) reload() {
	w.config.write(w.config.path)
	w.exporter.signal(syscall.SIGHUP)
}

// await polls until missing says that nothing is, and fails the test with what it said last.
func await(t *testing.T, w *world, limit time.Duration, what string, missing func() []string) {
	t.Helper()
	deadline := time.Now().Add(limit)
	for {
		left := missing()
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v:\n  %s\n%s", what, limit, strings.Join(left, "\n  "), w.situation())
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// situation says what the programs think of the platform.
func (w *world) situation() string {
	var lines []string
	for _, n := range w.hook.all() {
		lines = append(lines, fmt.Sprintf("%6.1fs %s %s to %s", n.at.Sub(w.began).Seconds(), n.Status, n.alert(), n.receiver))
	}
	return "notifications so far:\n  " + strings.Join(lines, "\n  ") +
		"\nalerts in Prometheus:\n  " + strings.Join(w.client.alerts(), "\n  ")
}
