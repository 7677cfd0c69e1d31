// Package brokertest runs a real RabbitMQ for the tests of one package.
//
// The broker has its own node name, ports, files and certificate authority. It
// ends with the test program, however that ends: a watchdog waits for it.
package brokertest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"text/template"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

// What Debian's package rabbitmq-server installs.
const (
	bin    = "/usr/lib/rabbitmq/bin"
	server = bin + "/rabbitmq-server"
	ctl    = bin + "/rabbitmqctl"
)

// bootTime is far more than a boot takes on a busy machine.
const bootTime = 2 * time.Minute

//go:embed definitions.json
var definitions []byte

//go:embed rabbitmq.conf.tmpl
var configuration string

// Broker is a running RabbitMQ. Its vhosts, users, exchanges and queues are those of definitions.json.
type Broker struct {
	AMQP   string // host:port without TLS
	AMQPS  string // host:port with TLS; the certificate is for the name localhost and 127.0.0.1
	CAFile string // the authority that issued that certificate
	Dir    string // everything it writes is in here

	env      []string
	watchdog *exec.Cmd
	leash    io.WriteCloser // takes the process groups that the watchdog kills when this closes
	server   *exec.Cmd
}

// Expiry is when the broker's certificate ends, and its authority's.
func Expiry() time.Time { return time.Date(2049, time.December, 31, 0, 0, 0, 0, time.UTC) }

// Start boots a broker and returns when it takes logins.
func Start() (*Broker, error) {
	dir, err := os.MkdirTemp("", "brokertest-")
	if err != nil {
		return nil, err
	}
	b := &Broker{Dir: dir, CAFile: filepath.Join(dir, "ca.pem")}
	err = b.start()
	if err != nil {
		b.Stop()
		return nil, err
	}
	return b, nil
}

func (b *Broker) start() error {
	var dist, epmd string
	for _, addr := range []*string{&b.AMQP, &b.AMQPS, &dist, &epmd} {
		free, err := freeAddr()
		if err != nil {
			return err
		}
		*addr = free
	}
	err := b.writeFiles()
	if err != nil {
		return err
	}
	b.env = append(os.Environ(),
		"HOME="+b.Dir, // the cookie
		"RABBITMQ_NODENAME=brokertest-"+port(b.AMQP)+"@localhost",
		"RABBITMQ_CONFIG_FILE="+filepath.Join(b.Dir, "rabbitmq.conf"),
		"RABBITMQ_MNESIA_BASE="+filepath.Join(b.Dir, "data"),
		"RABBITMQ_LOG_BASE="+b.Dir,
		"RABBITMQ_ENABLED_PLUGINS_FILE="+filepath.Join(b.Dir, "plugins"),
		"RABBITMQ_DIST_PORT="+port(dist),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+sbwt none +sbwtdcpu none +sbwtdio none", // no busy waiting
		"ERL_EPMD_PORT="+port(epmd),
		"ERL_EPMD_ADDRESS=127.0.0.1",
	)
	err = b.startWatchdog()
	if err != nil {
		return err
	}
	_, err = b.launch(b.command("epmd", "-port", port(epmd), "-address", "127.0.0.1"))
	if err != nil {
		return err
	}
	return b.Boot()
}

func (b *Broker) writeFiles() error {
	file, err := os.Create(filepath.Join(b.Dir, "rabbitmq.conf"))
	if err != nil {
		return err
	}
	defer file.Close()
	tmpl, err := template.New("rabbitmq.conf").Parse(configuration)
	if err != nil {
		return err
	}
	return errors.Join(
		tmpl.Execute(file, b),
		b.writeCertificates(),
		os.WriteFile(filepath.Join(b.Dir, "definitions.json"), definitions, 0o600),
		os.WriteFile(filepath.Join(b.Dir, "plugins"), []byte("[].\n"), 0o600),
	)
}

