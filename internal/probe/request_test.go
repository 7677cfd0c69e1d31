package probe

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/secret"
)

func TestRequestOnTheWire(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.gateway(answers(response("200 OK", goodJSON)))
	p := l.plan(d.port)
	p.Header["soapACTION"] = []string{"http://example.test/x"}
	p.Secrets["x-other"] = secret.Literal{Value: secret.New("other")}
	h := p.prober()
	seen, err := run(t, h, ample)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Accept: application/json",
		"Host: " + p.URL.Host,
		"SOAPAction: TODO",
		"User-Agent: integra_exporter",
		"X-Gravitee-Api-Key: " + testKey,
		"X-Gravitee-Transaction-Id: " + seen.TransactionID,
		"soapACTION: http://example.test/x",
		"x-other: other",
	}
	got := withoutConnection(d.last().head)
	diff := cmp.Diff("GET "+seedPath+" HTTP/1.1", got[0]) + cmp.Diff(want, got[1:])
	if diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, err := run(t, h, ample)
	if err != nil || again.TransactionID == seen.TransactionID {
		t.Errorf("second probe: %v, transaction id %q again", err, again.TransactionID)
	}
}

// withoutConnection returns the lines of head, the header sorted; Connection is net/http's affair.
func withoutConnection(head string) []string {
	lines := strings.Split(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return line == "Connection: close" })
	slices.Sort(lines[1:])
	return lines
}

func TestRequestWithBody(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.gateway(answers(response("200 OK", goodJSON)))
	p := l.plan(d.port)
	p.Method, p.Body = http.MethodPost, []byte(`{"personidentifikatorer":["x"]}`)
	p.Header["Content-Type"] = []string{"application/json"}
	_, err := run(t, p.prober(), ample)
	if err != nil {
		t.Fatal(err)
	}
	sent := d.last()
	if sent.Method != http.MethodPost || sent.body != string(p.Body) || sent.ContentLength != int64(len(p.Body)) {
		t.Errorf("sent %s, %d bytes: %q", sent.Method, sent.ContentLength, sent.body)
	}
	if !slices.Equal(sent.Header["Content-Type"], []string{"application/json"}) {
		t.Errorf("Content-Type: %q", sent.Header["Content-Type"])
	}
	if strings.Contains(strings.ToLower(sent.head), "idempotency") {
		t.Errorf("sends Idempotency-Key:\n%s", sent.head)
	}
}

func TestKeyIsReadAnew(t *testing.T) {
	t.Setenv("PROBE_TEST_KEY", "first")
	l := newLab(t)
	d := l.gateway(answers(response("200 OK", goodJSON)))
	p := l.plan(d.port)
	p.Secrets = map[string]secret.Source{"X-Gravitee-Api-Key": secret.Env("PROBE_TEST_KEY")}
	h := p.prober()
	for _, key := range []string{"first", "second"} {
		t.Setenv("PROBE_TEST_KEY", key)
		_, err := run(t, h, ample)
		if err != nil || d.last().Header.Get("X-Gravitee-Api-Key") != key {
			t.Errorf("%v; sent %q, want %q", err, d.last().Header.Get("X-Gravitee-Api-Key"), key)
		}
	}
	t.Setenv("PROBE_TEST_KEY", "")
	_, err := h.Probe(t.Context())
	expectReason(t, err, ReasonKeyUnreadable)
	if d.accepts.Load() != 2 {
		t.Errorf("%d connections, want 2: none without a key", d.accepts.Load())
	}
}
