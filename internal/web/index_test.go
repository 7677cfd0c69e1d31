package web_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/probe"
	"github.com/integra-exporter/integra_exporter/internal/state"
	"github.com/integra-exporter/integra_exporter/internal/web"
)

func TestHeadline(t *testing.T) {
	ok, waiting := rowOf("uio", "api", "a", nil, 1), rowOf("uio", "api", "b", nil, 0)
	failed, other := rowOf("uio", "api", "c", probe.Fail(probe.ReasonConnect, ""), 1), rowOf("uio", "api", "d", errForeign{}, 1)
	overdue, recent := rowOf("uio", "api", "e", nil, 1), failed
	overdue.Last.Start = time.Now().Add(-4 * time.Minute)
	recent.Name, recent.Since = "n", time.Now()
	for want, targets := range map[string][]state.Target{
		"No targets":                                                          nil,
		"No target has run yet":                                               {waiting},
		"All targets that have run are OK":                                    {ok, waiting},
		"All targets are OK":                                                  {ok},
		"1 target fails: c api uio":                                           {ok, waiting, failed},
		"2 targets fail: d api uio, c api uio":                                {failed, other},
		"3 targets fail: n api uio, d api uio, c api uio":                     {failed, other, recent},
		"4 targets fail: n api uio, d api uio, d api uio, …":                  {failed, other, other, recent},
		"1 target has not run for three intervals":                            {ok, overdue},
		"1 target fails, 1 target has not run for three intervals: c api uio": {failed, overdue},
	} {
		got := get(t, world(targets...), "/")
		heading, _, _ := strings.Cut(want, ":")
		if !strings.Contains(got, ">"+heading+"</h1>") || !strings.Contains(got, "<title>"+want+" – integra_exporter</title>") {
			t.Errorf("headline or title is not %q", want)
		}
	}
}

// Each cause is explained once, however many targets fail for it; the causes have the order of the table of reasons.
func TestFailuresAreGroupedByCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		timeout, again := rowOf("uib", "api", "slow", probe.Fail(probe.ReasonBackendTimeout, "HTTP status 504"), 3), rowOf("uio", "api", "slow", probe.Fail(probe.ReasonBackendTimeout, ""), 3)
		timeout.Contact = "who@uib.no"
		got := textOf(t, get(t, world(timeout, again, rowOf("uio", "api", "well", nil, 1), rowOf("uio", "auth", "gone", probe.Fail(probe.ReasonConnect, "connection refused"), 1)), "/"))
		connect := probe.Explain(probe.ReasonConnect, probe.LayerNetwork)
		dead := probe.Explain(probe.ReasonBackendTimeout, probe.LayerBackend)
		want := strings.Join([]string{
			"✗ connect at fault: network", connect.Meaning, "What to do next: " + connect.Next,
			"Title of gone (gone) Title of uio (uio) auth for 2 h 5 min connection refused",
			"✗ backend_timeout at fault: backend", dead.Meaning, "What to do next: " + dead.Next,
			"Title of slow (slow) Title of uib (uib) api for 2 h 5 min HTTP status 504 · contact who@uib.no",
			"Title of slow (slow) Title of uio (uio) api for 2 h 5 min",
		}, "\n")
		if diff := cmp.Diff(want, sectionOf(t, got, "Failures by cause", "APIs api")); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestFailureLeadsToItsTarget(t *testing.T) {
	odd := rowOf("a&b", "api", "c d/e?f=g#h", probe.Fail(probe.ReasonConnect, ""), 1)
	const want = `href="./target?institution=a%26b&amp;kind=api&amp;target=c&#43;d%2Fe%3Ff%3Dg%23h"`
	got := get(t, world(odd), "/")
	if n := strings.Count(got, want); n != 2 {
		t.Errorf("%d links to the target, want one of the failure and one of the list:\n%s", n, got)
	}
	page := get(t, world(odd), "/target?institution=a%26b&kind=api&target=c+d%2Fe%3Ff%3Dg%23h")
	if !strings.Contains(page, ">Title of c d/e?f=g#h</h1>") {
		t.Error("the link does not lead to the target's page")
	}
}

// Targets that most institutions share make a matrix, others a list.
func TestSections(t *testing.T) {
	var targets []state.Target
	for _, institution := range []string{"uib", "uio"} {
		for _, name := range []string{"fs", "org"} {
			targets = append(targets, rowOf(institution, "api", name, nil, 1))
		}
		targets = append(targets, rowOf(institution, "rabbitmq", institution+"-a", nil, 0), rowOf(institution, "rabbitmq", institution+"-b", errForeign{}, 1),
			rowOf(institution, "rabbitmq", institution+"-c", nil, 1))
	}
	targets = append(targets, rowOf("uit", "api", "fs", probe.Fail(probe.ReasonTLS, ""), 1), rowOf("uit", "key", "token", nil, 1))
	got := textOf(t, get(t, world(targets...), "/"))
	for _, c := range []struct{ from, to, want string }{
		{"APIs api", "RabbitMQ", "Institution | fs | org |\n" +
			"Title of uib (uib) | ✓ ok | ✓ ok |\nTitle of uio (uio) | ✓ ok | ✓ ok |\nTitle of uit (uit) | ✗ failed: tls | |"},
		{"RabbitMQ rabbitmq", "Other", "Institution | Targets |\n" +
			"Title of uib (uib) | … not run yet uib-a\n✗ failed: internal uib-b\n✓ ok uib-c\n|\n" +
			"Title of uio (uio) | … not run yet uio-a\n✗ failed: internal uio-b\n✓ ok uio-c\n|"},
		{"Other credentials key", "Exporter", "Institution | Targets |\nTitle of uit (uit) | ✓ ok token\n|"},
	} {
		if diff := cmp.Diff(c.want, sectionOf(t, got, c.from, c.to)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.from, diff)
		}
	}
}

