package web_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
)

func targetOf(name string, err error, runs uint64) state.Target {
	return state.Target{
		Target: probe.Target{Institution: "uio", Kind: probe.KindAPI, Name: name},
		Info:   probe.Info{InstitutionTitle: "Universitetet i Oslo", Title: "Title of " + name, Address: "https://gw"},
		Runs:   runs,
		Last: probe.Result{
			Start: time.Date(2026, 11, 2, 9, 0, 0, 0, time.FixedZone("", 3600)), Duration: 1234567 * time.Microsecond, Err: err,
		},
	}
}

func page(t *testing.T, targets ...state.Target) string {
	t.Helper()
	o := options()
	o.Targets = func() []state.Target { return targets }
	got := ask(t, o, "GET", "/")
	if got.status != 200 {
		t.Fatalf("status %d", got.status)
	}
	return got.body
}

var cell = regexp.MustCompile(`(?s)<td[^>]*>(.*?)</td>`)

// cells returns the body of the table, row by row.
func cells(source string) [][]string {
	var table [][]string
	for _, row := range strings.Split(source, "<tr>")[2:] { // before the table, and its head
		var texts []string
		for _, match := range cell.FindAllStringSubmatch(row, -1) {
			texts = append(texts, html.UnescapeString(match[1]))
		}
		table = append(table, texts)
	}
	return table
}

func TestIndexListsFailuresFirst(t *testing.T) {
	got := page(t,
		targetOf("fine", nil, 3),
		targetOf("new", nil, 0),
		targetOf("dead", probe.Fail(probe.ReasonBackendTimeout, "HTTP status %d", 504), 2),
		targetOf("also-fine", nil, 1),
		targetOf("closed", probe.Fail(probe.ReasonConnect, ""), 1))
	if !strings.Contains(got, "2 ok, 2 failed, 1 not run yet.") {
		t.Error("the counts are wrong or missing")
	}
	dead := probe.Explain(probe.ReasonBackendTimeout, probe.LayerBackend)
	closed := probe.Explain(probe.ReasonConnect, probe.LayerNetwork)
	const oslo, took, when = "Universitetet i Oslo (uio)", "1.235s", "2026-11-02T08:00:01Z"
	want := [][]string{
		{oslo, "api", "dead", "✗ backend_timeout", dead.Meaning + " (HTTP status 504) Layer: backend. " + dead.Next, took, when},
		{oslo, "api", "closed", "✗ connect", closed.Meaning + " Layer: network. " + closed.Next, took, when},
		{oslo, "api", "new", "… not run yet", "", "", ""},
		{oslo, "api", "fine", "✓ ok", "", took, when},
		{oslo, "api", "also-fine", "✓ ok", "", took, when},
	}
	if diff := cmp.Diff(want, cells(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(got, `title="Title of dead"`) {
		t.Error("the title is missing")
	}
}

func TestIndexShowsTheTransactionIDOfAFailure(t *testing.T) {
	fine, failed := targetOf("fine", nil, 1), targetOf("failed", probe.Fail(probe.ReasonGatewayTimeout, ""), 1)
	fine.Last.TransactionID, failed.Last.TransactionID = "id-of-fine", "id-of-failed"
	got := page(t, fine, failed)
	if !strings.Contains(got, "Transaction id: id-of-failed") || strings.Contains(got, "id-of-fine") {
		t.Errorf("want the id of the failure alone:\n%s", got)
	}
}

func TestIndexShowsAnInstitutionWithoutTitleOnce(t *testing.T) {
	untitled := targetOf("x", nil, 1)
	untitled.InstitutionTitle = "uio"
	if got := cells(page(t, untitled))[0][0]; got != "uio" {
		t.Errorf("institution %q", got)
	}
}

func TestIndexSaysThatAConfigurationWasRejected(t *testing.T) {
	o := options()
	if got := ask(t, o, "GET", "/").body; strings.Contains(got, "rejected") {
		t.Errorf("nothing was rejected:\n%s", got)
	}
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.FixedZone("", 3600))
	o.Rejected = func() (rejected, inForce time.Time) { return at, at.Add(-time.Hour) }
	const want = "The configuration on disk was rejected at 2026-11-02T08:00:00Z; the one of 2026-11-02T07:00:00Z is in force."
	if got := ask(t, o, "GET", "/").body; !strings.Contains(got, want) {
		t.Errorf("the page does not say %q:\n%s", want, got)
	}
}

func TestIndexEscapesWhatTheConfigurationSays(t *testing.T) {
	const hostile = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`
	odd := targetOf(hostile, probe.Fail(probe.ReasonConnect, "%s", hostile), 1)
	odd.InstitutionTitle, odd.Title, odd.Kind = hostile, hostile, hostile
	got := page(t, odd)
	for _, sign := range []string{"<script", "<img", `""`} {
		if strings.Contains(got, sign) {
			t.Errorf("the page holds %s:\n%s", sign, got)
		}
	}
	if n := strings.Count(got, "&lt;script&gt;"); n != 5 {
		t.Errorf("%d escaped, want institution, kind, name, title and detail", n)
	}
}

func TestIndexShowsNoForeignError(t *testing.T) {
	got := page(t, targetOf("odd", errForeign{}, 1))
	if strings.Contains(got, "canary") || !strings.Contains(got, "✗ internal") {
		t.Errorf("an error that no prober has classified shows more than its class:\n%s", got)
	}
}

type errForeign struct{}

func (errForeign) Error() string { return "canary" }
