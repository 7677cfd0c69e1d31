package probe

import (
	"bufio"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/integra-exporter/integra_exporter/internal/testkit/recordings"
)

// What real gateways answered gets the right reason, layer and verdict on the key, by what was seen and by how the same
// API answers to no key and to a wrong one.
func TestVerdictOnRecordings(t *testing.T) {
	t.Parallel()
	expected := expectations(t)
	judged := 0
	for _, g := range gatewayRecordings(t) {
		for _, s := range g.Situations {
			want, known := expected.For(g.Version, g.Engine, s.Name, false)
			if !known || s.Answer == "" {
				continue
			}
			judged++
			got := judgeRecorded(t, &g, s, GatewayHeaders{})
			got.check(t, g.Name()+", "+s.Name, want)
		}
	}
	if judged < 300 {
		t.Errorf("only %d situations judged", judged)
	}
}

// The same where the gateway puts its ids on every answer, as version 3.10 to 3.20.2 did: v3's recordings with ids.
func TestVerdictWithIDsEverywhere(t *testing.T) {
	t.Parallel()
	expected := expectations(t)
	judged := 0
	for _, g := range gatewayRecordings(t) {
		if g.Engine != "v3" {
			continue
		}
		g.Situations = slices.Clone(g.Situations)
		for i := range g.Situations {
			g.Situations[i].Answer = withIDs(g.Situations[i].Answer)
		}
		for _, s := range g.Situations {
			want, known := expected.For(g.Version, g.Engine, s.Name, true)
			if !known || s.Answer == "" {
				continue
			}
			judged++
			judgeRecorded(t, &g, s, GatewayHeaders{}).check(t, g.Name()+" with ids, "+s.Name, want)
		}
	}
	if judged < 120 {
		t.Errorf("only %d situations judged", judged)
	}
}

func withIDs(answer string) string {
	if answer == "" || strings.Contains(answer, "X-Gravitee-Transaction-Id") {
		return answer
	}
	return strings.Replace(answer, "\r\n", "\r\nX-Gravitee-Transaction-Id: "+recordings.TransactionID+"\r\n", 1)
}

// judged is what the exporter says of an answer, in the words of the expectations.
type judged struct{ reason, layer, key string }

func (j judged) check(t *testing.T, name string, want recordings.Verdict) {
	t.Helper()
	if !slices.Contains(want.Reason, j.reason) || !slices.Contains(want.Layer, j.layer) || !slices.Contains(want.Key, j.key) {
		t.Errorf("%s: %q of layer %q, key %q; want one of %q, %q, %q", name, j.reason, j.layer, j.key, want.Reason, want.Layer, want.Key)
	}
}

func wordFor(v KeyVerdict) string {
	return map[KeyVerdict]string{KeyUnproven: "", KeyAccepted: "accepted", KeyRejected: "rejected"}[v]
}

// judgeRecorded judges a recorded answer without a connection.
func judgeRecorded(t *testing.T, g *recordings.Gateway, s recordings.Situation, names GatewayHeaders) judged {
	t.Helper()
	known := refusals{none: parsed(t, g, s.NoKey, names), wrong: parsed(t, g, s.WrongKey, names)}
	known.clientOnSuccess = parsed(t, g, "ok", names).client
	a := parse(t, s, names)
	j := judged{reason: "ok", key: wordFor(proofOf(&a, known))}
	body := bodyOf(t, s)
	switch {
	case a.status != 200:
		failure := failureOf(&a, known)
		j.reason, j.layer = string(failure.Reason), string(failure.Layer)
	case strings.HasPrefix(s.Name, "backend-") || s.Name == "cutchunked":
		j.reason, j.layer = "not_json", "backend"
	case body == nil:
		j.reason, j.layer = "body", "network"
	}
	return j
}

func parsed(t *testing.T, g *recordings.Gateway, name string, names GatewayHeaders) answer {
	t.Helper()
	s, known := g.Situation(name)
	if !known || s.Answer == "" {
		return answer{}
	}
	return parse(t, s, names)
}

func parse(t *testing.T, s recordings.Situation, names GatewayHeaders) answer {
	t.Helper()
	resp := respond(t, s)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		body = nil
	}
	names = names.orDefault()
	return newAnswer(resp, s.Method, body, &names)
}

// bodyOf returns nil for a body that was cut off.
func bodyOf(t *testing.T, s recordings.Situation) []byte {
	t.Helper()
	resp := respond(t, s)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil
	}
	return append(body, '\n')
}

func respond(t *testing.T, s recordings.Situation) *http.Response {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(s.Answer)), &http.Request{Method: s.Method})
	if err != nil {
		t.Fatalf("%s: %v", s.Name, err)
	}
	return resp
}

func gatewayRecordings(t *testing.T) []recordings.Gateway {
	t.Helper()
	all, err := recordings.Gateways()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func expectations(t *testing.T) *recordings.Expected {
	t.Helper()
	expected, err := recordings.ReadExpected()
	if err != nil {
		t.Fatal(err)
	}
	return &expected
}
