package scale

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// discovered returns the targets at /sd, as institution/kind/target, sorted.
func discovered(t *testing.T, address string) []string {
	t.Helper()
	var groups []struct {
		Labels map[string]string `json:"labels"`
	}
	err := get(t.Context(), "http://"+address+"/sd", &groups)
	if err != nil {
		t.Fatal(err)
	}
	var targets []string
	for _, g := range groups {
		targets = append(targets, nameOf(g.Labels))
	}
	slices.Sort(targets)
	return targets
}

func nameOf(labels map[string]string) string {
	return labels["institution"] + "/" + labels["kind"] + "/" + labels["target"]
}

func names(samples []sample) []string {
	found := []string{}
	for _, s := range samples {
		found = append(found, nameOf(s.Labels))
	}
	slices.Sort(found)
	return found
}

// holds waits until a query finds exactly these targets.
func (p prometheus) holds(t *testing.T, query string, want []string) {
	t.Helper()
	eventually(t, query, func() string { return cmp.Diff(want, names(p.query(t, query))) })
}

// only returns those of targets that fit.
func only(targets []string, fits func(name string) bool) []string {
	return slices.DeleteFunc(slices.Clone(targets), func(name string) bool { return !fits(name) })
}

func TestPrometheusDrives(t *testing.T) {
	t.Parallel()
	exporter := startDemo(t, "--no-schedule")
	targets := discovered(t, exporter)
	if len(targets) < 60 {
		t.Fatalf("only %d targets at /sd", len(targets))
	}
	config := example(t, "prometheus.yml: Prometheus drives")
	p, other := startPrometheus(t, config, exporter), startPrometheus(t, apart(t, config), exporter)
	p.holds(t, `up{job="integra", institution!=""} == 1`, targets)
	p.holds(t, `probe_success`, targets)
	p.holds(t, `integra_probe_success{kind!="key"}`, targets)
	p.holds(t, `integra_probe_runs_total{kind!="key"} > 1`, targets)
	p.holds(t, `integra_probe_timeout_seconds{kind!="key"} == on (institution, kind, target) probe_timeout_seconds`, targets)

	keys := names(p.query(t, `integra_probe_success{kind="key"}`))
	if len(keys) == 0 || slices.ContainsFunc(keys, func(name string) bool { return slices.Contains(targets, name) }) {
		t.Errorf("credentials: %v", keys)
	}
	rulesOfBlackbox(t, p, targets)
	saysNothingTwice(t, other, targets)
}

// apart gives the two jobs two names: under one they would hide in each other what both say.
func apart(t *testing.T, config string) string {
	t.Helper()
	changed := strings.Replace(config, "replacement: integra}", "replacement: integra-probe}", 1)
	if changed == config {
		t.Fatal("the jobs have two names as it is")
	}
	return changed
}

func saysNothingTwice(t *testing.T, p prometheus, targets []string) {
	t.Helper()
	p.holds(t, `integra_probe_success{job="integra-probe"}`, targets)
	p.holds(t, `integra_probe_runs_total{job="integra", kind!="key"}`, targets)
	for _, s := range p.query(t, `count by (__name__) ({job="integra-probe"}) and on (__name__) count by (__name__) ({job="integra", kind!="key", __name__!~"up|scrape_.+"})`) {
		t.Errorf("both /probe and /metrics say %s", s.Labels["__name__"])
	}
}

// rulesOfBlackbox holds existing rules against what the demo shows.
func rulesOfBlackbox(t *testing.T, p prometheus, targets []string) {
	t.Helper()
	for _, name := range []string{"uio/api/ansatte", "uib/api/freg", "ntnu/auth/ansatte"} {
		eventually(t, "an alert for "+name, func() string {
			firing := names(p.query(t, `ALERTS{alertname="ProbeFailed", alertstate="firing"}`))
			if slices.Contains(firing, name) {
				return ""
			}
			return fmt.Sprint(firing)
		})
	}
	if firing := names(p.query(t, `ALERTS{alertname="ProbeFailed"}`)); slices.Contains(firing, "uio/api/organisasjoner") {
		t.Errorf("an alert for what is well: %v", firing)
	}
	ending := only(targets, func(name string) bool {
		return strings.HasPrefix(name, "oslomet/api/") || strings.HasPrefix(name, "oslomet/auth/")
	})
	eventually(t, "the certificate that ends in ten days", func() string {
		firing := names(p.query(t, `ALERTS{alertname="CertificateExpiresSoon", alertstate="firing"}`))
		return cmp.Diff(ending, only(firing, func(name string) bool { return !strings.Contains(name, "/rabbitmq/") }))
	})
}

func TestShards(t *testing.T) {
	t.Parallel()
	exporter := startDemo(t, "--no-schedule")
	targets := discovered(t, exporter)
	first := example(t, "prometheus.yml: first of two shards")
	second := strings.Replace(first, `regex: "0"`, `regex: "1"`, 1)
	if first == second {
		t.Fatal("the second shard would be the first")
	}
	const scraped = `up{job="integra", institution!=""}`
	a, b := startPrometheus(t, first, exporter), startPrometheus(t, second, exporter)
	var ofA, ofB []string
	eventually(t, "every target in one of two shards", func() string {
		ofA, ofB = names(a.query(t, scraped)), names(b.query(t, scraped))
		both := slices.Concat(ofA, ofB)
		slices.Sort(both)
		return cmp.Diff(targets, both) // a target in both would stand there twice
	})
	if len(ofA) < len(targets)/4 || len(ofB) < len(targets)/4 {
		t.Errorf("shards of %d and %d targets", len(ofA), len(ofB))
	}
	a.holds(t, "probe_success", ofA)
	b.holds(t, "probe_success", ofB)
}