// writeCertificates writes an authority, and a certificate that it issued.
func (b *Broker) writeCertificates() error {
	ca := testkit.NewCA("brokertest", testkit.NotAfter(Expiry()))
	server := ca.Issue("localhost", testkit.Hosts("127.0.0.1"), testkit.NotAfter(Expiry()))
	return errors.Join(
		os.WriteFile(b.CAFile, ca.PEM(), 0o600),
		os.WriteFile(filepath.Join(b.Dir, "cert.pem"), server.PEM(), 0o600),
		os.WriteFile(filepath.Join(b.Dir, "key.pem"), server.KeyPEM(), 0o600),
	)
}

// startWatchdog starts a shell that reads process groups, one a line. When its standard
// input ends, as it does with this program, it kills them and removes the files.
func (b *Broker) startWatchdog() error {
	const script = `while read -r group; do groups="$groups -$group"; done; kill -s KILL -- $groups; sleep 0.2; rm -rf "$1"`
	b.watchdog = b.command("sh", "-c", script, "watchdog", b.Dir)
	b.watchdog.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt from the terminal is not for it
	leash, err := b.watchdog.StdinPipe()
	if err != nil {
		return err
	}
	b.leash = leash
	return b.watchdog.Start()
}

// Boot starts the broker again after Kill, with the data it had, and returns when it takes logins.
func (b *Broker) Boot() error {
	out, err := os.OpenFile(filepath.Join(b.Dir, "stdout"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := b.command(server)
	cmd.Stdout, cmd.Stderr = out, out
	b.server, err = b.launch(cmd)
	if err != nil {
		return err
	}
	return b.awaitPort(time.Now().Add(bootTime))
}

// awaitPort waits for the port that the broker opens last.
func (b *Broker) awaitPort(deadline time.Time) error {
	for time.Now().Before(deadline) {
		if b.accepts() {
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	out, _ := os.ReadFile(filepath.Join(b.Dir, "stdout"))
	return fmt.Errorf("no broker at %s after %s: %s", b.AMQPS, bootTime, out)
}

// Kill ends the broker as a crash would, and returns when it is gone. Boot brings it back.
func (b *Broker) Kill() {
	_ = syscall.Kill(-b.server.Process.Pid, syscall.SIGKILL)
	for b.accepts() {
		time.Sleep(time.Millisecond)
	}
}

// Stop ends everything and removes the files. Without it, the end of the program does.
func (b *Broker) Stop() {
	if b.leash != nil {
		_ = b.leash.Close()
		_ = b.watchdog.Wait()
	}
	_ = os.RemoveAll(b.Dir)
}

// Ctl runs rabbitmqctl and returns what it prints.
func (b *Broker) Ctl(args ...string) (string, error) {
	out, err := b.command(ctl, append([]string{"--quiet"}, args...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("rabbitmqctl %q: %w: %s", args, err, out)
	}
	return string(out), nil
}

// Log returns what the broker has logged.
func (b *Broker) Log() (string, error) {
	log, err := os.ReadFile(filepath.Join(b.Dir, "broker.log"))
	return string(log), err
}

// launch starts cmd in a process group of its own and tells the watchdog of it.
func (b *Broker) launch(cmd *exec.Cmd) (*exec.Cmd, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err := cmd.Start()
	if err != nil {
		return nil, fmt.Errorf("the tests need Debian's package rabbitmq-server: %w", err)
	}
	go func() { _ = cmd.Wait() }()
	_, err = fmt.Fprintln(b.leash, cmd.Process.Pid)
	return cmd, err
}

func (b *Broker) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), name, args...) //nolint:gosec // our own names
	cmd.Env, cmd.Dir = b.env, b.Dir
	return cmd
}

func (b *Broker) accepts() bool {
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(context.Background(), "tcp", b.AMQPS)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// freeAddr returns an address below the ports that the system gives to
// clients: one of those could take it while the broker is away.
func freeAddr() (string, error) {
	const low, high = 10000, 30000
	for range 100 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(low+rand.IntN(high-low))) //nolint:gosec // no secret
		listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
		if err == nil {
			return addr, listener.Close()
		}
	}
	return "", errors.New("no free port")
}

func port(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return port
}
