package promql_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// unitTests is what of a file for `promtool test rules` this package looks at.
type unitTests struct {
	Tests []struct {
		Name  string
		Cases []struct {
			At     model.Duration `yaml:"eval_time"`
			Alert  string         `yaml:"alertname"`
			Firing []struct {
				Labels map[string]string `yaml:"exp_labels"`
			} `yaml:"exp_alerts"`
		} `yaml:"alert_rule_test"`
	}
}

// expectation is what a unit test says of an alert at a moment.
type expectation struct {
	at     model.Duration
	firing bool
}

func unitTestsOf(t *testing.T, path string) unitTests {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var u unitTests
	err = yaml.Unmarshal(content, &u)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return u
}

// Every alert is seen not to fire, to fire later on, and to be over after that, in
// this order and each with the same series, and not to fire without data.
func TestAlertsHaveUnitTests(t *testing.T) {
	fires, resolves, noData := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, path := range files(t, "alerts/tests/*.yml") {
		for _, test := range unitTestsOf(t, path).Tests {
			seen := map[string][]expectation{}
			for _, c := range test.Cases {
				seen[c.Alert] = append(seen[c.Alert], expectation{c.At, len(c.Firing) > 0})
			}
			for alert, all := range seen {
				fires[alert] = fires[alert] || follows(all, false, true)
				resolves[alert] = resolves[alert] || follows(all, true, false)
				noData[alert] = noData[alert] || filepath.Base(path) == "nodata.yml"
			}
		}
	}
	for _, name := range alertNames(t) {
		for what, proved := range map[string]bool{
			"does not fire and then does": fires[name], "fires and is over later": resolves[name], "has no data": noData[name],
		} {
			if !proved {
				t.Errorf("no test of alerts/tests where %s %s", name, what)
			}
		}
	}
}

// follows tells whether some moment where the alert is first is followed by one where it is then.
func follows(all []expectation, first, then bool) bool {
	for _, a := range all {
		for _, b := range all {
			if a.at < b.at && a.firing == first && b.firing == then {
				return true
			}
		}
	}
	return false
}

// promtool compares labels exactly, so what the unit tests expect is what alerts have.
func TestUnitTestsExpectNoReason(t *testing.T) {
	seen := 0
	for _, path := range files(t, "alerts/tests/*.yml") {
		for _, test := range unitTestsOf(t, path).Tests {
			for _, c := range test.Cases {
				for _, alert := range c.Firing {
					seen++
					if alert.Labels["reason"]+alert.Labels["layer"] != "" {
						t.Errorf("%s, %s: %s has a reason or layer", filepath.Base(path), test.Name, c.Alert)
					}
				}
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d alerts fire in unit tests: have they been found?", seen)
	}
}
