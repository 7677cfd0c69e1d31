//go:build system

package probe

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"text/template"
	"time"

	"github.com/integra-exporter/integra_exporter/internal/testkit/recordings"
)

// What Debian's packages haproxy and nginx install.
const (
	haproxyProgram = "/usr/sbin/haproxy"
	nginxProgram   = "/usr/sbin/nginx"
)

// routerFiles is what the configuration of a router is made of.
type routerFiles struct {
	Dir     string
	Listen  []string // where it listens
	Gateway string   // which it stands before
	Hanging string   // takes connections and never answers
}

// routers are real ones before one gateway.
type routers struct {
	haproxy, nginx  string
	passthrough     string // HAProxy's, without a pod
	passthroughDown string // HAProxy's, with a pod that is down
}

func startRouters(t *testing.T, gateway string) *routers {
	t.Helper()
	hanging := listen(t)
	files := routerFiles{Dir: t.TempDir(), Gateway: gateway, Hanging: hanging.Addr().String()}
	for _, page := range okdPages() {
		err := os.WriteFile(filepath.Join(files.Dir, page.Name+".http"), []byte(page.Answer), 0o600)
		if err != nil {
			t.Fatal(err)
		}
	}
	haproxy := files.start(t, 3, "haproxy.cfg", haproxyProgram, "-db", "-f")
	nginx := files.start(t, 1, "nginx.conf", nginxProgram, "-p", files.Dir, "-e", "stderr", "-c")
	return &routers{haproxy[0], nginx[0], haproxy[1], haproxy[2]}
}

// start runs a router until the test ends. It inherits the sockets on which it listens: their ports are free, and who
// connects before the router is up waits.
func (f routerFiles) start(t *testing.T, sockets int, configuration, program string, args ...string) (addresses []string) {
	t.Helper()
	cmd := exec.Command(program, append(args, filepath.Join(f.Dir, configuration))...)
	cmd.Env = []string{"NGINX="}
	for i := range sockets {
		l := listen(t)
		socket, err := l.(*net.TCPListener).File()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _, _ = l.Close(), socket.Close() }() // the router alone has it
		cmd.ExtraFiles = append(cmd.ExtraFiles, socket)
		cmd.Env[0] += itoa(3+i) + ";"
		addresses = append(addresses, l.Addr().String())
	}
	f.Listen = addresses
	f.write(t, configuration)
	said := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} // which nginx passes on to its worker
	err := cmd.Start()
	if err != nil {
		t.Fatalf("%v: scripts/install-tools test installs it", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", program, said)
		}
	})
	return addresses
}

