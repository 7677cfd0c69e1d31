package demo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

func TestRequestsAreCounted(t *testing.T) {
	p := start(t, quick())
	c := client(t, p, "uio", true)
	var clients sync.WaitGroup
	for range 20 {
		clients.Go(func() { _, _ = send(c, documented(t, p, "uio", "krr")) })
	}
	clients.Wait()
	p.Set("uio", "ansatte", KeyRejected)
	mustSend(t, c, documented(t, p, "uio", "ansatte"))
	p.Set("uio", "ansatte", UnknownContextPath)
	mustSend(t, c, documented(t, p, "uio", "ansatte"))
	got := map[Target]int{}
	for _, target := range p.Targets() {
		if n := p.Requests(target.Institution, target.API); n > 0 {
			got[target] = n
		}
	}
	want := map[Target]int{{"uio", "krr"}: 20, {"uio", "ansatte"}: 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestRefusedAndBack(t *testing.T) {
	p := start(t, quick())
	c, url := client(t, p, "uio", false), p.URL("uio")
	mustSend(t, c, documented(t, p, "uio", "krr"))
	p.Set("uio", "", Refused)
	p.Set("uio", "", Refused) // has no further effect
	c.CloseIdleConnections()  // the cut one would answer with EOF first
	_, err := send(c, documented(t, p, "uio", "krr"))
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("while refusing: %v, want connection refused", err)
	}
	mustSend(t, client(t, p, "uib", false), documented(t, p, "uib", "freg"))
	p.Clear("uio", "")
	if got := mustSend(t, c, documented(t, p, "uio", "krr")); got.Status != 200 {
		t.Errorf("after: status %d, want 200", got.Status)
	}
	if p.URL("uio") != url {
		t.Errorf("came back at %s, was at %s", p.URL("uio"), url)
	}
	if n := p.Requests("uio", "krr"); n != 2 {
		t.Errorf("%d requests counted, want 2", n)
	}
}

// Another program has the port when the gateway comes back.
func TestReopenWaitsForThePort(t *testing.T) {
	p := start(t, quick())
	p.Set("uio", "", Refused)
	taken, err := net.Listen("tcp", strings.TrimPrefix(p.URL("uio"), "https://"))
	if err != nil {
		t.Fatal(err)
	}
	cleared := make(chan struct{})
	go func() { p.Clear("uio", ""); close(cleared) }()
	select {
	case <-cleared:
		t.Fatal("reopened a port that is taken")
	case <-time.After(120 * time.Millisecond):
	}
	_ = taken.Close()
	<-cleared
	mustSend(t, client(t, p, "uio", false), documented(t, p, "uio", "krr"))
}

func TestCloseDoesNotWaitForThePort(t *testing.T) {
	p := start(t, quick())
	p.Set("uio", "", Refused)
	taken, err := net.Listen("tcp", strings.TrimPrefix(p.URL("uio"), "https://"))
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	cleared := make(chan struct{})
	go func() { p.Clear("uio", ""); close(cleared) }()
	_ = p.Close()
	<-cleared
}

func TestSilentUntilTheClientLeaves(t *testing.T) {
	p := start(t, quick())
	p.Set("uio", "krr", Silent)
	for _, http2 := range []bool{false, true} {
		r := documented(t, p, "uio", "krr").WithContext(within(t, 100*time.Millisecond))
		_, err := send(client(t, p, "uio", http2), r)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("http2 %v: %v, want the deadline", http2, err)
		}
	}
	if n := p.Requests("uio", "krr"); n != 2 {
		t.Errorf("%d requests arrived, want 2", n)
	}
}

// Connections without a request, in the middle of a handshake and with a
// request that is never answered: Close ends them all.
func TestCloseLeavesNothing(t *testing.T) {
	here := goleak.IgnoreCurrent()
	p, err := Start(quick())
	if err != nil {
		t.Fatal(err)
	}
	p.Set("uio", "krr", Silent)
	address := strings.TrimPrefix(p.URL("uio"), "https://")
	handshaking, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer handshaking.Close()
	for _, protocol := range []string{"http/1.1", "h2"} {
		idle, err := tls.Dial("tcp", address,
			&tls.Config{RootCAs: p.CA(), ServerName: p.ServerName("uio"), NextProtos: []string{protocol}})
		if err != nil {
			t.Fatal(err)
		}
		defer idle.Close()
	}
	var clients sync.WaitGroup
	for _, http2 := range []bool{false, true} {
		c := client(t, p, "uio", http2)
		defer c.CloseIdleConnections()
		clients.Go(func() {
			_, err := send(c, documented(t, p, "uio", "krr"))
			if err == nil {
				t.Error("answered")
			}
		})
	}
	for p.Requests("uio", "krr") < 2 {
		time.Sleep(time.Millisecond)
	}
	begin := time.Now()
	_ = p.Close()
	_ = p.Close()
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("Close took %v", took)
	}
	clients.Wait()
	goleak.VerifyNone(t, here)
	_, err = net.Dial("tcp", address)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after Close: %v, want connection refused", err)
	}
	p.Clear("uio", "") // must not open it again
	_, err = net.Dial("tcp", address)
	if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("after Close and Clear: %v, want connection refused", err)
	}
}

func TestCertificates(t *testing.T) {
	for _, options := range []Options{{}, {WithoutFaults: true}} {
		p := start(t, options)
		for _, i := range institutions {
			days := 90
			if i.Name == "oslomet" && !options.WithoutFaults {
				days = 10
			}
			c, err := tls.Dial("tcp", strings.TrimPrefix(p.URL(i.Name), "https://"),
				&tls.Config{RootCAs: p.CA(), ServerName: "gw-" + i.Name + ".intark.uh-it.no"})
			if err != nil {
				t.Fatalf("%s: %v", i.Name, err)
			}
			left := time.Until(c.ConnectionState().PeerCertificates[0].NotAfter)
			_ = c.Close()
			want := time.Duration(days) * 24 * time.Hour
			if left > want || left < want-time.Minute {
				t.Errorf("%s, %+v: certificate ends in %v, want %v", i.Name, options, left, want)
			}
			_, err = tls.Dial("tcp", strings.TrimPrefix(p.URL(i.Name), "https://"), &tls.Config{RootCAs: p.CA()})
			var hostname x509.HostnameError
			if !errors.As(err, &hostname) {
				t.Errorf("%s: for its address: %v, want a wrong name", i.Name, err)
			}
		}
	}
}

// endShown returns when the certificate ends that a handshake with the gateway shows.
func endShown(t *testing.T, p *Platform, institution string) time.Time {
	t.Helper()
	c, err := tls.Dial("tcp", strings.TrimPrefix(p.URL(institution), "https://"),
		&tls.Config{RootCAs: p.CA(), ServerName: p.ServerName(institution)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].NotAfter
}

func TestEndCertificate(t *testing.T) {
	p := start(t, quick())
	before := endShown(t, p, "uib")
	soon := time.Now().Add(3 * day).Truncate(time.Second)
	err := p.EndCertificate("uio", soon)
	if err != nil {
		t.Fatal(err)
	}
	got := endShown(t, p, "uio")
	if !got.Equal(soon) {
		t.Errorf("certificate ends %v, want %v", got, soon)
	}
	p.Set("uio", "", Refused)
	p.Clear("uio", "")
	got = endShown(t, p, "uio")
	if !got.Equal(soon) {
		t.Errorf("after a refusal: certificate ends %v, want %v", got, soon)
	}
	got = endShown(t, p, "uib")
	if !got.Equal(before) {
		t.Errorf("another's certificate: ends %v, want %v as before", got, before)
	}
}
