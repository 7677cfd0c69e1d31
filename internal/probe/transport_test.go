package probe

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// connects is a proxy that lets everything through to one address.
func connects(to string) script {
	return func(_ *door, c net.Conn) {
		r := bufio.NewReader(c)
		req, err := http.ReadRequest(r)
		if err != nil || req.Method != http.MethodConnect {
			return
		}
		there, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		var both sync.WaitGroup
		both.Go(func() {
			_, _ = io.Copy(there, r)
			_ = there.Close()
		})
		both.Go(func() {
			_, _ = io.Copy(c, there)
			_ = c.Close()
		})
		both.Wait()
	}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.gateway(answers(response("200 OK", goodJSON)))
	proxy := serve(t, nil, connects("127.0.0.1:"+d.port))
	p := l.plan(d.port)
	p.Proxy = "http://127.0.0.1:" + proxy.port
	seen, err := run(t, p.prober(), ample)
	want := answered("", "", 200, len(goodJSON))
	want.Phases = strings.TrimPrefix(want.Phases, "resolve ") // the proxy's address is a number
	diff := cmp.Diff(want, sightOf(seen, err))
	if diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if proxy.accepts.Load() != 1 {
		t.Errorf("%d connections to the proxy", proxy.accepts.Load())
	}
}

// A proxy that never says yes ends with the probe, and so does what waits for it.
func TestSilentProxyEndsInTime(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, kept := range []bool{false, true} {
		proxy := serve(t, nil, silence)
		p := l.plan("1")
		p.Proxy, p.Reuse = "http://127.0.0.1:"+proxy.port, kept
		_, err := run(t, p.prober(), soon)
		expectReason(t, err, ReasonTimeout)
		waitUntil(t, proxy.isEmpty)
	}
}

func TestEnvironmentsProxyIsIgnored(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	l := newLab(t)
	_, err := run(t, l.plan(l.gateway(answers(goodAnswer)).port).prober(), ample)
	if err != nil {
		t.Error(err)
	}
}

func TestNewTransportNamesTheFile(t *testing.T) {
	t.Parallel()
	garbage := filepath.Join(t.TempDir(), "garbage.pem")
	err := os.WriteFile(garbage, []byte(canary), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "missing.pem")
	for _, c := range []struct {
		options TransportOptions
		want    string
	}{
		{TransportOptions{TLS: TLS{CAFile: missing}}, missing + " cannot be read"},
		{TransportOptions{TLS: TLS{CAFile: garbage}}, garbage + " holds no PEM certificate"},
		{
			TransportOptions{TLS: TLS{CertFile: garbage, KeyFile: missing}},
			garbage + " and " + missing + " are not a readable client certificate and its key",
		},
		{TransportOptions{Proxy: "http://\x00" + canary}, "proxy_url is not a URL"},
	} {
		_, err := NewTransport(c.options)
		if err == nil || err.Error() != c.want {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// A client certificate that is renewed on disk is used without a new Transport.
func TestClientCertificateIsReadAnew(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := requiresClient(l, 0)
	p := l.plan(d.port)
	stranger := newAuthority(t, "stranger", nil)
	p.TLS.CertFile, p.TLS.KeyFile = pairFiles(t, stranger.issue(t, "client", forClients))
	h := p.prober()
	_, err := run(t, h, ample)
	expectReason(t, err, ReasonTLS)
	certFile, keyFile := pairFiles(t, l.root.issue(t, "client", forClients))
	for from, to := range map[string]string{certFile: p.TLS.CertFile, keyFile: p.TLS.KeyFile} {
		renamed := os.Rename(from, to)
		if renamed != nil {
			t.Fatal(renamed)
		}
	}
	_, err = run(t, h, ample)
	if err != nil {
		t.Error(err)
	}
}

// What this machine lacks is nobody else's fault, in whichever phase it shows.
func TestExhausted(t *testing.T) {
	t.Parallel()
	for _, lack := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS, syscall.EADDRNOTAVAIL} {
		err := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("socket", lack)}
		expectReason(t, failed(t.Context(), PhaseConnect, err), ReasonResources)
	}
	noIPv6 := &net.OpError{Op: "dial", Addr: &net.TCPAddr{IP: net.IPv6loopback}, Err: os.NewSyscallError("connect", syscall.EADDRNOTAVAIL)}
	expectReason(t, failed(t.Context(), PhaseConnect, noIPv6), ReasonConnect)
	dns := &net.DNSError{Err: "dial udp: socket: " + syscall.EMFILE.Error(), Name: "x"}
	expectReason(t, failed(t.Context(), PhaseResolve, dns), ReasonResources)
}

func TestFailedConnecting(t *testing.T) {
	t.Parallel()
	for cause, want := range map[syscall.Errno]*Failure{
		syscall.ECONNREFUSED: Fail(ReasonConnect, "connection refused"),
		syscall.ENETUNREACH:  Fail(ReasonConnect, "no route to the host"),
		syscall.EHOSTUNREACH: Fail(ReasonConnect, "no route to the host"),
		syscall.ECONNRESET:   Fail(ReasonConnect, "connection reset"),
		syscall.EPERM:        Fail(ReasonConnect, "no connection"),
		syscall.ETIMEDOUT:    Fail(ReasonTimeout, "while in phase connect"),
	} {
		got := failed(t.Context(), PhaseConnect, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", cause)})
		diff := cmp.Diff(error(want), got)
		if diff != "" {
			t.Errorf("%v (-want +got):\n%s", cause, diff)
		}
	}
	got := failed(t.Context(), PhaseNone, errors.New(canary))
	diff := cmp.Diff(error(Fail(ReasonInternal, "the request could not be made")), got)
	if diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got = failed(t.Context(), PhaseNone, context.DeadlineExceeded)
	diff = cmp.Diff(error(Fail(ReasonTimeout, "before anything was sent")), got)
	if diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got = failed(ctx, PhaseTLS, io.EOF)
	if !errors.Is(got, context.Canceled) {
		t.Errorf("canceled: %v", got)
	}
}
