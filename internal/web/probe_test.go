package web_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

// probed is the last call of Probing.Run.
type probed struct {
	target probe.Target
	limit  time.Duration
}

// probing returns options with one target, whose run returns err, and the record of the call.
func probing(row state.Target, err error) (web.Options, *probed) {
	o, asked := options(), &probed{}
	o.Target = func(target probe.Target) (state.Target, bool) { return row, target == row.Target }
	o.Probing = web.Probing{
		Run: func(_ context.Context, target probe.Target, limit time.Duration) error {
			asked.target, asked.limit = target, limit
			return err
		},
		Unknown: errGone,
		Metrics: func(state.Target) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the result\n") })
		},
	}
	return o, asked
}

func rowToProbe(err error) state.Target {
	return state.Target{
		Target:  probe.Target{Institution: "uio", Kind: probe.KindAPI, Name: "a"},
		Info:    probe.Info{Address: "https://gw:443"},
		Timeout: 15 * time.Second, Runs: 1,
		Last: probe.Result{Start: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC), Duration: 1250 * time.Millisecond, Limit: 9500 * time.Millisecond, Err: err},
	}
}

var errGone = errors.New("gone")

const toProbe = "/probe?institution=uio&kind=api&target=a"

// scrape asks as Prometheus does, with its header unless that is empty.
func scrape(t *testing.T, o web.Options, path, timeout string) (status int, body string) {
	t.Helper()
	server := httptest.NewServer(web.Handler(o))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if timeout != "" {
		request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", timeout)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

func TestProbeParameters(t *testing.T) {
	const named = "give institution, kind and target, each once"
	for query, want := range map[string]struct {
		status int
		body   string
	}{
		"institution=uio&kind=api&target=a":                       {200, "the result"},
		"institution=uio&kind=api&target=a&debug=false":           {200, "the result"},
		"institution=uio&kind=api&target=a&debug=1":               {400, "debug must be true or false, given once"},
		"institution=uio&kind=api&target=a&debug":                 {400, "debug must be true or false, given once"},
		"institution=uio&kind=api&target=a&debug=true&debug=true": {400, "debug must be true or false, given once"},
		"institution=uio&kind=api&target=b":                       {404, "there is no such target in the configuration"},
		"institution=uio&kind=rabbitmq&target=a":                  {404, "there is no such target in the configuration"},
		"institution=uio&kind=key&target=a":                       {400, "/probe does not run kind key"},
		"":                                                        {400, named},
		"institution=uio&kind=api":                                {400, named},
		"institution=uio&kind=api&target=":                        {400, named},
		"institution=uio&kind=api&target=a&target=b":              {400, named},
		"institution=uio&kind=api&target=a&module=http":           {400, `unknown parameter "module"`},
		"target=https%3A%2F%2Felsewhere.example":                  {400, named},
		"institution=uio&kind=api&target=https://gw:443":          {404, "there is no such target in the configuration"},
		"institution=uio&kind=api&target=a&debug=%zz":             {400, "the query cannot be parsed"},
		"institution=uio&kind=api&target=a%00%0d%0aX:%20":         {404, "there is no such target in the configuration"},
	} {
		o, _ := probing(rowToProbe(nil), nil)
		status, body := scrape(t, o, "/probe?"+query, "")
		if status != want.status || !strings.HasPrefix(body, want.body) {
			t.Errorf("%s: %d %q, want %d %q…", query, status, body, want.status, want.body)
		}
	}
}

func TestProbeTimeout(t *testing.T) {
	for header, want := range map[string]struct {
		status int
		limit  time.Duration
	}{
		"":       {200, 0},
		"10":     {200, 9500 * time.Millisecond},
		"15.500": {200, 15 * time.Second},
		"120":    {200, 119500 * time.Millisecond},
		"0.6":    {200, 100 * time.Millisecond},
		"1e300":  {200, 24*time.Hour - 500*time.Millisecond},
		"+Inf":   {200, 24*time.Hour - 500*time.Millisecond},
		"0.5":    {400, 0},
		"0":      {400, 0},
		"-1":     {400, 0},
		"NaN":    {400, 0},
		"10s":    {400, 0},
	} {
		o, asked := probing(rowToProbe(nil), nil)
		status, body := scrape(t, o, toProbe, header)
		if status != want.status || asked.limit.Round(time.Microsecond) != want.limit {
			t.Errorf("%q: %d, limit %v; want %+v", header, status, asked.limit, want)
		}
		if status == 400 && !strings.HasPrefix(body, "X-Prometheus-Scrape-Timeout-Seconds must be a number of seconds, at least 0.6") {
			t.Errorf("%q: %q", header, body)
		}
	}
}

func TestProbeAsksForItsTarget(t *testing.T) {
	row := rowToProbe(nil)
	row.Target = probe.Target{Institution: "a&b=c", Kind: probe.KindRabbitMQ, Name: `ø "/?#%+`}
	o, asked := probing(row, nil)
	query := url.Values{"institution": {row.Institution}, "kind": {row.Kind}, "target": {row.Name}}
	status, _ := scrape(t, o, "/probe?"+query.Encode(), "")
	if diff := cmp.Diff(row.Target, asked.target); diff != "" || status != 200 {
		t.Errorf("%d (-want +got):\n%s", status, diff)
	}
}

func TestProbeWithoutAResult(t *testing.T) {
	o, _ := probing(rowToProbe(nil), errors.New("there is no room"))
	status, body := scrape(t, o, toProbe, "10")
	if status != 503 || body != "no result: there is no room\n" {
		t.Errorf("%d %q", status, body)
	}
	gone, _ := probing(rowToProbe(nil), errGone)
	status, body = scrape(t, gone, toProbe, "10")
	if status != 404 || body != "the target was just removed from the configuration\n" {
		t.Errorf("a target that left before its run: %d %q", status, body)
	}
	left, _ := probing(rowToProbe(nil), nil)
	known := left.Target
	asked := 0
	left.Target = func(target probe.Target) (state.Target, bool) {
		asked++
		row, _ := known(target)
		return row, asked == 1
	}
	status, body = scrape(t, left, toProbe, "10")
	if status != 404 || body != "the target was just removed from the configuration\n" {
		t.Errorf("a target that left while it ran: %d %q", status, body)
	}
}

func TestProbeDebug(t *testing.T) {
	row := rowToProbe(probe.Fail(probe.ReasonBackendTimeout, "HTTP status %d", 504))
	row.Last.Phases[probe.PhaseConnect], row.Last.Phases[probe.PhaseProcessing] = 50*time.Millisecond, 1200*time.Millisecond
	row.Last.Answered, row.Last.Status, row.Last.TransactionID = true, 504, "the-id"
	row.Last.Certificate = probe.Certificate{Expiry: time.Date(2027, 1, 15, 12, 0, 0, 0, time.UTC), Verified: true}
	o, _ := probing(row, nil)
	e := probe.Explain(probe.ReasonBackendTimeout, probe.LayerBackend)
	want := [][]string{
		{"institution", "uio"},
		{"kind", "api"},
		{"target", "a"},
		{"address", "https://gw:443"},
		{"result", "failed: backend_timeout, layer backend"},
		{"meaning", e.Meaning},
		{"next", e.Next},
		{"detail", "HTTP status 504"},
		{"started", "2026-11-02T08:00:00Z"},
		{"duration", "1.25 s of at most 9.5s"},
		{"connect", "50 ms"},
		{"processing", "1.20 s"},
		{"status", "504"},
		{"size", "0 B"},
		{"transaction id", "the-id"},
		{"certificate", "trusted, expires 2027-01-15T12:00:00Z"},
	}
	status, body := scrape(t, o, toProbe+"&debug=true", "5") // another has had more time
	var got [][]string
	for line := range strings.Lines(body) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "  ")
		got = append(got, []string{name, strings.TrimSpace(value)})
	}
	if diff := cmp.Diff(want, got); diff != "" || status != 200 {
		t.Errorf("%d (-want +got):\n%s", status, diff)
	}
	fine, _ := probing(rowToProbe(nil), nil)
	_, body = scrape(t, fine, toProbe+"&debug=true", "")
	if !strings.Contains(body, "success") || strings.Contains(body, "meaning") || strings.Contains(body, "status") {
		t.Errorf("a success without an answer:\n%s", body)
	}
	odd, _ := probing(rowToProbe(strayError{}), nil)
	_, body = scrape(t, odd, toProbe+"&debug=true", "")
	if strings.Contains(body, "canary") || !strings.Contains(body, "internal") {
		t.Errorf("an error that no prober has classified:\n%s", body)
	}
}

// strayError comes from no prober, and quotes text that must not be shown.
type strayError struct{}

func (strayError) Error() string { return "canary" }