func (f routerFiles) write(t *testing.T, configuration string) {
	t.Helper()
	out, err := os.Create(filepath.Join(f.Dir, configuration))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	err = template.Must(template.ParseFiles("testdata/"+configuration+".tmpl")).Execute(out, f)
	if err != nil {
		t.Fatal(err)
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// Every recorded situation gets through a router the verdict that it gets without one: from kind api before and after the
// negative test, and from kind auth.
func TestRoutersPassOn(t *testing.T) {
	t.Parallel()
	expected := expectations(t)
	for _, g := range gatewayRecordings(t) {
		t.Run(g.Name(), func(t *testing.T) {
			t.Parallel()
			gateway := startReplays(t, func(path string) trio {
				s, _ := g.Situation(filepath.Base(path))
				none, _ := g.Situation(s.NoKey)
				wrong, _ := g.Situation(s.WrongKey)
				return trio{s, none, wrong}
			})
			before := startRouters(t, gateway.address)
			asked := 0
			for _, s := range g.Situations {
				want, known := expected.For(g.Version, g.Engine, s.Name, false)
				if !known || !s.Key {
					continue
				}
				asked++
				said := replayed{gateway: &g, patience: time.Second}.throughAll(t, s, gateway.address, before.haproxy, before.nginx)
				for i, router := range []string{"HAProxy", "nginx"} {
					got, direct := said[1+i], said[0]
					got[2].check(t, s.Name+" through "+router, want)
					if got != direct {
						t.Errorf("%s: %v through %s, %v without it", s.Name, got, router, direct)
					}
				}
			}
			if asked < 10 {
				t.Errorf("only %d situations asked for", asked)
			}
		})
	}
}

// throughAll returns the verdicts by each address.
func (r replayed) throughAll(t *testing.T, s recordings.Situation, addresses ...string) [][3]judged {
	t.Helper()
	said := make([][3]judged, len(addresses))
	var all sync.WaitGroup
	for i, address := range addresses {
		all.Go(func() { said[i] = r.verdicts(t, s, address) })
	}
	all.Wait()
	return said
}

// verdicts are what is said of a situation by kind api, by kind auth, and by kind api once that has run.
func (r replayed) verdicts(t *testing.T, s recordings.Situation, address string) (said [3]judged) {
	t.Helper()
	api, auth := r.probers(t, s, address)
	for i, p := range []Prober{api, auth, api} {
		said[i] = r.judge(t, p, s)
	}
	return said
}

// What a router answers by itself is no gateway's and no backend's word, to whatever method, for kind api and auth, and
// proves nothing of the key.
func TestRoutersAnswer(t *testing.T) {
	t.Parallel()
	gateway := startReplay(t, recordings.Situation{}, recordings.Situation{}, recordings.Situation{}) // closes each connection
	before := startRouters(t, gateway.address)
	elsewhere := func(address string) string { return strings.Replace(address, "127.0.0.1", "localhost", 1) }
	for _, c := range []struct {
		name, scheme, address, path string
		status                      int
		reason                      Reason
	}{
		{"HAProxy, gateway down", "http", before.haproxy, "/down/", 503, ReasonGatewayUnavailable},
		{"HAProxy, gateway down, OKD's page", "http", before.haproxy, "/okd-down/", 503, ReasonGatewayUnavailable},
		{"HAProxy, no pod", "http", before.haproxy, "/no-pod/", 503, ReasonGatewayUnavailable},
		{"HAProxy, gateway closes", "http", before.haproxy, "/", 502, ReasonGatewayUnavailable},
		{"HAProxy, gateway hangs", "http", before.haproxy, "/hang/", 504, ReasonGatewayTimeout},
		{"HAProxy, unknown host", "http", elsewhere(before.haproxy), "/builtin/", 404, ReasonGatewayUnavailable},
		{"HAProxy, unknown host, OKD's page", "http", elsewhere(before.haproxy), "/", 404, ReasonGatewayUnavailable},
		{"HAProxy, address not allowed", "http", before.haproxy, "/rejected/", 0, ReasonInvalidResponse},
		{"HAProxy, passthrough without a pod", "https", before.passthrough, "/", 0, ReasonTLS},
		{"HAProxy, passthrough to a pod that is down", "https", before.passthroughDown, "/", 0, ReasonTLS},
		{"HAProxy, passthrough without a pod, no TLS", "http", before.passthrough, "/", 0, ReasonInvalidResponse},
		{"nginx, gateway down", "http", before.nginx, "/down/", 502, ReasonGatewayUnavailable},
		{"nginx, no pod", "http", before.nginx, "/no-pod/", 503, ReasonGatewayUnavailable},
		{"nginx, gateway closes", "http", before.nginx, "/", 502, ReasonGatewayUnavailable},
		{"nginx, gateway hangs", "http", before.nginx, "/hang/", 504, ReasonGatewayTimeout},
		{"nginx, unknown host", "http", elsewhere(before.nginx), "/", 404, ReasonGatewayUnavailable},
		{"nginx, unknown host, default backend", "http", elsewhere(before.nginx), "/default-backend/", 404, ReasonGatewayUnavailable},
		{"nginx, address not allowed", "http", before.nginx, "/rejected/", 0, ReasonInvalidResponse},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodHead} {
			api, auth := replayed{}.probers(t, recordings.Situation{Method: method, Body: postBody(method)}, c.address)
			u := &url.URL{Scheme: c.scheme, Host: c.address, Path: c.path}
			api.request.URL, api.negative.request.URL, auth.request.URL = u, u, u
			for kind, p := range map[string]Prober{KindAPI: api, KindAuth: auth} {
				ctx, cancel := context.WithTimeout(t.Context(), ample)
				seen, err := p.Probe(ctx)
				cancel()
				reason, layer := ReasonOf(err)
				if reason != c.reason || layer != LayerGateway || seen.Status != c.status || seen.KeyVerdict != KeyUnproven {
					t.Errorf("%s, %s, kind %s: %v of layer %s, status %d, key %q; want %s of layer gateway, status %d", c.name, method, kind,
						err, layer, seen.Status, wordFor(seen.KeyVerdict), c.reason, c.status)
				}
			}
		}
	}
	if gateway.requests.Load() == 0 || gateway.wrong.Load() > 0 {
		t.Errorf("%d requests, %d with a wrong key: want some and none", gateway.requests.Load(), gateway.wrong.Load())
	}
}
