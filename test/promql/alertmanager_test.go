package promql_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

const example = root + "/alerts/alertmanager.example.yml"

func TestRoutes(t *testing.T) {
	for alert, receiver := range map[string]string{
		"severity=critical institution=uio job=integra": "uio-on-call",
		"severity=warning institution=uio job=integra":  "uio-mail",
		"severity=info institution=uio job=integra":     "uio-mail",
		"severity=critical institution=uib job=integra": "on-call",
		"severity=warning institution=uib job=integra":  "integration-team",
		"severity=info institution=uib job=integra":     "integration-team-mail",
		"severity=critical job=integra":                 "on-call",
		"severity=warning job=integra instance=a":       "integration-team",
		"severity=critical":                             "on-call",
	} {
		args := append([]string{"config", "routes", "test", "--config.file=" + example, "--verify.receivers=" + receiver}, strings.Fields(alert)...)
		output(t, *amtool, args...)
	}
}

// inhibition is a rule of the example.
type inhibition struct {
	Source []string `yaml:"source_matchers"`
	Target []string `yaml:"target_matchers"`
	Equal  []string
}

func inhibitions(t *testing.T) []inhibition {
	t.Helper()
	content, err := os.ReadFile(example)
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Rules []inhibition `yaml:"inhibit_rules"`
	}
	err = yaml.Unmarshal(content, &config)
	if err != nil {
		t.Fatal(err)
	}
	return config.Rules
}

// silences tells whether the rule lets an alert that fires silence another.
func (r inhibition) silences(t *testing.T, source, target model.LabelSet) bool {
	t.Helper()
	same := !slices.ContainsFunc(r.Equal, func(name string) bool {
		return source[model.LabelName(name)] != target[model.LabelName(name)]
	})
	return same && matches(t, r.Source, source) && matches(t, r.Target, target)
}

func matches(t *testing.T, all []string, alert model.LabelSet) bool {
	t.Helper()
	for _, text := range all {
		matchers, err := labels.ParseMatchers(text)
		if err != nil {
			t.Fatal(err)
		}
		if !labels.Matchers(matchers).Matches(alert) {
			return false
		}
	}
	return true
}

// An example: [Integra]KeyExpired uio api fs. What an alert lacks is written as -.
func firing(t *testing.T, severities map[string]string, words string) model.LabelSet {
	t.Helper()
	names := []model.LabelName{"alertname", "institution", "kind", "target", "instance", "scope", "address"}
	alert := model.LabelSet{"job": "integra"}
	for i, value := range strings.Fields(words) {
		if value != "-" {
			alert[names[i]] = model.LabelValue(value)
		}
	}
	alert["alertname"] = "Integra" + alert["alertname"]
	alert["severity"] = model.LabelValue(severities[string(alert["alertname"])])
	if alert["severity"] == "" {
		t.Fatalf("there is no alert %s", alert["alertname"])
	}
	return alert
}

