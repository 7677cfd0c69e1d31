package probe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// contract is the closed set of reasons by layer, as users' rules name them.
var contract = map[Layer]string{
	LayerNetwork: "dns connect timeout body",
	LayerGateway: "tls redirect no_such_api gateway_timeout gateway_unavailable gateway_error invalid_response not_refused status",
	LayerKey: "key_rejected forbidden rate_limited login_refused vhost_refused not_permitted " +
		"key_expired key_revoked key_unreadable",
	LayerBackend: "backend_unauthorized backend_forbidden not_found backend_unreachable backend_timeout " +
		"backend_error not_json expectation too_large slow status redirect rate_limited",
	LayerBroker: "tls protocol broker_timeout disconnected vhost_missing exchange_missing queue_missing " +
		"connection_limit blocked roundtrip",
	LayerExporter: "panic resources internal",
}

func TestReasonsAreTheContract(t *testing.T) {
	t.Parallel()
	want, got := map[Layer][]string{}, map[Layer][]string{}
	for layer, reasons := range contract {
		want[layer] = strings.Fields(reasons)
	}
	for _, e := range Explanations() {
		got[e.Layer] = append(got[e.Layer], string(e.Reason))
	}
	for _, set := range []map[Layer][]string{want, got} {
		for _, reasons := range set {
			slices.Sort(reasons)
		}
	}
	diff := cmp.Diff(want, got)
	if diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestExplanations(t *testing.T) {
	t.Parallel()
	for _, e := range Explanations() {
		for _, text := range []string{e.Meaning, e.Next} {
			if len(text) < 20 || !strings.HasSuffix(text, ".") || strings.ToUpper(text[:1]) != text[:1] {
				t.Errorf("%s at %s: %q is no sentence", e.Reason, e.Layer, text)
			}
		}
		if Explain(e.Reason, e.Layer) != e {
			t.Errorf("%s at %s: Explain finds another row", e.Reason, e.Layer)
		}
	}
	if Explain(ReasonDNS, LayerKey) != (Explanation{}) {
		t.Error("explains a reason at a layer that does not have it")
	}
	Explanations()[0].Meaning = ""
	if Explanations()[0].Meaning == "" {
		t.Error("a caller can change the table")
	}
}

func TestFail(t *testing.T) {
	t.Parallel()
	for layer, reasons := range contract {
		for _, reason := range strings.Fields(reasons) {
			want := layer
			switch reason { // of two layers the first; who knows better says so
			case "tls", "status", "redirect":
				want = LayerGateway
			case "rate_limited":
				want = LayerKey
			}
			if got := Fail(Reason(reason), "").Layer; got != want {
				t.Errorf("%s at %s, want %s", reason, got, want)
			}
		}
	}
	if got := Fail("unheard of", "").Layer; got != LayerExporter {
		t.Errorf("a reason outside the set at %s", got)
	}
	f := Fail(ReasonStatus, "HTTP status %d", 418)
	if f.Error() != "status: HTTP status 418" || Fail(ReasonSlow, "").Error() != "slow" {
		t.Errorf("%q and %q", f, Fail(ReasonSlow, ""))
	}
}

func TestReasonOf(t *testing.T) {
	t.Parallel()
	failure := &Failure{Reason: ReasonTLS, Layer: LayerBroker, Detail: "a sentence"}
	for _, c := range []struct {
		name   string
		err    error
		reason Reason
		layer  Layer
		detail string
	}{
		{"success", nil, "", "", ""},
		{"failure", failure, ReasonTLS, LayerBroker, "a sentence"},
		{"wrapped", fmt.Errorf("secret: %w", failure), ReasonTLS, LayerBroker, "a sentence"},
		{"joined", errors.Join(errors.New("secret"), failure), ReasonTLS, LayerBroker, "a sentence"},
		{"foreign", errors.New("secret"), ReasonInternal, LayerExporter, ""},
		{"canceled", context.Canceled, ReasonInternal, LayerExporter, ""},
	} {
		reason, layer := ReasonOf(c.err)
		if reason != c.reason || layer != c.layer || DetailOf(c.err) != c.detail {
			t.Errorf("%s: %s at %s, %q", c.name, reason, layer, DetailOf(c.err))
		}
	}
}

func TestPhasesHaveTheContractsNames(t *testing.T) {
	t.Parallel()
	var got []string
	for p := range phaseCount {
		got = append(got, p.String())
	}
	want := []string{"", "resolve", "connect", "tls", "processing", "transfer", "login", "open", "declare", "roundtrip"}
	diff := cmp.Diff(want, got)
	if diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