func TestFilter(t *testing.T) {
	o := world(rowOf("uib", "api", "a", nil, 1), rowOf("uib", "auth", "a", errForeign{}, 1), rowOf("uio", "api", "a", errForeign{}, 1), rowOf("uit", "api", "b", nil, 0))
	for query, want := range map[string]string{
		"":                                   "2 failed 1 ok 1 not run yet",
		"?institution=uib":                   "1 failed 1 ok 0 not run yet",
		"?institution=uib&institution=uit":   "1 failed 1 ok 1 not run yet",
		"?kind=api&state=failed":             "1 failed 0 ok 0 not run yet",
		"?target=a&state=ok&state=failed":    "2 failed 1 ok 0 not run yet",
		"?state=waiting&institution=":        "0 failed 0 ok 1 not run yet",
		"?institution=nowhere&target=a":      "0 failed 0 ok 0 not run yet",
		"?institution=uib&kind=api&target=a": "0 failed 1 ok 0 not run yet",
	} {
		page := get(t, o, "/"+query)
		if got := strings.ReplaceAll(textOf(t, page), "\n", " "); !strings.Contains(got, want) {
			t.Errorf("%s: want %s:\n%s", query, want, got)
		}
		if !strings.Contains(page, `<option value="uio"`) {
			t.Errorf("%s: the form lacks an option that the filter excludes", query)
		}
	}
	page := get(t, o, "/?institution=uib&institution=gone&state=failed")
	for _, want := range []string{
		`<select name="institution" multiple`, `<option value="uib" selected>`, `<option value="gone" selected>`, `<option value="uio">`,
		`<select name="state">`, `<option value="failed" selected>`, `href="./api/v1/targets?institution=uib&amp;institution=gone&amp;state=failed"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the form lacks %s", want)
		}
	}
}

func TestIndexSaysThatAConfigurationWasRejected(t *testing.T) {
	o := options()
	if got := get(t, o, "/"); strings.Contains(got, "rejected") {
		t.Errorf("nothing was rejected:\n%s", got)
	}
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.FixedZone("", 3600))
	o.Health = func() web.Health { return web.Health{Loaded: at.Add(-time.Hour), Rejected: at} }
	const want = "The configuration on disk was rejected at 2026-11-02 08:00:00 UTC; the one loaded at 2026-11-02 07:00:00 UTC is still in force."
	if got := textOf(t, get(t, o, "/")); !strings.Contains(got, want) {
		t.Errorf("the page does not say %q:\n%s", want, got)
	}
}

func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		late := rowOf("uio", "api", "late", nil, 1)
		late.Last.Start = now.Add(-4 * time.Minute)
		o := world(late, rowOf("uio", "auth", "a", nil, 1), rowOf("uio", "key", "k", nil, 0))
		o.Health = func() web.Health {
			return web.Health{
				Version: "1.2.3", Started: now.Add(-50 * time.Hour), Loaded: now.Add(-90 * time.Minute), Rejected: now.Add(-time.Minute),
				InFlight: 1, Skipped: map[string]uint64{"overlap": 0, "capacity": 7},
			}
		}
		o.Institutions = func() []state.Institution {
			return []state.Institution{
				{Name: "uit", Managed: true, Manager: state.Manager{Tried: true, LastSuccess: now.Add(-25 * time.Hour)}},
				{Name: "uio", Managed: true, Manager: state.Manager{Tried: true, OK: true, LastSuccess: now.Add(-5 * time.Minute)}},
				{Name: "ntnu"},
				{Name: "uib", Managed: true},
			}
		}
		want := strings.Join([]string{
			"Configuration | ! loaded 1 h 30 min ago; a newer one was rejected 1 min ago",
			"Targets | 1 api, 1 auth, 0 rabbitmq, 1 key",
			"Runs | ! 1 in flight, 7 skipped (capacity), 0 skipped (overlap); 2 targets have not run for three intervals",
			"API manager of uib | not read yet",
			"API manager of uio | readable, last read 5 min ago",
			"API manager of uit | ! cannot be read (see the log), last read 1 d 1 h ago",
			"Exporter | 1.2.3, running for 2 d 2 h",
		}, "\n")
		_, got, _ := strings.Cut(textOf(t, get(t, o, "/?institution=nowhere")), "Exporter\n")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}