func TestInhibition(t *testing.T) {
	severities := map[string]string{}
	for _, r := range slices.Backward(alerts(t)) { // of two rules of one name the first is the more severe
		severities[r.Alert] = r.Labels["severity"]
	}
	for _, c := range []struct {
		source, target string
		silenced       bool
	}{
		{"ExporterDown - - - - job", "TargetFailing uio api fs", true},
		{"ExporterDown - - - - job", "ResultsStale - - - a", true},
		{"ExporterDown - - - - job", "ExporterDown - - - a instance", false},
		{"ExporterDown - - - - job", "ExporterAbsent", true},
		{"ExporterDown - - - a instance", "TargetFailing uio api fs", false},
		{"ExporterDown - - - a instance", "ResultsStale - - - a", true},
		{"ExporterDown - - - a instance", "ResultsStale - - - b", false},
		{"ExporterDown - - - a instance", "RunsSkipped - - - b", false},
		{"GatewayDown uio", "TargetFailing uio api fs", true},
		{"GatewayDown uio", "TargetFailing uio auth fs", true},
		{"GatewayDown uio", "ErrorBudgetBurningSlow uio api fs", true},
		{"GatewayDown uio", "AccessNotRefused uio auth fs", false},
		{"GatewayDown uio", "KeyRejected uio api fs", true},
		{"GatewayDown uio", "KeyExpired uio api fs", false},
		{"GatewayDown uio", "KeyExpiresInTwoHours uio api fs", false},
		{"GatewayDown uio", "KeySuperseded uio api fs", false},
		{"GatewayDown uio", "TargetFailing uib api fs", false},
		{"GatewayDown uio", "TargetFailing uio rabbitmq sap", false},
		{"GatewayDown uio", "KeyExpired uio key maskinporten", false},
		{"GatewayDown uio", "APIManagerUnreadable uio", false},
		{"GatewayDown uio", "CertificateExpiresVerySoon uio - - - - gw", false},
		{"BrokerDown uio", "TargetFailing uio rabbitmq sap", true},
		{"BrokerDown uio", "RabbitMQBlocked uio rabbitmq sap", true},
		{"BrokerDown uio", "KeyExpired uio rabbitmq sap", false},
		{"BrokerDown uio", "TargetFailing uio api fs", false},
		{"BrokerDown uio", "CAExpires uio", false},
		{"KeyRejected uio api fs", "TargetFailing uio api fs", true},
		{"KeyRejected uio api fs", "ErrorBudgetBurningFast uio api fs", true},
		{"KeyRejected uio api fs", "TargetFailing uio api inspera", false},
		{"KeyRejected uio api fs", "TargetFailing uio auth fs", false},
		{"KeyExpired uio api fs", "KeyRejected uio api fs", true},
		{"KeyRejected uio api fs", "KeyExpired uio api fs", false},
		{"KeyExpired uio key maskinporten", "TargetFailing uio key maskinporten", true},
		{"AccessNotRefused uio auth fs", "TargetFailing uio auth fs", true},
		{"RabbitMQLoginRefused uio rabbitmq sap", "TargetFailing uio rabbitmq sap", true},
		{"RabbitMQObjectMissing uio rabbitmq sap", "TargetFailing uio rabbitmq sap", true},
		{"RabbitMQBlocked uio rabbitmq sap", "TargetFailing uio rabbitmq sap", true},
		{"TargetFailing uio api fs", "ErrorBudgetBurningFast uio api fs", true},
		{"TargetFailing uio api fs", "KeyRejected uio api fs", false},
		{"TargetFailing uio api fs", "TargetSlow uio api fs", true},
		{"TargetFailing uio api fs", "KeyExpiresInAMonth uio api inspera", false},
		{"KeyExpiresInTwoHours uio api fs", "KeySuperseded uio api fs", true},
		{"KeyExpiresInTwoHours uio api fs", "KeyExpiresInAMonth uio api fs", true},
		{"KeyExpiresInAWeek uio key token", "KeyExpiresInAMonth uio key token", true},
		{"KeyExpiresInAMonth uio key token", "KeyExpiresInAWeek uio key token", false},
		{"CertificateExpiresVerySoon uio - - - - gw", "CertificateExpiresSoon uio - - - - gw", true},
		{"CertificateExpiresVerySoon uio - - - - gw", "CertificateExpiresSoon uio - - - - mq", false},
	} {
		source, target := firing(t, severities, c.source), firing(t, severities, c.target)
		got := slices.ContainsFunc(inhibitions(t), func(r inhibition) bool { return r.silences(t, source, target) })
		if got != c.silenced {
			t.Errorf("%s silences %s: %v, want %v", c.source, c.target, got, c.silenced)
		}
	}
}

// Other people's alerts lack the labels that ours are compared by, and so do some of ours.
func TestInhibitionLeavesOthersAlone(t *testing.T) {
	ours := model.LabelSet{"alertname": "IntegraExporterAbsent", "severity": "critical"}
	others := model.LabelSet{"alertname": "ReplicationLag", "severity": "warning"}
	critical := model.LabelSet{"alertname": "NodeDown", "severity": "critical"}
	for _, r := range inhibitions(t) {
		if r.silences(t, ours, others) || r.silences(t, critical, others) || r.silences(t, critical, ours) {
			t.Errorf("%v", r)
		}
	}
}

// A rule on an alert that is spelled wrong silences nothing.
func TestInhibitionNamesAlerts(t *testing.T) {
	seen := labelled()
	for _, r := range inhibitions(t) {
		for _, name := range regexp.MustCompile(`Integra\w+`).FindAllString(strings.Join(append(r.Source, r.Target...), " "), -1) {
			seen[name] = true
		}
	}
	for name := range seen {
		if !slices.Contains(alertNames(t), name) {
			t.Errorf("there is no alert %s", name)
		}
	}
	if len(seen) < 12 {
		t.Errorf("only %d alerts in the inhibition: have they been found? %v", len(seen), slices.Sorted(maps.Keys(seen)))
	}
}
