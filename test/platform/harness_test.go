package platform

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/demo"
)

// The parts of the harness that decide what passes.

func TestExpand(t *testing.T) {
	names := scope{"institution": "(uio|uit)", "__rate_interval": "10s"}
	got := names.expand(`rate(a{b=~"$institution", c=~"${institution:regex}"}[$__rate_interval]) + $unknown`)
	want := `rate(a{b=~"(uio|uit)", c=~"(uio|uit)"}[10s]) + $unknown`
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestNeedsNative(t *testing.T) {
	for query, want := range map[string]bool{
		"rate(integra_probe_duration_seconds[5m])":                                                              true,
		"rate(integra_probe_duration_seconds_bucket[5m])":                                                       false,
		"rate(integra_probe_duration_seconds_bucket[5m]) or on () rate(integra_probe_duration_seconds[5m]) > 0": false,
		"up": false,
	} {
		got := needsNative(query)
		if got != want {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
}

func TestExplains(t *testing.T) {
	from := time.Now()
	to := from.Add(time.Minute)
	e := episode{fault{
		wants: []want{about("A", "uio", "api", "krr")},
		hits:  []target{{Institution: "uio", Kind: "api"}},
	}, from, to}
	for name, c := range map[string]struct {
		alert want
		at    time.Time
		want  bool
	}{
		"the alert":             {about("A", "uio", "api", "krr"), from.Add(time.Second), true},
		"before":                {about("A", "uio", "api", "krr"), from.Add(-time.Second), false},
		"long after":            {about("A", "uio", "api", "krr"), to.Add(late), false},
		"of another API":        {about("A", "uio", "api", "inspera"), from.Add(time.Second), false},
		"another alert":         {about("B", "uio", "api", "krr"), from.Add(time.Second), false},
		"the budget during it":  {about("IntegraErrorBudgetBurningSlow", "uio", "api", "krr"), from.Add(time.Second), false},
		"the budget afterwards": {about("IntegraErrorBudgetBurningSlow", "uio", "api", "krr"), to.Add(time.Second), true},
		"the budget of another": {about("IntegraErrorBudgetBurningSlow", "uit", "api", "krr"), to.Add(time.Second), false},
	} {
		labels := map[string]string{
			"alertname": c.alert.alert.Name, "institution": c.alert.Institution, "kind": c.alert.Kind, "target": c.alert.target.Name,
		}
		got := e.explains(notice{Labels: labels, at: c.at})
		if got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestSecretsAreFound(t *testing.T) {
	platform, err := demo.Start(demo.Options{WithoutFaults: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = platform.Close() })
	before := platform.Key("uio", "krr")
	platform.Renew("uio", "krr")
	s := &secrets{platform: platform, found: map[string]bool{}}
	for place, text := range map[string]string{
		"clean":    "integra_probe_success 1",
		"old key":  "key " + before + ".",
		"new key":  platform.Key("uio", "krr"),
		"password": platform.Password("uio", dfo),
		"token":    "Bearer " + platform.ManagementToken("uio"),
	} {
		s.search(place, text)
	}
	want := map[string]bool{"old key": true, "new key": true, "password": true, "token": true}
	diff := cmp.Diff(want, s.found)
	if diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWebhookKeepsWhatIsNew(t *testing.T) {
	platform, err := demo.Start(demo.Options{WithoutFaults: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = platform.Close() })
	h := newWebhook(t, &secrets{platform: platform, found: map[string]bool{}})
	for _, status := range []string{"firing", "firing", "resolved", "firing"} {
		body := `{"alerts":[{"status":"` + status + `","fingerprint":"1","labels":{"alertname":"A","institution":"uio"}}]}`
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/all", strings.NewReader(body)))
	}
	a := alert{"A", target{Institution: "uio"}}
	got := len(h.of(a))
	if got != 3 || !h.open()[a] {
		t.Errorf("%d notices, open %v; want 3, the last of which opens it again", got, h.open())
	}
}

// What was asked for can be drawn later.
func TestResultsAreSaved(t *testing.T) {
	before := *save
	*save = filepath.Join(t.TempDir(), "results")
	defer func() { *save = before }()
	saved{Dashboard: "a.json"}.write(t)
	_, err := os.Stat(filepath.Join(*save, "a.json"))
	if err != nil {
		t.Error(err)
	}
}
