package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/integra-exporter/integra_exporter/internal/testkit"
)

const shownConfig = `
defaults: {gateway: "https://gw.example.no", broker: "amqps://mq.example.no"}
apis:
  org:
    request: {path: "/org/?a=b", headers: {SOAPAction: TODO}, secret_headers: {X-Other: {file: secret}}}
    unauthenticated: {status: [401, 403]}
  krr:
    request: {method: POST, path: /CANARY/, private: true, body: CANARY, headers: {Content-Type: application/json}}
    key_header: X-Key
    unauthenticated: false
institutions:
  uio:
    apis: {org: {key_file: key}, krr: {key_env: INTEGRA_TEST_KEY}}
    rabbitmq: [{application: sap, password_file: key}]
    keys: [{name: inspera, expires: never}]
`

func TestShowRequest(t *testing.T) {
	testkit.NoLeaks(t)
	t.Setenv("INTEGRA_TEST_KEY", canary)
	dir := t.TempDir()
	testkit.WriteFile(t, dir, "key", canary+"\n")
	testkit.WriteFile(t, dir, "secret", canary+"\n")
	config := testkit.WriteFile(t, dir, "config.yml", strings.ReplaceAll(shownConfig, "CANARY", canary))
	key := filepath.Join(dir, "key")
	comments := []string{
		"# uio api krr: $KEY is the key, from environment variable INTEGRA_TEST_KEY", "# … marks what is not shown",
		"# uio api org: $KEY is the key, from file " + key, "# <secret> marks what is not shown",
		"# uio auth org: without a key, must be refused with HTTP status 401 403", "# <secret> marks what is not shown",
		"# uio auth org: with a wrong key, must be refused with HTTP status 401 403", "# <secret> marks what is not shown",
		"# uio key inspera: no HTTP request: this check reads when a credential expires",
		"# uio rabbitmq sap: no HTTP request: this check logs in to a broker",
	}
	for shell, commands := range map[string][]string{
		"curl": {
			"", "curl --include \\\n  --request POST \\\n  --header 'Accept: application/json' \\\n  --header 'Content-Type: application/json' \\\n" +
				"  --header \"X-Key: $KEY\" \\\n  --data-raw '…' \\\n  'https://gw.example.no/…'\n",
			"", curlOrg("  --header \"X-Gravitee-Api-Key: $KEY\" \\\n"),
			"", curlOrg(""),
			"", curlOrg("  --header 'X-Gravitee-Api-Key: 00000000-0000-4000-8000-000000000000' \\\n"),
			"", "",
		},
		"powershell": {
			"", "$headers = @{\n  'Accept' = 'application/json'\n  'Content-Type' = 'application/json'\n  'X-Key' = $KEY\n}\n" +
				"Invoke-WebRequest -Method POST -Headers $headers -MaximumRedirection 0 -SkipHttpErrorCheck -Body '…' -Uri 'https://gw.example.no/…'\n",
			"", powershellOrg("  'X-Gravitee-Api-Key' = $KEY\n"),
			"", powershellOrg(""),
			"", powershellOrg("  'X-Gravitee-Api-Key' = '00000000-0000-4000-8000-000000000000'\n"),
			"", "",
		},
	} {
		var want strings.Builder
		for i, comment := range comments {
			if i > 0 && strings.HasPrefix(comment, "# uio") {
				want.WriteString("\n")
			}
			want.WriteString(comment + "\n" + commands[i])
		}
		got := call(t, "check", "--config.file="+config, "--show-request="+shell)
		if diff := cmp.Diff(want.String(), got.out); diff != "" || got.code != 0 || got.err != "" {
			t.Errorf("%s: exit code %d, %q (-want +got):\n%s", shell, got.code, got.err, diff)
		}
		testkit.NoCanary(t, shell, got.out)
	}
}

func curlOrg(key string) string {
	return "curl --include \\\n  --header 'Accept: application/json' \\\n  --header 'SOAPAction: TODO' \\\n  --header 'X-Other: <secret>' \\\n" +
		key + "  'https://gw.example.no/org/?a=b'\n"
}

func powershellOrg(key string) string {
	return "$headers = @{\n  'Accept' = 'application/json'\n  'SOAPAction' = 'TODO'\n  'X-Other' = '<secret>'\n" + key + "}\n" +
		"Invoke-WebRequest -Method GET -Headers $headers -MaximumRedirection 0 -SkipHttpErrorCheck -Uri 'https://gw.example.no/org/?a=b'\n"
}

func TestShowRequestSendsNothingAndHeedsTheFilters(t *testing.T) {
	testkit.NoLeaks(t)
	platform, config := simulate(t, true)
	got := call(t, "check", "--config.file="+config, "--show-request=curl", "--institution=himolde", "--target=inspera")
	if got.code != 0 || strings.Count(got.out, "# himolde ") != 3 || strings.Count(got.out, "curl ") != 3 {
		t.Errorf("exit code %d, want three requests:\n%s", got.code, got.out)
	}
	if n := platform.Requests("himolde", "inspera"); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	if strings.Contains(got.out, platform.Key("himolde", "inspera")) {
		t.Error("the key is shown")
	}
}
