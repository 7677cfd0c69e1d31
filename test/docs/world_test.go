// Package docs_test follows the documentation: links lead somewhere,
// configurations are taken, commands run.
//
// They run in a world of their own, made of Linux namespaces: the names of
// IntArk's hosts lead to the simulated platform on this machine, so that the
// documented commands run as they stand.
package docs_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

// inWorld names the world's directory, in the environment of the tests that run in there; outside is the mount
// namespace that they must not be in.
const (
	inWorld = "DOCS_WORLD"
	outside = "DOCS_OUTSIDE"
)

const root = "../../"

// TestMain runs the tests again, in the world.
func TestMain(m *testing.M) {
	dir, inside := os.LookupEnv(inWorld)
	if inside {
		os.Exit(within(dir, m.Run))
	}
	status, err := enter()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

// enter builds the program, which may need the network, and begins the world.
func enter() (status int, err error) {
	dir, err := os.MkdirTemp("", "integra-docs-")
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "integra_exporter"), "./cmd/integra_exporter")
	build.Dir = root
	said, err := build.CombinedOutput()
	if err != nil {
		return 1, fmt.Errorf("%w\n%s", err, said)
	}
	signal.Ignore(os.Interrupt) // it is for the tests inside, which end by it
	again := exec.Command(os.Args[0], os.Args[1:]...)
	again.Stdout, again.Stderr = os.Stdout, os.Stderr
	again.Env = append(os.Environ(), inWorld+"="+dir, outside+"="+mountNamespace(), "TMPDIR="+dir)
	again.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	err = again.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// within runs the tests with the platform around them.
func within(dir string, tests func() int) int {
	platform, err := demo.Start(demo.Options{WithoutFaults: true})
	if err == nil {
		defer func() { _ = platform.Close() }()
		err = furnish(dir, platform)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the world cannot be made:", err)
		return 1
	}
	return tests()
}

// Where the world has the gateways and the broker. The API manager is on another port of the gateway, whose
// name its certificate has.
const (
	gateway = "127.0.0.2"
	broker  = "127.0.0.3"
	ntnu    = "127.0.0.4"
	hosts   = "127.0.0.1 localhost\n" +
		gateway + " gw-uio.intark.uh-it.no\n" +
		broker + " mq-uio.intark.uh-it.no\n" +
		ntnu + " gw-ntnu.intark.uh-it.no\n"
)

func mountNamespace() string {
	name, _ := os.Readlink("/proc/self/ns/mnt")
	return name
}

// furnish makes the world, and stops at what fails: nothing may be mounted in the machine's own namespace.
func furnish(dir string, platform *demo.Platform) error {
	address := func(url string) string { return strings.Split(url, "/")[2] }
	for _, step := range []func() error{
		func() error {
			if mountNamespace() == "" || mountNamespace() == os.Getenv(outside) || os.Getenv(outside) == "" {
				return errors.New("this is the machine's own namespace")
			}
			return unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
		},
		loopbackUp,
		func() error { return splice(gateway+":443", address(platform.URL("uio"))) },
		func() error { return splice(ntnu+":443", address(platform.URL("ntnu"))) },
		func() error { return splice(gateway+":8443", address(platform.ManagementURL("uio"))) },
		func() error { return splice(broker+":5671", address(platform.BrokerURL("uio"))) },
		func() error { return write(filepath.Join(dir, "hosts"), hosts) },
		func() error { return unix.Mount(filepath.Join(dir, "hosts"), "/etc/hosts", "", unix.MS_BIND, "") },
		func() error { return layCertificates(dir, platform) },
		func() error { return layPrometheus(dir) },
		func() error { return layWork(dir, platform) },
		func() error { return onlyToRead(dir) },
	} {
		err := step()
		if err != nil {
			return err
		}
	}
	return nil
}

func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(socket) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, lo)
}

// splice leads connections to at on to to, for good.
func splice(at, to string) error {
	listener, err := net.Listen("tcp", at)
	if err != nil {
		return err
	}
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			go join(from, to)
		}
	}()
	return nil
}

func join(from net.Conn, to string) {
	defer func() { _ = from.Close() }()
	other, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(other, from)
		_ = other.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(from, other)
	_ = other.Close()
}
