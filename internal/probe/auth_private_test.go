package probe

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

// The two requests are the documented one in everything but the key.
func TestAuthOnTheWire(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.gateway(answers(refusal))
	p := l.plan(d.port)
	key := p.Secrets[keyHeader]
	p.Secrets["x-same-key"] = key
	value, err := key.Read()
	if err != nil {
		t.Fatal(err)
	}
	p.Secrets["x-copy-of-the-key"] = secret.Literal{Value: secret.New(value.Reveal())}
	p.Secrets["x-other"] = secret.Literal{Value: secret.New("other")}
	p.Method, p.Body = http.MethodPost, []byte(`{"personidentifikatorer":["x"]}`)
	a := p.auth()
	wrong := map[string]bool{}
	for run := range 3 {
		_, err := runAuth(t, a, ample)
		if err != nil {
			t.Fatal(err)
		}
		stranger, liar := d.requests[2*run], d.requests[2*run+1]
		value := liar.Header.Get(keyHeader)
		if wrong[value] || !uuid4.MatchString(value) {
			t.Errorf("the wrong key %q is not a new random UUID", value)
		}
		wrong[value] = true
		want := []string{
			"POST " + seedPath + " HTTP/1.1",
			"Accept: application/json",
			"Content-Length: " + itoa(len(p.Body)),
			"Host: " + p.URL.Host,
			"SOAPAction: TODO",
			"User-Agent: integra_exporter",
			transactionHeader + ": " + stranger.Header.Get(transactionHeader),
			"x-other: other",
		}
		diff := cmp.Diff(want, withoutConnection(stranger.head))
		want[6] = transactionHeader + ": " + liar.Header.Get(transactionHeader)
		want = append(want[:6:6], keyHeader+": "+value, want[6], want[7])
		diff += cmp.Diff(want, withoutConnection(liar.head))
		if diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if stranger.body != string(p.Body) || liar.body != string(p.Body) {
			t.Errorf("sent the bodies %q and %q", stranger.body, liar.body)
		}
	}
	for _, sent := range d.requests {
		if strings.Contains(sent.head+sent.body, testKey) {
			t.Errorf("the real key was sent:\n%s", sent.head)
		}
	}
	if p.Secrets[keyHeader] != key || len(p.Secrets) != 4 {
		t.Error("the api's own request has lost its key")
	}
}

// The real key is not even read; any other secret must be there.
func TestAuthSecrets(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.gateway(answers(refusal))
	p := l.plan(d.port)
	p.Secrets[keyHeader] = secret.NewFile("/nowhere/key")
	_, err := runAuth(t, p.auth(), ample)
	if err != nil || len(d.requests) != 2 {
		t.Errorf("without a readable key: %v after %d requests", err, len(d.requests))
	}
	p.Secrets["X-Other"] = secret.NewFile("/nowhere/other")
	_, err = p.auth().Probe(t.Context())
	expectReason(t, err, ReasonKeyUnreadable)
	if len(d.requests) != 2 {
		t.Error("something was sent without a secret of the documented request")
	}
}

// floods answers with status and then with data without end, until the client is gone.
func floods(status string) script {
	return func(d *door, c net.Conn) {
		_ = d.receive(bufio.NewReader(c))
		_, err := io.WriteString(c, "HTTP/1.1 "+status+"\r\nX-Private: "+canary+"\r\n\r\n")
		for err == nil {
			_, err = io.WriteString(c, strings.Repeat(canary, 1<<12))
		}
	}
}

// hangs answers with status and a body of which only the beginning comes: to read it is to wait.
func hangs(status string) script {
	return thenSilence("HTTP/1.1 " + status + "\r\nContent-Length: 100\r\n\r\n" + canary)
}

// A refusal's body is not waited for, an open door's not looked at.
func TestAuthReadsNoBody(t *testing.T) {
	output := captureLog(t)
	for _, c := range []struct {
		name   string
		script script
		edit   func(*plan)
		want   Reason
	}{
		{"endless", floods("200 OK"), nil, ReasonNotRefused},
		{"endless, reuse", floods("200 OK"), reuse, ReasonNotRefused},
		{"endless 206", floods("206 x"), nil, ReasonNotRefused},
		{"stalling", hangs("200 OK"), nil, ReasonNotRefused},
		{"stalling 401", hangs("401 x"), nil, ""},
		{"stalling 403", hangs("403 x"), nil, ReasonStatus},
		{"not gzip", answers(response("200 OK", canary, gzipped)), nil, ReasonNotRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			d := l.gateway(c.script)
			p := l.plan(d.port)
			if c.edit != nil {
				c.edit(p)
			}
			planted(p)
			a := p.auth()
			start := time.Now()
			seen, err := runAuth(t, a, ample)
			expectReason(t, err, c.want)
			if took := time.Since(start); took > ample/2 || seen.Status != 401 && seen.Size != 0 {
				t.Errorf("read %d bytes in %v", seen.Size, took)
			}
			waitUntil(t, d.isEmpty)
			for _, thing := range []any{seen, &seen, Result{Observation: seen, Err: err}, err, a, Check{Prober: a}, []Prober{a}} {
				text := everyWay(thing)
				if holdsCanary(text) {
					t.Errorf("%T holds it:\n%s", thing, text)
				}
			}
		})
	}
	if output.String() != "" {
		t.Errorf("package log printed:\n%s", output)
	}
}

func TestAuthLeavesNothingBehind(t *testing.T) {
	for _, c := range []leakCase{
		{"refused", tlsGateway(answers(refusal)), func(*plan) {}, 100, 0, ""},
		{"refused, reused", plain(keeps(response("401 x", ""))), both(unsecured, reuse), 500, 0, ""},
		{"open", plain(floods("200 OK")), unsecured, 200, 0, ReasonNotRefused},
		{"open, reused", tlsGateway(floods("200 OK")), reuse, 50, 0, ReasonNotRefused},
		{"silent to a wrong key", plain(keyed(writes(refusal), silence)), unsecured, 100, hang, ReasonGatewayTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t)
			d := c.server(l)
			p := l.plan(d.port)
			c.edit(p)
			a := p.auth()
			before := goleak.IgnoreCurrent()
			descriptors := countDescriptors(t)
			c.many(t, a)
			a.transport.http.CloseIdleConnections()
			waitUntil(t, d.isEmpty)
			err := goleak.Find(before)
			if err != nil {
				t.Error(err)
			}
			if n := countDescriptors(t); n > descriptors {
				t.Errorf("%d descriptors, were %d", n, descriptors)
			}
		})
	}
}
